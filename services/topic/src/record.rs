//! One event as a record of the topic.
//!
//! | part | what |
//! |---|---|
//! | partition | [`partition_of`](crate::partition_of) |
//! | key | the tenant's id |
//! | value | the event, sealed, in the form of a segment's records (`archive::segment`) |
//! | header `position` | its place in the tenant's log |
//! | header `command-last` | the position of the last event of its command: readers apply whole commands |
//! | header `type` | the type of the event, for people and tools |
//! | header `traceparent` | the W3C trace context of the command, if traced |
//!
//! Headers that are not in the table are passed over.

use archive::segment;
use rdkafka::{
    Message,
    message::{Header, Headers, OwnedHeaders},
};
use schemas::{Position, Recorded, TenantId};

use crate::partition_of;

const POSITION: &str = "position";
const COMMAND_LAST: &str = "command-last";
const TYPE: &str = "type";
const TRACE_PARENT: &str = "traceparent";

/// A record that lies in another partition than its tenant's.
const MISPLACED: &str = "partition";

/// What brokers and batches add to a record, generously.
const OVERHEAD_BYTES: usize = 256;

/// An event that came by the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The event.
    pub recorded: Recorded,
    /// Where its command ends.
    pub command_last: Position,
}

/// A record that is to be published.
#[derive(Debug)]
pub struct Outgoing {
    pub(crate) partition: i32,
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    pub(crate) headers: OwnedHeaders,
}

/// A record that cannot be what it claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong with it: a label of metrics.
    pub reason: &'static str,
    /// Whose it claims to be.
    pub tenant: Option<TenantId>,
    /// Which event it claims to be.
    pub position: Option<Position>,
}

impl Record {
    /// The tenant whose event it is.
    pub const fn tenant(&self) -> TenantId {
        self.recorded.sealed.envelope.tenant_id
    }

    /// Its place in the tenant's log.
    pub const fn position(&self) -> Position {
        self.recorded.position
    }

    /// Whether its command ends with it.
    pub fn ends_command(&self) -> bool {
        self.position() == self.command_last
    }

    /// The form it is published in.
    pub fn encode(&self, partitions: i32) -> Outgoing {
        let envelope = &self.recorded.sealed.envelope;
        let mut value = Vec::with_capacity(self.recorded.sealed.payload.len() + 640);
        segment::append_record(&mut value, &self.recorded);
        let header = |headers: OwnedHeaders, key, value: &str| headers.insert(Header { key, value: Some(value) });
        let mut headers = header(OwnedHeaders::new_with_capacity(4), POSITION, &self.position().to_string());
        headers = header(headers, COMMAND_LAST, &self.command_last.to_string());
        headers = header(headers, TYPE, &envelope.event_type);
        if let Some(trace_parent) = &envelope.trace_parent {
            headers = header(headers, TRACE_PARENT, trace_parent);
        }
        Outgoing { partition: partition_of(self.tenant(), partitions), key: self.tenant().to_string(), value, headers }
    }

    /// Reads a record, of a topic with so many partitions.
    ///
    /// # Errors
    /// What is wrong with it, and whose it claims to be.
    pub fn decode(message: &impl Message, partitions: i32) -> Result<Self, Refused> {
        let key = message.key().and_then(|key| std::str::from_utf8(key).ok());
        let tenant = key.and_then(|key| key.parse::<TenantId>().ok());
        let position = header(message, POSITION);
        let refused = |reason| Refused { reason, tenant, position };
        let tenant = tenant.ok_or(refused("key"))?;
        if partition_of(tenant, partitions) != message.partition() {
            return Err(refused(MISPLACED));
        }
        let position = position.ok_or(refused("header"))?;
        let command_last = header(message, COMMAND_LAST).filter(|last| *last >= position).ok_or(refused("header"))?;
        let recorded = value(message.payload().unwrap_or_default(), position).ok_or(refused("value"))?;
        if recorded.sealed.envelope.tenant_id != tenant {
            return Err(refused("tenant"));
        }
        Ok(Self { recorded, command_last })
    }
}

impl Refused {
    /// Whether it merely lies in another partition than its tenant's, as all do that were published before there were more of
    /// them. It says nothing about those that lie where they should.
    pub(crate) fn is_misplaced(&self) -> bool {
        self.reason == MISPLACED
    }
}

impl Outgoing {
    /// How much of the topic's limit it takes.
    pub fn size_bytes(&self) -> usize {
        let headers = self.headers.iter().map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len));
        self.key.len() + self.value.len() + headers.sum::<usize>() + OVERHEAD_BYTES
    }
}

/// Exactly one event, in canonical form.
fn value(bytes: &[u8], position: Position) -> Option<Recorded> {
    let mut records = segment::records(bytes);
    match (records.next(), records.next()) {
        (Some(Ok(record)), None) => record.recorded(position).ok(),
        _ => None,
    }
}

fn header(message: &impl Message, key: &str) -> Option<Position> {
    let headers = message.headers()?;
    let value = headers.iter().find(|header| header.key == key)?.value?;
    std::str::from_utf8(value).ok()?.parse().ok().filter(|position: &Position| position.get() > 0)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use rdkafka::{Timestamp, message::OwnedMessage};
    use schemas::Sealed;

    use super::*;

    const PARTITIONS: i32 = 12;

    /// The event at a position of a tenant, in a command that ends where it says.
    pub(crate) fn record(tenant: u128, position: i64, command_last: i64) -> Record {
        let envelope = format!(
            r#"{{"tenant_id":"{}","stream":"ticket-1","version":{position},
            "event_id":"018f0000-0000-7000-8000-{position:012}","event_type":"status_set","schema_version":1,
            "recorded_at":"2026-11-22T10:00:00.000001Z","actor":"person-7",
            "command_id":"018f0000-0000-7000-8001-{command_last:012}",
            "trace_parent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "key_id":"018f0000-0000-7000-8000-000000000004"}}"#,
            uuid::Uuid::from_u128(tenant)
        );
        let envelope = serde_json::from_str(&envelope).expect("an envelope");
        let payload = format!("ciphertext of {position}").into_bytes();
        let recorded = Recorded { position: Position::new(position), sealed: Sealed::new(envelope, payload) };
        Record { recorded, command_last: Position::new(command_last) }
    }

    fn message(outgoing: Outgoing) -> OwnedMessage {
        let Outgoing { partition, key, value, headers } = outgoing;
        let topic = "domicile-eu".to_owned();
        let key = Some(key.into_bytes());
        OwnedMessage::new(Some(value), key, topic, Timestamp::NotAvailable, partition, 7, Some(headers))
    }

    fn decode(outgoing: Outgoing) -> Result<Record, Refused> {
        Record::decode(&message(outgoing), PARTITIONS)
    }

    #[test]
    fn a_record_says_what_people_and_tools_look_for() {
        let outgoing = record(5, 41, 42).encode(PARTITIONS);
        assert_eq!((outgoing.partition, outgoing.key.as_str()), (5, "00000000-0000-0000-0000-000000000005"));
        let headers: Vec<_> = outgoing
            .headers
            .iter()
            .map(|header| format!("{}={}", header.key, String::from_utf8_lossy(header.value.unwrap_or_default())))
            .collect();
        let expected = [
            "position=41",
            "command-last=42",
            "type=status_set",
            "traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn unknown_headers_are_passed_over_and_missing_ones_refused() {
        let mut outgoing = record(5, 1, 1).encode(PARTITIONS);
        outgoing.headers = outgoing.headers.insert(Header { key: "tenant-mood", value: Some("sunny") });
        assert_eq!(decode(outgoing), Ok(record(5, 1, 1)));
        for (headers, position) in [
            (OwnedHeaders::new(), None),
            (OwnedHeaders::new().insert(Header { key: POSITION, value: Some("1") }), Some(Position::new(1))),
            (OwnedHeaders::new().insert(Header { key: POSITION, value: Some("-1") }), None),
        ] {
            let outgoing = Outgoing { headers, ..record(5, 1, 1).encode(PARTITIONS) };
            let tenant = Some(record(5, 1, 1).tenant());
            assert_eq!(decode(outgoing), Err(Refused { reason: "header", tenant, position }));
        }
    }

    #[test]
    fn a_record_in_another_place_or_of_another_tenant_is_refused() {
        let reason = |outgoing| decode(outgoing).expect_err("refused").reason;
        assert_eq!(reason(Outgoing { partition: 6, ..record(5, 1, 1).encode(PARTITIONS) }), "partition");
        assert_eq!(reason(Outgoing { key: "acme".to_owned(), ..record(5, 1, 1).encode(PARTITIONS) }), "key");
        let other = record(5 + PARTITIONS as u128, 1, 1).tenant().to_string();
        assert_eq!(reason(Outgoing { key: other, ..record(5, 1, 1).encode(PARTITIONS) }), "tenant");
        let two = [record(5, 1, 1).encode(PARTITIONS).value, record(5, 2, 2).encode(PARTITIONS).value].concat();
        assert_eq!(reason(Outgoing { value: two, ..record(5, 1, 1).encode(PARTITIONS) }), "value");
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(tenant: u128, position in 1..1_000_000_000_i64, rest in 0..1000_i64, payload: Vec<u8>) {
            let mut record = record(tenant, position, position + rest);
            record.recorded.sealed = Sealed::new(record.recorded.sealed.envelope, payload);
            prop_assert_eq!(decode(record.encode(PARTITIONS)), Ok(record));
        }

        #[test]
        fn whatever_comes_is_the_event_another_event_or_refused(
            at in 0..600_usize, flip in 1..=255_u8, cut in proptest::bool::ANY
        ) {
            let original = record(5, 3, 3);
            let mut outgoing = original.encode(PARTITIONS);
            let at = at % outgoing.value.len();
            if cut { outgoing.value.truncate(at) } else { outgoing.value[at] ^= flip }
            // What decodes all the same has another leaf, so the log does not vouch for it.
            if let Ok(decoded) = decode(outgoing) {
                prop_assert_ne!(decoded.recorded.sealed.leaf, original.recorded.sealed.leaf);
            }
        }
    }
}
