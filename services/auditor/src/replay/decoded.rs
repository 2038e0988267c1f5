//! One event, decoded.

use jiff::Timestamp;
use schemas::{Actor, CommandId, EventId, Hash, Personal, Position, Recorded, StreamName, TenantLogEvent, Version};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Payload;

/// Fields that hold credentials. Their values are replaced.
const CREDENTIALS: [&str; 2] = ["phc", "token_sha256"];
const NOT_SHOWN: &str = "(credential, not shown)";

/// An event as a timeline shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decoded {
    /// Its place in the tenant's log.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Of which aggregate.
    pub stream: StreamName,
    /// Its place in the stream.
    pub version: Version,
    /// What kind of fact.
    pub event_type: String,
    /// In which shape it was written.
    pub schema_version: u16,
    /// Who caused it.
    pub actor: Actor,
    /// By which command.
    pub command_id: CommandId,
    /// Its id.
    pub event_id: EventId,
    /// The event that caused the command, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// SHA-256 of the ciphertext of a file that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blob: Option<Hash>,
    /// What happened, in today's shape. Nothing if the payload is erased, sealed or cannot be read.
    #[serde(serialize_with = "exposed")]
    pub data: Option<Personal<Value>>,
    /// Whether the key of the payload was destroyed: a tombstone.
    pub is_erased: bool,
    /// Whether the payload stayed sealed for want of keys.
    pub is_sealed: bool,
    /// Why the payload cannot be read, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

fn exposed<S: Serializer>(data: &Option<Personal<Value>>, serializer: S) -> Result<S::Ok, S::Error> {
    data.as_ref().map(Personal::expose).serialize(serializer)
}

/// Decodes an event with what is known of its payload.
pub fn decode<P: AsRef<[u8]>>(recorded: &Recorded, payload: Payload<P>) -> Decoded {
    let envelope = &recorded.sealed.envelope;
    let (is_erased, is_sealed) = (payload.is_erased(), payload.is_sealed());
    let event = payload
        .open()
        .map(|plaintext| TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, plaintext.as_ref()))
        .transpose();
    let (data, unreadable) = match event {
        Ok(event) => (event.map(|event| Personal::new(shown(&event))), None),
        Err(error) => (None, Some(error.to_string())),
    };
    Decoded {
        position: recorded.position,
        recorded_at: envelope.recorded_at,
        stream: envelope.stream.clone(),
        version: envelope.version,
        event_type: envelope.event_type.clone(),
        schema_version: envelope.schema_version,
        actor: envelope.actor,
        command_id: envelope.command_id,
        event_id: envelope.event_id,
        causation_id: envelope.causation_id,
        blob: envelope.blob,
        data,
        is_erased,
        is_sealed,
        unreadable,
    }
}

/// An event's fields in today's shape, without credentials.
fn shown(event: &TenantLogEvent) -> Value {
    let mut fields: Value = serde_json::from_slice(&event.encode()).expect("an event encodes as JSON");
    for credential in CREDENTIALS {
        if let Some(field) = fields.get_mut(credential) {
            *field = Value::from(NOT_SHOWN);
        }
    }
    fields
}
