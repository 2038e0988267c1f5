//! A webhook as a client sends it.

use std::collections::BTreeMap;

use domain::text;
use schemas::{
    values::{WebhookAuthentication, WebhookMethod, WebhookRequestFormat},
    webhook::{WebhookLogin, WebhookSettings},
};
use serde_json::Value;

use crate::{body::Fields, state::Desk};

/// How long a password, a token or a key is at most, in bytes.
const CREDENTIAL_BYTES_MAX: usize = 2048;

/// What a webhook proves itself with, as far as a client said so.
pub(super) enum Credential {
    /// As it is.
    Kept,
    /// This, or nothing.
    Said(Option<String>),
}

/// What a webhook shall be: what is sent, else what it is already. What is wrong is noted in `fields`.
pub(super) fn settings(
    fields: &mut Fields<'_>,
    desk: &Desk,
    now: Option<&WebhookSettings>,
) -> (WebhookSettings, Credential) {
    let name = match now {
        None => fields.required("name", text::name_of("name")),
        Some(_) => fields.checked("name", text::name_of("name")),
    };
    let endpoint = match now {
        None => fields.required("endpoint", |url| reachable(desk, url)),
        Some(_) => fields.checked("endpoint", |url| reachable(desk, url)),
    };
    let description = match fields.has("description") {
        true => fields.string("description").filter(|text| !text.is_empty()).map(str::to_owned),
        false => now.and_then(|now| now.description.clone()),
    };
    for required in ["http_method", "request_format", "status"] {
        if now.is_none() && fields.value(required).is_none() {
            fields.fault(required, "cannot be blank", "BlankValue");
        }
    }
    let is_active = match fields.string("status") {
        None => now.is_none_or(|now| now.is_active),
        Some("active") => true,
        Some("inactive") => false,
        Some(_) => {
            fields.fault("status", "takes active or inactive", "InvalidValue");
            false
        }
    };
    let subscriptions = fields.strings("subscriptions").map(|names| names.into_iter().map(str::to_owned).collect());
    let (authentication, credential) = authentication(fields, now);
    let is_elsewhere = now
        .zip(endpoint.as_deref())
        .filter(|(now, endpoint)| !regions::is_same_server(&now.endpoint, endpoint))
        .map(|(now, _)| now);
    if let Some(now) = is_elsewhere {
        // What was entrusted to one server goes to another only if somebody says it who has it.
        if now.authentication.is_some() && matches!(credential, Credential::Kept) {
            fields.fault("authentication", "cannot be blank: the endpoint is another server", "BlankValue");
        }
        if !now.headers.is_empty() && !fields.has("custom_headers") {
            fields.fault("custom_headers", "cannot be blank: the endpoint is another server", "BlankValue");
        }
    }
    let settings = WebhookSettings {
        name: name.or(now.map(|now| now.name.clone())).unwrap_or_default(),
        description,
        endpoint: endpoint.or(now.map(|now| now.endpoint.clone())).unwrap_or_default(),
        method: fields.word("http_method").or(now.map(|now| now.method)).unwrap_or(WebhookMethod::Post),
        format: fields.word("request_format").or(now.map(|now| now.format)).unwrap_or(WebhookRequestFormat::Json),
        is_active,
        subscriptions: subscriptions.or(now.map(|now| now.subscriptions.clone())).unwrap_or_default(),
        authentication,
        headers: headers(fields, now),
    };
    (settings, credential)
}

/// An address that the gate lets things out to, as far as can be said before its name is looked up.
pub(super) fn reachable(desk: &Desk, url: &str) -> Result<String, regions::Held> {
    desk.gate().check(url).map(|()| url.to_owned())
}

/// Null takes it away. The name without the secret keeps the secret.
pub(super) fn authentication(
    fields: &mut Fields<'_>,
    now: Option<&WebhookSettings>,
) -> (Option<WebhookLogin>, Credential) {
    let now = now.and_then(|now| now.authentication.as_ref());
    if !fields.has("authentication") {
        return match now {
            Some(now) => (Some(now.clone()), Credential::Kept),
            None => (None, Credential::Said(None)),
        };
    }
    let Some(mut sent) = fields.object("authentication") else { return (None, Credential::Said(None)) };
    let kind: Option<WebhookAuthentication> = sent.word("type");
    if let Some(place) = sent.string("add_position")
        && place != "header"
    {
        sent.fault("add_position", "takes header", "InvalidValue");
    }
    let mut said = (None, Credential::Said(None));
    match kind {
        None => sent.fault("type", "takes basic_auth, bearer_token or api_key", "InvalidValue"),
        Some(kind) => {
            let mut data = sent.object("data");
            let (of_name, of_secret) = match kind {
                WebhookAuthentication::BasicAuth => (Some("username"), "password"),
                WebhookAuthentication::BearerToken => (None, "token"),
                WebhookAuthentication::ApiKey => (Some("name"), "value"),
            };
            let mut read = |name: &str| data.as_mut().and_then(|data| data.checked(name, printable));
            let (name, secret) = (of_name.map(&mut read), read(of_secret));
            if let Some(data) = data {
                sent.absorb(data);
            }
            let now = now.filter(|now| now.kind == kind);
            let is_kept = secret.is_none() && now.is_some();
            let name = name.map(|name| name.or(now.and_then(|now| now.name.clone())));
            if name == Some(None) {
                sent.fault(&format!("data.{}", of_name.unwrap_or_default()), "cannot be blank", "BlankValue");
            }
            if secret.is_none() && !is_kept {
                sent.fault(&format!("data.{of_secret}"), "cannot be blank", "BlankValue");
            }
            let login = WebhookLogin { kind, name: name.flatten() };
            said = (Some(login), if is_kept { Credential::Kept } else { Credential::Said(secret) });
        }
    }
    fields.absorb(sent);
    said
}

fn printable(text: &str) -> Result<String, String> {
    let is_good =
        (1..=CREDENTIAL_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_good {
        Ok(text.to_owned())
    } else {
        Err(format!("takes 1 to {CREDENTIAL_BYTES_MAX} printable ASCII characters"))
    }
}

fn headers(fields: &mut Fields<'_>, now: Option<&WebhookSettings>) -> BTreeMap<String, String> {
    const NAME: &str = "custom_headers";
    if !fields.has(NAME) {
        return now.map(|now| now.headers.clone()).unwrap_or_default();
    }
    let read = match fields.value(NAME) {
        None => Some(BTreeMap::new()),
        Some(Value::Object(sent)) => {
            sent.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
        }
        Some(_) => None,
    };
    read.unwrap_or_else(|| {
        fields.fault(NAME, "takes an object of texts", "InvalidFormat");
        BTreeMap::new()
    })
}
