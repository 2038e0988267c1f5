//! `GET /api/v2/groups/count`: how many groups there are, for agents.

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{api::v2::present, caller::Caller, problem::ApiResult, read::groups, state::Desk};

/// Answers the number, counted now.
pub(crate) async fn count(State(desk): State<Desk>, caller: Caller) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let value = groups::list(None).count(&mut transaction, &caller.resident).await?;
    Ok(Json(present::count(value, desk.clock.now())))
}
