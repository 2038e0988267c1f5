//! `GET /api/v2/sessions`, `GET /api/v2/users/{id}/sessions`, one of them, and the caller's own of now.

use axum::{Json, extract::State};
use schemas::{PersonId, SessionId};
use serde_json::{Value, json};

use super::{present, require_sight};
use crate::{
    api::v2::{
        ids::{Id, TwoIds},
        page::PageQuery,
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, List},
    state::Desk,
};

/// Everybody's, for admins.
pub(super) async fn all(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_overseer()?;
    let list = read::sessions::list(None, desk.clock.now());
    page(&desk, &caller, query, &list).await
}

/// One person's.
pub(super) async fn of_user(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    require_sight(&desk, &caller, person).await?;
    let list = read::sessions::list(Some(person), desk.clock.now());
    page(&desk, &caller, query, &list).await
}

/// One of a person's. Clients expect a list of it.
pub(super) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(person, session): TwoIds<PersonId, SessionId>,
) -> ApiResult<Json<Value>> {
    require_sight(&desk, &caller, person).await?;
    answer(&desk, &caller, (person, session)).await
}

/// The session that the request came with; none with a token.
pub(super) async fn current(State(desk): State<Desk>, caller: Caller) -> ApiResult<Json<Value>> {
    let session = caller.session.ok_or_else(ApiError::not_found)?;
    answer(&desk, &caller, (caller.person, session)).await
}

async fn page(desk: &Desk, caller: &Caller, query: PageQuery, list: &List) -> ApiResult<Json<Value>> {
    let page = query.page(caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, list).await?;
    let rows = read::sessions::many(&mut transaction, &caller.resident, &slice.ids).await?;
    drop(transaction);
    Ok(Json(page.answer("sessions", rows.iter().map(|row| present(desk, caller, row)).collect(), &slice, count)))
}

async fn answer(desk: &Desk, caller: &Caller, of: (PersonId, SessionId)) -> ApiResult<Json<Value>> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::sessions::one(&mut transaction, &caller.resident, of, desk.clock.now()).await?;
    drop(transaction);
    let row = row.ok_or_else(ApiError::not_found)?;
    caller.reading.of([row.session_id]);
    Ok(Json(json!({ "session": [present(desk, caller, &row)] })))
}
