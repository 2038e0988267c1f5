//! `POST /api/v2/webhooks/test`: sends something that is about nobody, once, and answers what was answered.
//!
//! With `webhook_id` the webhook is tried as it is, its secrets included; these go nowhere but to its own address. Without, what is sent
//! says where to and how, and the signature is made with a secret that everybody knows. It is checked like one that is made, and counts
//! with what an account that tries the product out is told in a minute.

use axum::{Json, extract::State};
use schemas::{
    audit::{ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource, WebhookMethod, WebhookRequestFormat},
    webhook::WebhookSettings,
};
use serde_json::{Map, Value, json};

use super::{
    known, opened,
    request::{self, Credential},
    write,
};
use crate::{
    api::v2::{page::PageQuery, present},
    body::{Body, Fields},
    caller::Caller,
    execute::note,
    problem::{ApiError, ApiResult},
    state::Desk,
    webhooks::{
        may_try,
        request::{Told, outgoing},
        secrets::Secrets,
        ulid,
    },
};

/// The secret of webhooks that are not made yet: receivers know it, and that it proves nothing.
const SECRET_OF_TESTS: &str = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";
/// How long what is sent may be, in bytes.
const PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// Answers what was answered. The audit log has it before it is sent.
pub(crate) async fn try_out(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    body: Body,
) -> ApiResult<Json<Value>> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let nothing = Map::new();
    let mut fields = match body.object.contains_key("request") {
        true => Fields::root(&body, "request")?,
        false => Fields::new(&nothing, ""),
    };
    let payload = fields.checked("payload", |text| match text.len() <= PAYLOAD_BYTES_MAX {
        true => Ok(text.to_owned()),
        false => Err(format!("takes at most {PAYLOAD_BYTES_MAX} bytes")),
    });
    let webhook = query.get("webhook_id").map(|id| ulid::webhook(id).ok_or_else(ApiError::not_found)).transpose()?;
    let (settings, secrets) = match webhook {
        Some(webhook) => {
            let (known, _) = known(&desk, &caller, webhook).await?;
            let secrets = opened(&desk, &caller, &known).await?;
            (known.settings.into_inner(), secrets)
        }
        None => described(&mut fields, &desk),
    };
    fields.finish()?;
    // One that is made is held against the same.
    domain::webhook::check(&settings)?;
    if write::is_trial(&desk, &caller).await? && !may_try(&desk, &caller.resident, by.at).await? {
        return Err(ApiError::rate_limited(60));
    }
    let source_id = webhook.map(schemas::WebhookId::get).unwrap_or_default();
    let change = ChangeNoted {
        action: AuditAction::Exported,
        source: AuditSource::Webhook,
        source_id,
        person: None,
        label: settings.name.clone().into(),
        changes: vec![FieldChange { field: "test".to_owned(), old: None, new: Some(settings.endpoint.clone()) }].into(),
    };
    note(&desk, &by, &change).await?;
    let told = Told {
        resident: &caller.resident,
        webhook: &webhook.map(ulid::of_webhook).unwrap_or_default(),
        invocation: &by.command_id.to_string(),
        idempotency_key: &by.command_id.to_string(),
        at: by.at,
    };
    let payload = payload.unwrap_or_else(|| json!({"message": "This is a test"}).to_string());
    let answered = desk.gate().send(outgoing(&told, &settings, &secrets, payload)).await;
    let answered =
        answered.map_err(|error| ApiError::invalid("endpoint", format!("endpoint: {error}"), "InvalidValue"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> =
        answered.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    let headers = present::webhook::headers(&headers);
    Ok(Json(json!({"response": {"status_code": answered.status, "headers": headers, "payload": answered.body}})))
}

/// A webhook that is not made: its address, and how it says who it is.
fn described(fields: &mut Fields<'_>, desk: &Desk) -> (WebhookSettings, Secrets) {
    let endpoint = fields.required("endpoint", |url| request::reachable(desk, url)).unwrap_or_default();
    let (authentication, credential) = request::authentication(fields, None);
    let credential = match credential {
        Credential::Said(credential) => credential,
        Credential::Kept => None,
    };
    let settings = WebhookSettings {
        name: "Test".to_owned(),
        description: None,
        endpoint,
        method: fields.word("http_method").unwrap_or(WebhookMethod::Post),
        format: fields.word("request_format").unwrap_or(WebhookRequestFormat::Json),
        is_active: true,
        subscriptions: Vec::new(),
        authentication,
        headers: Default::default(),
    };
    (settings, Secrets { signing: SECRET_OF_TESTS.to_owned(), credential })
}
