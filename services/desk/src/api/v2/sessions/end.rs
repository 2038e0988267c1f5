//! `DELETE /api/v2/users/{id}/sessions`, one of them, and `DELETE /api/v2/users/me/logout`.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use schemas::{PersonId, SessionId};

use super::require_sight;
use crate::{
    api::v2::ids::{Id, TwoIds},
    body::RequestPrint,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    session::end,
    state::Desk,
};

/// Ends all of a person's.
pub(super) async fn all(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    print: RequestPrint,
) -> ApiResult {
    require_sight(&desk, &caller, person).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let theirs = read::sessions::of(&mut transaction, &caller.resident, person, desk.clock.now()).await?;
    drop(transaction);
    let theirs: Vec<SessionId> = theirs.iter().map(|row| SessionId::new(row.session_id)).collect();
    finish(&desk, &caller, &print, &theirs).await
}

/// Ends one of a person's.
pub(super) async fn one(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, session): TwoIds<PersonId, SessionId>,
    print: RequestPrint,
) -> ApiResult {
    require_sight(&desk, &caller, person).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let of = (person, session);
    let row = read::sessions::one(&mut transaction, &caller.resident, of, desk.clock.now()).await?;
    drop(transaction);
    row.ok_or_else(ApiError::not_found)?;
    finish(&desk, &caller, &print, &[session]).await
}

/// Ends the session that the request came with; with a token there is none, and nothing to end.
pub(super) async fn current(State(desk): State<Desk>, caller: Caller, print: RequestPrint) -> ApiResult {
    let session = caller.session.ok_or_else(ApiError::not_found)?;
    finish(&desk, &caller, &print, &[session]).await
}

async fn finish(desk: &Desk, caller: &Caller, print: &RequestPrint, sessions: &[SessionId]) -> ApiResult {
    if sessions.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let written = end::end(desk, &caller.issuer(desk, print), sessions).await?;
    Ok((StatusCode::NO_CONTENT, written, ()).into_response())
}
