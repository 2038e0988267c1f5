//! The envelope: everything about an event but its payload, in the clear, and how the two are bound together.
//!
//! Three byte strings come from an envelope, all in one canonical form (compact JSON, fields in the order declared here):
//! - the *associated data* of the sealed payload, so that a ciphertext cannot be moved to another place;
//! - the *entry* of the tenant's Merkle log: the same with the SHA-256 of the ciphertext at the end;
//! - the *leaf*: the entry's hash as of RFC 6962, section 2.1, `SHA-256(0x00 || entry)`.
//!
//! The leaf needs no position: the index in the Merkle tree is the position.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{CommandId, EventId, KeyId, PersonId, Position, TenantId, Version},
    stream::StreamName,
};

/// A SHA-256 hash. Written in lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9a-f]{64}$"))]
pub struct Hash([u8; 32]);

impl Hash {
    /// Takes a hash as a store gives it.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of the parts, one after another.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = InvalidHash;
    fn try_from(bytes: &[u8]) -> Result<Self, InvalidHash> {
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Hash {
    type Err = InvalidHash;
    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidHash)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Hash {
    type Error = InvalidHash;
    fn try_from(text: String) -> Result<Self, InvalidHash> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

/// Something that is no SHA-256 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash takes 32 bytes, or 64 hex digits")]
pub struct InvalidHash;

/// Who caused an event. An id, never a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(system|person-[0-9]+)$"))]
pub enum Actor {
    /// A person of the tenant.
    Person(PersonId),
    /// The product itself: signup, reconcilers.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(formatter, "person-{id}"),
            Self::System => formatter.write_str("system"),
        }
    }
}

impl FromStr for Actor {
    type Err = InvalidActor;
    fn from_str(text: &str) -> Result<Self, InvalidActor> {
        match text.strip_prefix("person-") {
            Some(id) => id.parse().map(Self::Person).map_err(|_| InvalidActor),
            None if text == "system" => Ok(Self::System),
            None => Err(InvalidActor),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = InvalidActor;
    fn try_from(text: String) -> Result<Self, InvalidActor> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

/// A text that names no actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an actor takes person-<id> or system")]
pub struct InvalidActor;

/// Everything about an event but its payload. No personal data, no content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Whose event.
    pub tenant_id: TenantId,
    /// Of which aggregate.
    pub stream: StreamName,
    /// Its place in the stream.
    pub version: Version,
    /// Its own id.
    pub event_id: EventId,
    /// What kind of fact.
    pub event_type: String,
    /// In which shape.
    pub schema_version: u16,
    /// When the command read the clock; whole microseconds.
    pub recorded_at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// By which command; all events of an audit share it.
    pub command_id: CommandId,
    /// Which event caused the command, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// The W3C trace context of the command, if traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// Under which data key the payload is sealed.
    pub key_id: KeyId,
    /// SHA-256 of the ciphertext of a file that belongs to the event: the object `attachments/<blob>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<Hash>,
}

/// An entry of the Merkle log, as a reader of an archive finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Everything about the event but its payload.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// SHA-256 of the sealed payload.
    pub payload_sha256: Hash,
}

impl Envelope {
    /// The associated data of the sealed payload.
    pub fn associated_data(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an envelope always has a JSON form")
    }

    /// The entry of the Merkle log for this envelope and its sealed payload.
    pub fn entry(&self, sealed_payload: &[u8]) -> Vec<u8> {
        // The associated data ends in '}'; the entry is the same object with one more field.
        let mut entry = self.associated_data();
        entry.pop();
        entry.extend_from_slice(format!(",\"payload_sha256\":\"{}\"}}", Hash::of(&[sealed_payload])).as_bytes());
        entry
    }

    /// The leaf of an entry (RFC 6962, section 2.1).
    pub fn leaf_of_entry(entry: &[u8]) -> Hash {
        Hash::of(&[&[0], entry])
    }
}

/// An event ready to be appended: its payload is ciphertext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Everything but the payload.
    pub envelope: Envelope,
    /// Nonce and ciphertext.
    pub payload: Vec<u8>,
    /// The hash of its entry.
    pub leaf: Hash,
}

impl Sealed {
    /// Binds an envelope and a sealed payload together.
    pub fn new(envelope: Envelope, payload: Vec<u8>) -> Self {
        let leaf = Envelope::leaf_of_entry(&envelope.entry(&payload));
        Self { envelope, payload, leaf }
    }
}

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the tenant's log.
    pub position: Position,
    /// The event.
    pub sealed: Sealed,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        serde_json::from_str(
            r#"{"tenant_id":"018f0000-0000-7000-8000-000000000001","stream":"ticket-42","version":3,
                "event_id":"018f0000-0000-7000-8000-000000000002","event_type":"comment_added","schema_version":2,
                "recorded_at":"2026-11-22T10:00:00.000001Z","actor":"person-7",
                "command_id":"018f0000-0000-7000-8000-000000000003","key_id":"018f0000-0000-7000-8000-000000000004"}"#,
        )
        .expect("an envelope")
    }

    #[test]
    fn the_entry_is_the_envelope_with_the_hash_of_the_ciphertext() {
        let entry = envelope().entry(b"ciphertext");
        let read: Entry = serde_json::from_slice(&entry).expect("an entry");
        assert_eq!(read.envelope, envelope());
        assert_eq!(read.payload_sha256, Hash::of(&[b"ciphertext"]));
        assert_eq!(serde_json::to_vec(&read).expect("JSON"), entry, "the canonical form reads back to itself");
    }

    #[test]
    fn the_leaf_changes_with_every_part() {
        let original = Sealed::new(envelope(), b"a".to_vec()).leaf;
        assert_ne!(original, Sealed::new(envelope(), b"b".to_vec()).leaf);
        let moved = Envelope { version: Version::new(4), ..envelope() };
        assert_ne!(original, Sealed::new(moved, b"a".to_vec()).leaf);
    }
}
