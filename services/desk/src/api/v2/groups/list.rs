//! `GET /api/v2/groups`: the groups, for agents.

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    api::v2::{page::PageQuery, present},
    caller::Caller,
    problem::ApiResult,
    read,
    state::Desk,
};

/// Answers a page of groups.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let page = query.page(&caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let slice = page.slice(read::groups::ids(&mut transaction, &caller.resident, page.window()).await?);
    let count = match page.is_counted() {
        true => Some(read::groups::count(&mut transaction, &caller.resident).await?),
        false => None,
    };
    let rows = read::groups::many(&mut transaction, &caller.resident, &slice.ids).await?;
    let groups = rows.iter().map(|row| present::group::group(&caller, row)).collect();
    Ok(Json(page.answer("groups", groups, &slice, count)))
}
