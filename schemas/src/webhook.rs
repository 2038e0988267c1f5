//! Events of the streams `webhook-<id>`: servers outside that are told what happens.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    events,
    ids::{KeyId, WebhookId},
    values::{WebhookAuthentication, WebhookMethod, WebhookRequestFormat},
};

events! {
    /// What happens to a webhook.
    pub enum WebhookEvent {
        /// It was made.
        "webhook_made" @ 1 => WebhookMade {
            /// The webhook.
            operational webhook: WebhookId,
            /// What it tells, and where.
            content settings: WebhookSettings,
            /// What it proves itself with.
            content secrets: SealedSecrets,
        },
        /// It tells something else, or elsewhere.
        "webhook_changed" @ 1 => WebhookChanged {
            /// All that it is now.
            content settings: WebhookSettings,
            /// All that it proves itself with now.
            content secrets: SealedSecrets,
        },
        /// It signs with another secret.
        "webhook_secret_renewed" @ 1 => WebhookSecretRenewed {
            /// All that it proves itself with now.
            content secrets: SealedSecrets,
        },
        /// It is gone.
        "webhook_deleted" @ 1 => WebhookDeleted {},
    }
}

/// What a webhook tells, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookSettings {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where it tells.
    pub endpoint: String,
    /// With which method.
    pub method: WebhookMethod,
    /// In which form.
    pub format: WebhookRequestFormat,
    /// Whether it is in use.
    pub is_active: bool,
    /// The types of events that it tells, sorted.
    pub subscriptions: Vec<String>,
    /// How it says who it is, if it does.
    pub authentication: Option<WebhookLogin>,
    /// Headers that go along.
    pub headers: BTreeMap<String, String>,
}

/// How a webhook says who it is, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookLogin {
    /// By what.
    pub kind: WebhookAuthentication,
    /// The name that goes along: of the user, or of the header that holds the key.
    pub name: Option<String>,
}

/// Secrets, sealed once more within the event: whoever opens a history to read it does not read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SealedSecrets {
    /// The key they are sealed under.
    pub key_id: KeyId,
    /// Nonce, ciphertext and tag, in base64.
    pub sealed: String,
}
