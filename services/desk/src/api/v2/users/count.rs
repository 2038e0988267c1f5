//! `GET /api/v2/users/count`: how many users there are, for agents. `role=` or `role[]=` counts some.

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    api::v2::{page::PageQuery, present},
    caller::Caller,
    problem::ApiResult,
    read::people::{self, Filter},
    state::Desk,
};

/// Answers the number, counted now.
pub(crate) async fn count(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let roles: Vec<String> = query.all_of("role").chain(query.all_of("role[]")).map(str::to_owned).collect();
    let filter = Filter { roles: (!roles.is_empty()).then_some(roles), ..Filter::default() };
    let mut transaction = desk.reading(&caller.resident).await?;
    let value = people::count(&mut transaction, &caller.resident, &filter).await?;
    Ok(Json(present::count(value, desk.clock.now())))
}
