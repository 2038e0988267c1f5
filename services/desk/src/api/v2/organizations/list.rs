//! `GET /api/v2/organizations` and `/api/v2/users/{id}/organizations`: organizations, sorted by id, for agents.

use axum::{Json, extract::State};
use schemas::PersonId;
use serde_json::Value;

use crate::{
    api::{
        v2::{
            ids::Id,
            page::{Page, PageQuery},
            present,
        },
        who,
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::organizations::{self, Which},
    state::Desk,
};

/// Answers a page of organizations.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    answer(&desk, &caller, &query.page(&caller)?, Which::All).await
}

/// Answers a page of those a user belongs to.
pub(crate) async fn of_user(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    who::profile(&desk, &caller.resident, person).await?.ok_or_else(ApiError::not_found)?;
    answer(&desk, &caller, &query.page(&caller)?, Which::Of(person.get())).await
}

/// A page of some organizations.
pub(super) async fn answer(desk: &Desk, caller: &Caller, page: &Page, which: Which) -> ApiResult<Json<Value>> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &organizations::list(which)).await?;
    let rows = organizations::many(&mut transaction, &caller.resident, &slice.ids).await?;
    let shown = rows.iter().map(|row| present::organization::organization(caller, row)).collect();
    Ok(Json(page.answer("organizations", shown, &slice, count)))
}
