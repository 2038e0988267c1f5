//! `DELETE /api/v2/users/{id}`: puts a user away, for admins. Nobody restores a user; erasing the profile is another step.
//!
//! The user can do nothing any more from then on, and everything they were known by is free.

use axum::{Json, extract::State, response::IntoResponse};
use domain::person::{Command, Person};
use futures::FutureExt;
use schemas::{
    PersonId, StreamName,
    values::{PersonDetail, Role},
};

use super::{answer, last_admin, write};
use crate::{
    api::{unique::Unique, v2::ids::Id},
    body::RequestPrint,
    caller::Caller,
    execute::{Batch, Done, Issuer, load, replayed, retried},
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

/// Puts the user away, for admins.
pub(crate) async fn put_away(desk: &Desk, caller: &Caller, by: &Issuer, person: PersonId) -> Result<Done, ApiError> {
    caller.require_admin()?;
    retried(|| async move { Ok(decide(desk, caller, by, person).await?.commit().await) }.boxed()).await
}

async fn decide<'a>(desk: &'a Desk, caller: &Caller, by: &'a Issuer, person: PersonId) -> Result<Batch<'a>, ApiError> {
    let stream = StreamName::Person(person);
    let (state, version) = load::<Person>(desk, &by.resident, &stream).await?;
    let profile = state.profile().ok_or_else(ApiError::not_found)?;
    may_delete(desk, caller, person).await?;
    let mut batch = Batch::new(desk, by).decide::<Person>(stream, Some(version), &Command::Delete).await?;
    if profile.role == Role::Admin {
        batch = last_admin::withdraw(batch, desk, by, person).await?;
    }
    // What an auditor is known by was never claimed.
    if profile.role == Role::Auditor {
        return Ok(batch);
    }
    for identity in profile.identities.values() {
        batch = write::release(batch, (desk, by), (person, identity.kind, identity.value.expose())).await?;
    }
    let id = (profile.detail(PersonDetail::ExternalId), None);
    Unique::UserExternalId.move_to(batch, (desk, by, person.get()), id).await
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
