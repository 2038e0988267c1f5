//! `DELETE /api/v2/users/{id}`: puts a user away, for admins. Nobody restores a user; erasing the profile is another step.
//!
//! The user can do nothing any more from then on, and the address is free.

use axum::{Json, extract::State, response::IntoResponse};
use domain::{
    email::{self, EmailClaim},
    person::{Command, Person},
};
use futures::FutureExt;
use schemas::{PersonId, StreamName, values::Role};

use super::{answer, last_admin};
use crate::{
    api::{v2::ids::Id, who},
    body::RequestPrint,
    caller::Caller,
    execute::{Batch, Done, Issuer, replayed, retried},
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the user, no longer active.
pub(crate) async fn delete(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => put_away(&desk, &caller, &by, person).await?,
    };
    let (written, body) = answer::written(&desk, &caller, person, &done).await.map_err(ApiError::after_done)?;
    Ok((written, Json(body)))
}

async fn put_away(desk: &Desk, caller: &Caller, by: &Issuer, person: PersonId) -> Result<Done, ApiError> {
    retried(|| async move { Ok(decide(desk, caller, by, person).await?.commit().await) }.boxed()).await
}

async fn decide<'a>(desk: &'a Desk, caller: &Caller, by: &'a Issuer, person: PersonId) -> Result<Batch<'a>, ApiError> {
    let (row, version) = answer::folded(desk, caller, person).await?.ok_or_else(ApiError::not_found)?;
    may_delete(desk, caller, person).await?;
    let stream = StreamName::Person(person);
    let mut batch = Batch::new(desk, by).decide::<Person>(stream, Some(version), &Command::Delete).await?;
    if row.role == Role::Admin.as_str() {
        batch = last_admin::withdraw(batch, desk, by, person).await?;
    }
    // An auditor's address was never claimed.
    if let Some(email) = row.email.filter(|_| row.role != Role::Auditor.as_str()) {
        let stream = who::email_stream(desk, &by.resident, &email).await?;
        batch = batch.decide::<EmailClaim>(stream, None, &email::Command::Release { person }).await?;
    }
    Ok(batch)
}

/// Whoever is asked back about a ticket must be there; and nobody should find out by accident that they are gone.
async fn may_delete(desk: &Desk, caller: &Caller, person: PersonId) -> Result<(), ApiError> {
    if person == caller.person {
        return Err(ApiError::forbidden("Nobody deletes themselves"));
    }
    let mut transaction = desk.reading(&caller.resident).await?;
    match read::tickets::unclosed_of(&mut transaction, &caller.resident, person).await? {
        0 => Ok(()),
        count => {
            let takes =
                format!("id: takes a user whose tickets are closed; this one is the requester of {count} that are not");
            Err(ApiError::invalid("id", takes, "InvalidValue"))
        }
    }
}
