//! `POST /api/domicile/v1/webhooks/{id}/invocations/{invocation_id}/replay`: has something sent once more, under the same id and key.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use jiff_sqlx::ToSqlx;
use schemas::{
    audit::{ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource},
};
use serde_json::json;

use super::{OfInvocation, known};
use crate::{
    body::RequestPrint,
    caller::Caller,
    execute::note,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
    webhooks::ulid,
};

/// Answers what will be sent. The audit log has it before it is sent.
pub(crate) async fn replay(
    State(desk): State<Desk>,
    caller: Caller,
    OfInvocation(webhook, invocation): OfInvocation,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let (known, _) = known(&desk, &caller, webhook).await?;
    let by = caller.issuer(&desk, &print);
    let id = ulid::of_invocation(webhook, invocation);
    let mut transaction = regions::begin(&desk.pool, &caller.resident).await?;
    let key = ((webhook, invocation), by.at.to_sqlx());
    if !read::webhooks::send_again(&mut transaction, &caller.resident, key).await? {
        return Err(ApiError::not_found());
    }
    let change = ChangeNoted {
        action: AuditAction::Exported,
        source: AuditSource::Webhook,
        source_id: webhook.get(),
        person: None,
        label: known.settings.expose().name.clone().into(),
        changes: vec![FieldChange { field: "invocation".to_owned(), old: None, new: Some(id.clone()) }].into(),
    };
    note(&desk, &by, &change).await?;
    transaction.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"invocation": {"id": id}}))))
}
