//! Webhooks, and what they were told.

use jiff::Timestamp;
use schemas::{WebhookId, values::WebhookAuthentication, webhook::WebhookSettings};
use serde_json::{Value, json};

use super::moment;
use crate::{
    read::webhooks::{Invocation, Webhook},
    webhooks::ulid,
};

/// A webhook as its row has it.
pub(crate) fn webhook(row: &Webhook) -> Value {
    let by = (row.created_by, row.updated_by);
    of(WebhookId::new(row.webhook_id), &row.settings.0, (row.created_at, row.updated_at), by)
}

/// A webhook, made and changed at these moments by these people.
pub(crate) fn of(
    id: WebhookId,
    settings: &WebhookSettings,
    (created_at, updated_at): (Timestamp, Timestamp),
    (created_by, updated_by): (Option<i64>, Option<i64>),
) -> Value {
    let person = |id: Option<i64>| id.unwrap_or_default().to_string();
    let mut shown = json!({
        "id": ulid::of_webhook(id),
        "name": settings.name,
        "description": settings.description.clone().unwrap_or_default(),
        "endpoint": settings.endpoint,
        "http_method": settings.method,
        "request_format": settings.format,
        "status": if settings.is_active { "active" } else { "inactive" },
        "subscriptions": settings.subscriptions,
        "custom_headers": settings.headers,
        "created_at": moment(created_at),
        "created_by": person(created_by),
        "updated_at": moment(updated_at),
        "updated_by": person(updated_by),
    });
    if let Some(login) = &settings.authentication {
        let mut authentication = json!({"type": login.kind, "add_position": "header"});
        match (login.kind, &login.name) {
            (WebhookAuthentication::BasicAuth, Some(name)) => authentication["data"] = json!({"username": name}),
            (WebhookAuthentication::ApiKey, Some(name)) => authentication["data"] = json!({"name": name}),
            _ => {}
        }
        shown["authentication"] = authentication;
    }
    shown
}

/// Something that it was told.
pub(crate) fn invocation(webhook: WebhookId, row: &Invocation) -> Value {
    json!({
        "id": ulid::of_invocation(webhook, row.invocation_id),
        "status": row.status,
        "status_code": row.status_code,
        "latest_completed_at": moment(row.completed_at),
    })
}

/// Headers as lists of attempts show them.
pub(crate) fn headers(headers: &[(String, String)]) -> Value {
    headers.iter().map(|(name, value)| json!({"key": name, "value": value})).collect()
}
