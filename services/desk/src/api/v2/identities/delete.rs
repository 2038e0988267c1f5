//! `DELETE /api/v2/users/{id}/identities/{id}`: a user is known by something no longer, for agents. The primary address stays.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use domain::person::{Person, identity};
use futures::FutureExt;
use schemas::{IdentityId, PersonId, StreamName};

use super::{changeable, known};
use crate::{
    api::{
        settle,
        v2::{ids::TwoIds, users::write},
    },
    body::RequestPrint,
    caller::Caller,
    execute::{Batch, Done, Issuer, replayed, retried},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers nothing.
pub(crate) async fn delete(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, id): TwoIds<PersonId, IdentityId>,
    print: RequestPrint,
) -> ApiResult {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => remove(&desk, &caller, &by, (person, id)).await?,
    };
    let written = settle::settled(&desk, &caller.resident, &done, settle::PEOPLE).await;
    Ok((StatusCode::NO_CONTENT, written, ()).into_response())
}

async fn remove(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (person, id): (PersonId, IdentityId),
) -> Result<Done, ApiError> {
    let stream = StreamName::Person(person);
    let stream = &stream;
    let attempt = || async move {
        let (profile, version) = changeable(desk, caller, person).await?;
        let (kind, value) = known(&profile, id)?;
        let remove = identity::Command::Remove(id).into();
        let batch = Batch::new(desk, by).decide::<Person>(stream.clone(), Some(version), &remove).await?;
        Ok(write::release(batch, (desk, by), (person, kind, &value)).await?.commit().await)
    };
    retried(|| attempt().boxed()).await
}
