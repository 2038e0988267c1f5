//! What may be said of a webhook. Whether its address may be reached is for the gate to say, which knows networks.

use schemas::webhook::WebhookSettings;

use super::{Kind, Rejection};
use crate::text;

/// How many headers of its own a webhook sends at most.
pub const HEADERS_MAX: usize = 5;
/// How long an address, a header or a name in one is at most, in bytes.
const BYTES_MAX: usize = 2048;
/// Headers that say how the request itself is to be read, and by whom: not a webhook's to set.
const RESERVED: [&str; 12] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The settings as they are recorded: what is said twice, once.
pub(super) fn settings(said: &WebhookSettings) -> Result<WebhookSettings, Rejection> {
    let mut settings = said.clone();
    settings.name = text::name_of("name")(&said.name)?;
    if said.endpoint.len() > BYTES_MAX {
        return Err(invalid("endpoint", format!("at most {BYTES_MAX} bytes")));
    }
    if let Some(name) = said.subscriptions.iter().find(|name| Kind::named(name).is_none()) {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        return Err(invalid("subscriptions", format!("{}, not {name:?}", known.join(", "))));
    }
    settings.subscriptions.sort_unstable();
    settings.subscriptions.dedup();
    headers(said)?;
    Ok(settings)
}

fn headers(said: &WebhookSettings) -> Result<(), Rejection> {
    let key = said.authentication.as_ref().and_then(|login| login.name.as_deref());
    let is_key =
        said.authentication.as_ref().is_some_and(|login| login.kind == schemas::values::WebhookAuthentication::ApiKey);
    if let Some(name) = key.filter(|_| is_key)
        && !is_free(name)
    {
        return Err(invalid(
            "authentication",
            "data.name: a header's name that requests do not have already".to_owned(),
        ));
    }
    if said.headers.len() > HEADERS_MAX {
        return Err(invalid("custom_headers", format!("at most {HEADERS_MAX} headers")));
    }
    for (name, value) in &said.headers {
        if !is_free(name) {
            return Err(invalid(
                "custom_headers",
                format!("names of headers that requests do not have already, not {name:?}"),
            ));
        }
        if value.len() > BYTES_MAX || value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            return Err(invalid("custom_headers", format!("values of printable ASCII, at most {BYTES_MAX} bytes")));
        }
    }
    Ok(())
}

/// A token (RFC 9110, section 5.6.2) that no part of the product sets.
fn is_free(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(is_token)
        && !RESERVED.contains(&lower.as_str())
        && !lower.starts_with("x-zendesk-")
        && !lower.starts_with("x-domicile-")
        && !lower.starts_with("proxy-")
}

const fn invalid(field: &'static str, takes: String) -> Rejection {
    Rejection::Invalid { field, takes }
}
