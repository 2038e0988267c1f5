//! `GET /api/v2/organization_memberships` and `group_memberships`, all or those of one user, organization or group, sorted by id, for agents.

use axum::{Json, extract::State};
use serde_json::Value;

use super::Side;
use crate::{
    api::v2::{
        ids::Id,
        page::{Page, PageQuery},
        present,
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::memberships::{self, Kind, Which},
    state::Desk,
};

/// Answers a page of all.
pub(crate) async fn list<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    answer(&desk, &caller, query, (S::KIND, Which::All)).await
}

/// Answers a page of those of a user.
pub(crate) async fn of_user<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<i64>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    answer(&desk, &caller, query, (S::KIND, Which::Of(person))).await
}

/// Answers a page of those that lead to one organization or group.
pub(crate) async fn leading_to<S: Side>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(id): Id<i64>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    answer(&desk, &caller, query, (S::KIND, Which::To(id))).await
}

async fn answer(desk: &Desk, caller: &Caller, query: PageQuery, which: (Kind, Which)) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    Ok(Json(page(desk, caller, &query.page(caller)?, which).await?))
}

/// A page of some memberships.
pub(super) async fn page(
    desk: &Desk,
    caller: &Caller,
    page: &Page,
    (kind, which): (Kind, Which),
) -> Result<Value, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &memberships::list(kind, which)).await?;
    let rows = memberships::many(&mut transaction, &caller.resident, &slice.ids).await?;
    let shown = rows.iter().map(|row| present::membership::membership(caller, kind, row)).collect();
    Ok(page.answer(present::membership::root(kind).1, shown, &slice, count))
}
