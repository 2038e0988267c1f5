//! Events of the streams `audit-<command id>`: from where a command came, and what it changed of the tenant's settings, people and
//! keys. They are appended with the events of that command. Where from and what are two events, because one is about who did it
//! and the other about whom it was done to: each is sealed under that person's key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    events,
    ids::{PersonId, TokenId},
    values::{AuditAction, AuditSource, Means},
};

/// A field that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// Which field.
    pub field: String,
    /// What it held; nothing, if it held nothing or is not told.
    pub old: Option<String>,
    /// What it holds now.
    pub new: Option<String>,
}

events! {
    /// What the audit log is made of.
    pub enum AuditEvent {
        /// Where the command came from. Sealed under the key of who gave it.
        "origin_noted" @ 1 => OriginNoted {
            /// By what they came in.
            operational means: Means,
            /// The API token, if it was one.
            operational token: Option<TokenId>,
            /// Their network address, where the router names it.
            personal address: Option<String>,
            /// What their program calls itself.
            personal client: Option<String>,
        },
        /// The command changed something. Sealed under the key of the person it was done to, if there is one.
        "change_noted" @ 1 => ChangeNoted {
            /// What was done.
            operational action: AuditAction,
            /// To what kind of thing.
            operational source: AuditSource,
            /// To which.
            operational source_id: i64,
            /// The person it was done to, or whose it is.
            operational person: Option<PersonId>,
            /// What people call it.
            personal label: String,
            /// What changed of it.
            personal changes: Vec<FieldChange>,
        },
    }
}
