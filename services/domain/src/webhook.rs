//! Webhooks: servers outside that are told what happens.
//!
//! ```text
//! nothing --make--> made --change, renew--> … --delete--> deleted   (final)
//! ```
//!
//! What it proves itself with comes here sealed: the rules neither see it nor need it.
//!
//! Files: `check` is what may be said of a webhook, [`Kind`] what it may be told.

mod check;
mod kind;

use schemas::{
    Personal, TenantLogEvent, WebhookId,
    audit::{ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource},
    webhook::{
        SealedSecrets, WebhookChanged, WebhookDeleted, WebhookEvent, WebhookMade, WebhookSecretRenewed, WebhookSettings,
    },
};

pub use self::{check::HEADERS_MAX, kind::Kind};
use crate::{
    aggregate::{Aggregate, changed, said},
    text::Invalid,
};

/// A webhook, or the id of one that nobody made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhook {
    known: Option<Known>,
    is_deleted: bool,
}

/// A webhook that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub webhook: WebhookId,
    /// What it tells, and where.
    pub settings: Personal<WebhookSettings>,
    /// What it proves itself with, sealed.
    pub secrets: Personal<SealedSecrets>,
}

impl Webhook {
    /// What is known of it, while it is there.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref().filter(|_| !self.is_deleted)
    }
}

/// Whether a webhook could be made like this: for one that is tried before there is any.
///
/// # Errors
/// With the first field that holds what it cannot take.
pub fn check(settings: &WebhookSettings) -> Result<(), Rejection> {
    check::settings(settings).map(drop)
}

/// What may be asked of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make it.
    Make(Known),
    /// Let it tell something else, or elsewhere.
    Change {
        /// All that it is to be.
        settings: Personal<WebhookSettings>,
        /// All that it is to prove itself with, if that is new.
        secrets: Option<Personal<SealedSecrets>>,
    },
    /// Let it sign with another secret.
    Renew(Personal<SealedSecrets>),
    /// Delete it.
    Delete,
}

/// Why a webhook refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A field holds what it cannot take.
    #[error("{field}: takes {takes}")]
    Invalid {
        /// The field, as the API calls it.
        field: &'static str,
        /// What it takes.
        takes: String,
    },
    /// There is no such webhook.
    #[error("there is no such webhook")]
    Unknown,
    /// The id is in use.
    #[error("the webhook was made already")]
    AlreadyExists,
}

impl From<Invalid> for Rejection {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        Self::Invalid { field, takes }
    }
}

impl Aggregate for Webhook {
    type Command = Command;
    type Event = WebhookEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<WebhookEvent>, Rejection> {
        match (command, self.known()) {
            (Command::Make(_), _) if self.known.is_some() => Err(Rejection::AlreadyExists),
            (Command::Make(Known { webhook, settings, secrets }), _) => {
                let settings = check::settings(settings.expose())?.into();
                Ok(vec![WebhookMade { webhook: *webhook, settings, secrets: secrets.clone() }.into()])
            }
            (_, None) => Err(Rejection::Unknown),
            (Command::Change { settings, secrets }, Some(known)) => {
                let settings: Personal<_> = check::settings(settings.expose())?.into();
                if settings == known.settings && secrets.is_none() {
                    return Ok(Vec::new());
                }
                let secrets = secrets.clone().unwrap_or_else(|| known.secrets.clone());
                Ok(vec![WebhookChanged { settings, secrets }.into()])
            }
            (Command::Renew(secrets), Some(_)) => Ok(vec![WebhookSecretRenewed { secrets: secrets.clone() }.into()]),
            (Command::Delete, Some(_)) => Ok(vec![WebhookDeleted {}.into()]),
        }
    }

    fn evolve(&mut self, event: &WebhookEvent) {
        match event {
            WebhookEvent::WebhookMade(made) => {
                let WebhookMade { webhook, settings, secrets } = made.clone();
                self.known = Some(Known { webhook, settings, secrets });
            }
            WebhookEvent::WebhookChanged(changed) => {
                if let Some(known) = &mut self.known {
                    known.settings = changed.settings.clone();
                    known.secrets = changed.secrets.clone();
                }
            }
            WebhookEvent::WebhookSecretRenewed(renewed) => {
                if let Some(known) = &mut self.known {
                    known.secrets = renewed.secrets.clone();
                }
            }
            WebhookEvent::WebhookDeleted(_) => self.is_deleted = true,
        }
    }

    fn change(&self, event: &WebhookEvent) -> Option<ChangeNoted> {
        let before = self.known.as_ref();
        let old = before.map(|known| known.settings.expose());
        let (action, webhook, new, changes) = match event {
            WebhookEvent::WebhookMade(made) => {
                let new = made.settings.expose();
                (AuditAction::Create, Some(made.webhook), Some(new), told(None, new))
            }
            WebhookEvent::WebhookChanged(changed) => {
                let new = changed.settings.expose();
                let mut changes = told(old, new);
                if before.is_some_and(|known| known.secrets != changed.secrets) {
                    changes.push(said("authentication"));
                }
                (AuditAction::Update, before.map(|known| known.webhook), Some(new), changes)
            }
            WebhookEvent::WebhookSecretRenewed(_) => {
                (AuditAction::Update, before.map(|known| known.webhook), old, vec![said("signing_secret")])
            }
            WebhookEvent::WebhookDeleted(_) => {
                (AuditAction::Destroy, before.map(|known| known.webhook), old, Vec::new())
            }
        };
        let source_id = webhook.map(WebhookId::get).unwrap_or_default();
        let label = new.map(|settings| settings.name.clone()).unwrap_or_default();
        let source = AuditSource::Webhook;
        Some(ChangeNoted { action, source, source_id, person: None, label: label.into(), changes: changes.into() })
    }

    fn pick(event: TenantLogEvent) -> Option<WebhookEvent> {
        match event {
            TenantLogEvent::Webhook(event) => Some(event),
            _ => None,
        }
    }
}

/// Where data goes, and which, is told in full: that is what the audit log is read for. Of the rest, that it is another.
fn told(old: Option<&WebhookSettings>, new: &WebhookSettings) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let mut full = |name: &str, of: fn(&WebhookSettings) -> String| {
        if old.map(of).as_ref() != Some(&of(new)) {
            changes.push(changed(name, old.map(of), Some(of(new))));
        }
    };
    full("endpoint", |settings| settings.endpoint.clone());
    full("subscriptions", |settings| settings.subscriptions.join(" "));
    full("status", |settings| if settings.is_active { "active".to_owned() } else { "inactive".to_owned() });
    let Some(old) = old else { return changes };
    for (name, is_other) in [
        ("name", old.name != new.name),
        ("description", old.description != new.description),
        ("authentication", old.authentication != new.authentication),
        ("custom_headers", old.headers != new.headers),
    ] {
        if is_other {
            changes.push(said(name));
        }
    }
    changes
}

#[cfg(test)]
mod tests;
