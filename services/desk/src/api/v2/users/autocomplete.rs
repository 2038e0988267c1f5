//! `GET /api/v2/users/autocomplete?name=`: users whose names or addresses begin so, for agents.

use axum::{Json, extract::State};
use serde_json::Value;

use super::list;
use crate::{
    api::v2::{organizations::autocomplete::beginning, page::PageQuery},
    caller::Caller,
    problem::ApiResult,
    read::people::{self, Which},
    state::Desk,
};

/// Answers a page of those found.
pub(crate) async fn autocomplete(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let name = beginning(&query)?;
    list::listed(&desk, &caller, &query.offset_page(&caller)?, &people::list(Which::Beginning(name))).await
}
