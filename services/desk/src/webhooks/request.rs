//! A request as it is sent: the headers that its receivers rely on, and the signature.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use axum::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use regions::{Outgoing, Resident};
use schemas::{DataClass, values::WebhookAuthentication, webhook::WebhookSettings};

use super::secrets::Secrets;

/// What every telling of an event holds.
const CLASSES: &[DataClass] = &[DataClass::Personal, DataClass::Content, DataClass::Operational, DataClass::Routing];

/// Who tells, and what about: as the headers say it.
pub(crate) struct Told<'a> {
    /// The tenant.
    pub(crate) resident: &'a Resident,
    /// The webhook's id as clients know it.
    pub(crate) webhook: &'a str,
    /// The invocation's.
    pub(crate) invocation: &'a str,
    /// What is the same each time the same is told.
    pub(crate) idempotency_key: &'a str,
    /// When.
    pub(crate) at: Timestamp,
}

/// The request.
pub(crate) fn outgoing(told: &Told<'_>, settings: &WebhookSettings, secrets: &Secrets, body: String) -> Outgoing {
    let mut headers = shown(told, settings);
    headers.push(("X-Zendesk-Webhook-Signature".to_owned(), signature(&secrets.signing, told.at, &body)));
    headers.extend(credential(settings, secrets));
    let headers = headers.iter().filter_map(|(name, value)| {
        let (name, mut value) = regions::header(name, value)?;
        value.set_sensitive(true);
        Some((name, value))
    });
    let (url, method) = (settings.endpoint.clone(), Method::POST);
    Outgoing { classes: CLASSES, url, method, headers: headers.collect(), body }
}

/// The headers without secrets: what the list of attempts shows.
pub(crate) fn shown(told: &Told<'_>, settings: &WebhookSettings) -> Vec<(String, String)> {
    let own = settings.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
    let ours = [
        ("Content-Type", "application/json; charset=utf-8".to_owned()),
        ("User-Agent", "Zendesk Webhook".to_owned()),
        ("X-Zendesk-Account-Id", told.resident.tenant_id().to_string()),
        ("X-Zendesk-Webhook-Id", told.webhook.to_owned()),
        ("X-Zendesk-Webhook-Invocation-Id", told.invocation.to_owned()),
        ("X-Zendesk-Webhook-Signature-Timestamp", stamp(told.at)),
        ("Idempotency-Key", told.idempotency_key.to_owned()),
    ];
    own.chain(ours.map(|(name, value)| (name.to_owned(), value))).collect()
}

/// Base64 of the HMAC-SHA256 of timestamp and body.
fn signature(secret: &str, at: Timestamp, body: &str) -> String {
    let key = Key::new(HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(sign(&key, format!("{}{body}", stamp(at)).as_bytes()))
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn credential(settings: &WebhookSettings, secrets: &Secrets) -> Option<(String, String)> {
    let (login, secret) = (settings.authentication.as_ref()?, secrets.credential.as_deref()?);
    let name = login.name.clone().unwrap_or_default();
    Some(match login.kind {
        WebhookAuthentication::BasicAuth => {
            ("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(format!("{name}:{secret}"))))
        }
        WebhookAuthentication::BearerToken => ("Authorization".to_owned(), format!("Bearer {secret}")),
        WebhookAuthentication::ApiKey => (name, secret.to_owned()),
    })
}
