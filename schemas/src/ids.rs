//! Every id of the product, from one list. An id never crosses a function as a bare `Uuid` or `i64`.

use std::{fmt, str::FromStr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod shown;

pub use shown::{audit_event_id, audit_id, comment_id, position_of_audit, position_of_child, position_of_comment};

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes a UUID made by the `Ids` source.
            pub const fn new(value: Uuid) -> Self { Self(value) }
            /// The UUID, for a store or a wire format.
            pub const fn get(self) -> Uuid { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(formatter) }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId { kind: stringify!($name), takes: "a UUID" })
            }
        }
    )*};
}

macro_rules! number_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Takes a number as a store or a client gives it.
            pub const fn new(value: i64) -> Self { Self(value) }
            /// The number, for a store or a wire format.
            pub const fn get(self) -> i64 { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(formatter) }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse().map(Self).map_err(|_| InvalidId { kind: stringify!($name), takes: "an integer" })
            }
        }
    )*};
}

uuid_ids! {
    /// A tenant, for ever; its slug may change, this never does.
    TenantId;
    /// One event. UUIDv7, so that it sorts by time within a process.
    EventId;
    /// One command: all events of an audit carry it.
    CommandId;
    /// A data key in the vault.
    KeyId;
    /// Work on many things that one request asked for: the id of the command that asked.
    JobId;
    /// A log that was brought back from its archive, once.
    RestoreId;
}

number_ids! {
    /// A place in the tenant's log: dense, from 1, in commit order. 0 is "before the first".
    Position;
    /// A place in a stream, from 1. 0 is "no such stream yet".
    Version;
    /// How often the tenant's home was set, from 1.
    Epoch;
    /// A ticket's number, small and per tenant.
    TicketId;
    /// A field that a tenant made for its tickets.
    TicketFieldId;
    /// A view, a macro: what a tenant says once about its tickets.
    RuleId;
    /// A server outside that is told what happens.
    WebhookId;
    /// That somebody signed in on a page (the id, never the secret).
    SessionId;
    /// A person of a tenant: end user, agent or admin.
    PersonId;
    /// A group of agents.
    GroupId;
    /// An organization that people belong to.
    OrganizationId;
    /// That a person belongs to a group or to an organization.
    MembershipId;
    /// A way to reach a person. That of the address a person came with has the person's own number.
    IdentityId;
    /// A file that was uploaded.
    AttachmentId;
    /// An API token (the id, never the secret).
    TokenId;
}

impl Position {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Version {
    /// A stream without events.
    pub const ZERO: Self = Self(0);

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Epoch {
    /// The epoch of a tenant's first home.
    pub const FIRST: Self = Self(1);
}

/// A text that is no id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: takes {takes}")]
pub struct InvalidId {
    pub(crate) kind: &'static str,
    pub(crate) takes: &'static str,
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident, $takes:literal, $valid:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// What a text must be to be one.
            pub const TAKES: &'static str = $takes;

            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(InvalidId { kind: stringify!($name), takes: $takes }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> { text.parse() }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self { id.0.as_ref().to_owned() }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result { formatter.write_str(&self.0) }
        }
    )*};
}

text_ids! {
    /// A region: `us`, `eu`, `au`, `jp`, or what the deployment's region files name.
    RegionId, "2 to 16 lower-case letters, digits or '-', beginning with a letter", |text| is_label(text, 2, 16);
    /// The name in a tenant's address: a DNS label (RFC 1035), so that `<slug>.<apex>` is a host.
    Slug, "3 to 63 lower-case letters, digits or '-', beginning with a letter and not ending with '-'",
        |text| is_label(text, 3, 63);
}

fn is_label(text: &str, shortest: usize, longest: usize) -> bool {
    (shortest..=longest).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_dns_label() {
        for good in ["acme", "a-1", "a23456789012345678901234567890123456789012345678901234567890123"] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "ab", "-acme", "acme-", "Acme", "a_b", "a.b", "1ab", "a\u{0}b", "é23", &"a".repeat(64)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_slug_from_json_is_checked_too() {
        assert!(serde_json::from_str::<Slug>("\"Not A Slug\"").is_err());
    }
}
