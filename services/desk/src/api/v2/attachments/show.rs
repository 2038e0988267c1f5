//! `GET /api/v2/attachments/{id}`: what is known about a file.
//!
//! Before a comment has claimed it, a file is its uploader's; afterwards it is seen by whoever sees the comment.

use axum::{Json, extract::State};
use schemas::{AttachmentId, TicketId};
use serde_json::{Value, json};

use crate::{
    api::v2::{ids::Id, present},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, attachments::Attachment},
    state::Desk,
};

/// Answers the attachment.
pub(crate) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Id(attachment): Id<AttachmentId>,
) -> ApiResult<Json<Value>> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::attachments::one(&mut transaction, &caller.resident, attachment).await?;
    let row = row.ok_or_else(ApiError::not_found)?;
    if !is_in_sight(&mut transaction, &caller, &row).await? {
        return Err(ApiError::not_found());
    }
    drop(transaction);
    Ok(Json(json!({"attachment": present::attachment::attachment(&desk, &caller, &row).await?})))
}

async fn is_in_sight(conn: &mut sqlx::PgConnection, caller: &Caller, row: &Attachment) -> Result<bool, sqlx::Error> {
    if !caller.is_granted(row.ticket_id) {
        return Ok(false);
    }
    let Some(ticket) = row.ticket_id else { return Ok(row.uploader_id == caller.person.get()) };
    if row.is_public != Some(true) {
        return Ok(caller.is_insider());
    }
    let ticket = read::tickets::one(conn, &caller.resident, caller.sight(), TicketId::new(ticket)).await?;
    Ok(ticket.is_some())
}
