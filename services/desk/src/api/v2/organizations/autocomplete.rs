//! `GET /api/v2/organizations/autocomplete?name=`: organizations whose names begin so, for agents.

use axum::{Json, extract::State};
use serde_json::Value;

use super::list;
use crate::{
    api::v2::page::PageQuery,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::organizations::Which,
    state::Desk,
};

/// The fewest characters that are worth looking for.
pub(crate) const LENGTH_MIN: usize = 2;

/// Answers a page of those found.
pub(crate) async fn autocomplete(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let name = beginning(&query)?;
    list::answer(&desk, &caller, &query.offset_page(&caller)?, Which::Beginning(name)).await
}

/// What names are to begin with.
pub(crate) fn beginning(query: &PageQuery) -> Result<String, ApiError> {
    let name = query.get("name").map(str::trim).filter(|name| name.chars().count() >= LENGTH_MIN);
    name.map(str::to_owned)
        .ok_or_else(|| ApiError::invalid_parameter("name", &format!("a text of at least {LENGTH_MIN} characters")))
}
