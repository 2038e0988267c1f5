//! `DELETE /api/domicile/v1/auditor_grants/{id}`: ends a grant at once, for admins. Erasing the auditor's name is another step, as for
//! any deleted user.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use domain::person::{Command, Person};
use schemas::{PersonId, StreamName, values::Role};

use crate::{
    api::{
        settle::{self, settled},
        v2::ids::Id,
    },
    body::RequestPrint,
    caller::Caller,
    execute::{Done, Issuer, execute, load, replayed},
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// Answers nothing.
pub(crate) async fn revoke(
    State(desk): State<Desk>,
    caller: Caller,
    Id(auditor): Id<PersonId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => put_away(&desk, &by, auditor).await?,
    };
    Ok((StatusCode::NO_CONTENT, settled(&desk, &caller.resident, &done, settle::PEOPLE).await, ()))
}

async fn put_away(desk: &Desk, by: &Issuer, auditor: PersonId) -> Result<Done, ApiError> {
    let stream = StreamName::Person(auditor);
    let (person, _) = load::<Person>(desk, &by.resident, &stream).await?;
    // Other people are put away where their tickets are asked after.
    if person.profile().is_none_or(|profile| profile.role != Role::Auditor) {
        return Err(ApiError::not_found());
    }
    Ok(execute::<Person>(desk, by, stream, None, &Command::Delete).await?)
}
