//! `GET /api/v2/groups/{id}`: one group, for agents.

use axum::{Json, extract::State};
use schemas::GroupId;
use serde_json::{Value, json};

use crate::{
    api::v2::{ids::Id, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the group.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Id(group): Id<GroupId>) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::groups::one(&mut transaction, &caller.resident, group).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({"group": present::group::group(&caller, &row)})))
}
