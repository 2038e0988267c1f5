//! `GET /api/v2/groups`, `groups/assignable` and `/api/v2/users/{id}/groups`: the groups, for agents. Every agent may give tickets to every
//! group, so all are assignable.

use axum::{Json, extract::State};
use schemas::PersonId;
use serde_json::Value;

use crate::{
    api::{
        v2::{ids::Id, page::PageQuery, present},
        who,
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::groups,
    state::Desk,
};

/// Answers a page of groups.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    answer(&desk, &caller, query, None).await
}

/// Answers a page of those an agent belongs to.
pub(crate) async fn of_user(
    State(desk): State<Desk>,
    caller: Caller,
    Id(person): Id<PersonId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    who::profile(&desk, &caller.resident, person).await?.ok_or_else(ApiError::not_found)?;
    answer(&desk, &caller, query, Some(person)).await
}

async fn answer(desk: &Desk, caller: &Caller, query: PageQuery, of: Option<PersonId>) -> ApiResult<Json<Value>> {
    let page = query.page(caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, &groups::list(of)).await?;
    let rows = groups::many(&mut transaction, &caller.resident, &slice.ids).await?;
    let shown = rows.iter().map(|row| present::group::group(caller, row)).collect();
    Ok(Json(page.answer("groups", shown, &slice, count)))
}
