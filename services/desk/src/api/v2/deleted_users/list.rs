//! `GET /api/v2/deleted_users`: the deleted users, the erased ones among them, sorted by id, for agents.

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    api::v2::{page::PageQuery, users},
    caller::Caller,
    problem::ApiResult,
    read::people::Filter,
    state::Desk,
};

/// Answers a page of deleted users.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let page = query.page(&caller)?;
    let filter = Filter { deleted: true, ..Filter::default() };
    Ok(Json(users::list::answer(&desk, &caller, ("deleted_users", &page), &filter).await?))
}
