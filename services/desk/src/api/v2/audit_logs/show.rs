//! `GET /api/v2/audit_logs/{id}`: one entry, for admins.

use axum::{Json, extract::State};
use schemas::Position;
use serde_json::{Value, json};

use super::present;
use crate::{
    api::v2::ids::Id,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the entry.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Id(id): Id<Position>) -> ApiResult<Json<Value>> {
    caller.require_overseer()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::audit_log::many(&mut transaction, &caller.resident, &[id.get()]).await?;
    let names = present::names(&mut transaction, &caller.resident, &rows).await?;
    let row = rows.first().ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({"audit_log": present::entry(&caller, row, &names)})))
}
