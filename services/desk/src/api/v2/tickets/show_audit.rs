//! `GET /api/v2/tickets/{id}/audits/{audit_id}`: what one command changed, for agents.

use axum::{Json, extract::State};
use schemas::TicketId;
use serde_json::{Value, json};

use crate::{
    api::v2::{ids::TwoIds, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the audit.
pub(crate) async fn show_audit(
    State(desk): State<Desk>,
    caller: Caller,
    TwoIds(ticket, audit_id): TwoIds<TicketId, i64>,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::audits::many(&mut transaction, &caller.resident, ticket, &[audit_id]).await?.pop();
    let row = row.ok_or_else(ApiError::not_found)?;
    drop(transaction);
    Ok(Json(json!({"audit": present::audit::one(&desk, &caller, &row).await?})))
}
