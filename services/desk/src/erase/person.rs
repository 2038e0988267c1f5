//! A person's profile and credentials. What the person wrote stays with the tickets, under an id that leads to nobody.

use domain::person::{Command, Person};
use futures::FutureExt;
use schemas::{PersonId, StreamName, values::ErasureReason};
use vault::Scope;

use super::{Erased, finish, list};
use crate::{
    execute::{Batch, Done, Failure, Issuer, Refusal, replayed, retried},
    problem::ApiError,
    state::Desk,
};

/// Erases a deleted person for good. The address was given up when the person was deleted.
pub(crate) async fn person(desk: &Desk, by: &Issuer, person: PersonId) -> Result<Erased, ApiError> {
    let done = match replayed(desk, by).await? {
        Some(done) => done,
        None => retried(|| record(desk, by, person).boxed()).await?,
    };
    Ok(finish(desk, &by.resident, done).await)
}

async fn record(
    desk: &Desk,
    by: &Issuer,
    person: PersonId,
) -> Result<Result<Done, Failure>, Refusal<domain::person::Rejection>> {
    let stream = StreamName::Person(person);
    let batch = Batch::new(desk, by).decide::<Person>(stream, None, &Command::Erase).await?;
    let keys = desk.vault.living(&by.resident, &[Scope::Person(person)]).await.map_err(Failure::Keys)?;
    Ok(list(batch, ErasureReason::PersonErased, keys).await?.commit().await)
}
