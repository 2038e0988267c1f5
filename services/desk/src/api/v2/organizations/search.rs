//! `GET /api/v2/organizations/search?name=` or `?external_id=`: the organization with a name or an id elsewhere, whatever the case, for
//! agents.

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

/// Answers a page with the one found, or none.
pub(crate) async fn search(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let sent = |name| query.get(name).map(str::trim).filter(|text| !text.is_empty());
    let which = match (sent("external_id"), sent("name")) {
        (Some(id), _) => Which::External(vec![id.to_owned()]),
        (None, Some(name)) => Which::Named(name.to_owned()),
        (None, None) => return Err(ApiError::invalid_parameter("name", "a name; or external_id, an id")),
    };
    list::answer(&desk, &caller, &query.offset_page(&caller)?, which).await
}
