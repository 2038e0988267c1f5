//! Segments: the events of a range of positions, sealed as the log holds them.
//!
//! The object is one zstd frame with a content checksum. Decompressed it is
//!
//! ```text
//! domicile-segment/1 <tenant_id> <first position> <last position>\n
//! ```
//!
//! and then, for each event in the order of positions,
//!
//! ```text
//! 4 bytes   length of the envelope, big endian
//! …         the envelope: compact JSON, byte for byte what the payload's seal and the Merkle leaf are bound to
//! 4 bytes   length of the payload, big endian
//! …         the payload: 12 bytes of nonce, AES-256-GCM ciphertext and tag; associated data is the envelope
//! ```
//!
//! The entry of the Merkle log is the envelope with one more field at its end, `"payload_sha256"`, in lower-case hex.

use std::io::{self, Read, Write};

use schemas::{Envelope, Hash, Position, Recorded, Sealed, TenantId};

/// Events a segment holds at most.
pub const EVENTS_MAX: usize = 10_000;
/// Bytes of envelopes and payloads after which no further event is added to a segment.
pub const BYTES_MAX: usize = 8 << 20;
/// Bytes a reader decompresses at most: a segment at its limit and the largest event on top.
pub const DECOMPRESSED_MAX: u64 = 64 << 20;

const MAGIC: &str = "domicile-segment/1";
const COMPRESSION_LEVEL: i32 = 3;

/// The segment of some events of one tenant, in order and without gaps.
///
/// # Panics
/// If there are no events.
pub fn write(tenant_id: TenantId, events: &[Recorded]) -> Vec<u8> {
    let (first, last) =
        (events.first().expect("a segment holds events"), events.last().expect("a segment holds events"));
    let mut body = format!("{MAGIC} {tenant_id} {} {}\n", first.position, last.position).into_bytes();
    for event in events {
        append_record(&mut body, event);
    }
    compress(&body)
}

/// Appends an event in the form of a segment's records: what [`records`] reads.
pub fn append_record(body: &mut Vec<u8>, event: &Recorded) {
    for part in [event.sealed.envelope.associated_data().as_slice(), &event.sealed.payload] {
        let length = u32::try_from(part.len()).expect("events are bounded far below 4 GiB where they come in");
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(part);
    }
}

/// Compresses with a content checksum. The same bytes come out for the same bytes, within one version of zstd.
pub fn compress(body: &[u8]) -> Vec<u8> {
    let written = (|| {
        let mut encoder = zstd::Encoder::new(Vec::with_capacity(body.len() + 64), COMPRESSION_LEVEL)?;
        encoder.include_checksum(true)?;
        encoder.set_pledged_src_size(Some(body.len() as u64))?;
        encoder.write_all(body)?;
        encoder.finish()
    })();
    written.expect("compressing in memory does not fail")
}

/// Decompresses as much as can be, up to [`DECOMPRESSED_MAX`]. The error says why it is not all.
pub fn decompress(object: &[u8]) -> (Vec<u8>, Result<(), io::Error>) {
    let mut body = Vec::with_capacity(object.len() * 2);
    let mut decoder = match zstd::Decoder::with_buffer(object) {
        Ok(decoder) => decoder.take(DECOMPRESSED_MAX),
        Err(error) => return (body, Err(error)),
    };
    let read = decoder.read_to_end(&mut body).map(drop);
    (body, read)
}

/// The header line of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whose events.
    pub tenant_id: TenantId,
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
}

/// Reads the header of a decompressed segment; gives it and the bytes of the records.
pub fn header(body: &[u8]) -> Result<(Header, &[u8]), Error> {
    let end = body.iter().take(200).position(|byte| *byte == b'\n').ok_or(Error::Header)?;
    let line = std::str::from_utf8(&body[..end]).map_err(|_| Error::Header)?;
    let mut words = line.split(' ');
    let is_ours = words.next() == Some(MAGIC);
    let tenant_id = words.next().and_then(|word| word.parse().ok()).ok_or(Error::Header)?;
    let first = words.next().and_then(|word| word.parse().ok()).ok_or(Error::Header)?;
    let last = words.next().and_then(|word| word.parse().ok()).ok_or(Error::Header)?;
    if !is_ours || words.next().is_some() {
        return Err(Error::Header);
    }
    Ok((Header { tenant_id, first, last }, &body[end + 1..]))
}

/// An event as it lies in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'body> {
    /// Canonical JSON.
    pub envelope: &'body [u8],
    /// Nonce and ciphertext.
    pub payload: &'body [u8],
}

impl Record<'_> {
    /// Appends the entry of the Merkle log to `entries`. `None`, and nothing appended, if the envelope is no JSON object.
    pub fn append_entry(&self, entries: &mut Vec<u8>) -> Option<()> {
        let open = self.envelope.strip_suffix(b"}")?;
        entries.extend_from_slice(open);
        entries.extend_from_slice(b",\"payload_sha256\":\"");
        for byte in Hash::of(&[self.payload]).as_bytes() {
            entries.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        entries.extend_from_slice(b"\"}");
        Some(())
    }

    /// The event, decoded; the envelope must be in canonical form.
    pub fn recorded(&self, position: Position) -> Result<Recorded, Error> {
        let envelope: Envelope = serde_json::from_slice(self.envelope).map_err(Error::Envelope)?;
        if envelope.associated_data() != self.envelope {
            return Err(Error::NotCanonical);
        }
        Ok(Recorded { position, sealed: Sealed::new(envelope, self.payload.to_vec()) })
    }
}

const HEX: [u8; 16] = *b"0123456789abcdef";

/// The records after the header, until the bytes end or no longer make sense.
pub fn records(mut bytes: &[u8]) -> impl Iterator<Item = Result<Record<'_>, Error>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let Some((record, rest)) = record(bytes) else {
            bytes = &[];
            return Some(Err(Error::Cut));
        };
        bytes = rest;
        Some(Ok(record))
    })
}

fn record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (envelope, rest) = part(bytes)?;
    let (payload, rest) = part(rest)?;
    Some((Record { envelope, payload }, rest))
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// All events of a segment, for those who mean to read them rather than to find out what is wrong with them.
pub fn read(object: &[u8]) -> Result<(Header, Vec<Recorded>), Error> {
    let (body, complete) = decompress(object);
    complete.map_err(Error::Compression)?;
    let (header, rest) = header(&body)?;
    let events = records(rest)
        .zip(header.first.get()..)
        .map(|(record, position)| record?.recorded(Position::new(position)))
        .collect::<Result<Vec<_>, _>>()?;
    if events.last().map(|event| event.position) != Some(header.last) {
        return Err(Error::Cut);
    }
    Ok((header, events))
}

/// A segment that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The zstd frame is broken.
    #[error("cannot be decompressed")]
    Compression(#[source] io::Error),
    /// The first line is not a segment's.
    #[error("the first line is not that of a segment")]
    Header,
    /// It ends within an event, or before the last.
    #[error("ends within an event or before the last")]
    Cut,
    /// An envelope has not the shape.
    #[error("an envelope has not the shape of one")]
    Envelope(#[source] serde_json::Error),
    /// An envelope is written in another way than the one its leaf is bound to.
    #[error("an envelope is not in canonical form")]
    NotCanonical,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn tenant_id() -> TenantId {
        "018f0000-0000-7000-8000-000000000001".parse().expect("an id")
    }

    /// Events on ticket streams, three versions each; a command appends two.
    pub(crate) fn events(positions: std::ops::RangeInclusive<i64>) -> Vec<Recorded> {
        positions
            .map(|position| {
                let (ticket, version) = ((position - 1) / 3 + 1, (position - 1) % 3 + 1);
                let command = (position - 1) / 2;
                let envelope = format!(
                    r#"{{"tenant_id":"{}","stream":"ticket-{ticket}","version":{version},
                    "event_id":"018f0000-0000-7000-8000-{position:012}","event_type":"status_set","schema_version":1,
                    "recorded_at":"2026-11-22T10:00:00.000001Z","actor":"person-7",
                    "command_id":"018f0000-0000-7000-8001-{command:012}",
                    "key_id":"018f0000-0000-7000-8000-000000000004"}}"#,
                    tenant_id()
                );
                let envelope = serde_json::from_str(&envelope).expect("an envelope");
                let payload = format!("ciphertext of {position}").into_bytes();
                Recorded { position: Position::new(position), sealed: Sealed::new(envelope, payload) }
            })
            .collect()
    }

    #[test]
    fn events_come_out_as_they_went_in() {
        let events = events(8..=300);
        let (header, read) = read(&write(tenant_id(), &events)).expect("reads");
        assert_eq!(header, Header { tenant_id: tenant_id(), first: Position::new(8), last: Position::new(300) });
        assert_eq!(read, events);
    }

    #[test]
    fn a_record_makes_the_entry_its_leaf_is_of() {
        let events = events(1..=1);
        let (body, complete) = decompress(&write(tenant_id(), &events));
        complete.expect("complete");
        let record = records(header(&body).expect("a header").1).next().expect("one").expect("reads");
        let mut entry = Vec::new();
        record.append_entry(&mut entry).expect("an entry");
        assert_eq!(Envelope::leaf_of_entry(&entry), events[0].sealed.leaf);
    }

    #[test]
    fn the_same_events_are_always_the_same_bytes() {
        assert_eq!(write(tenant_id(), &events(1..=50)), write(tenant_id(), &events(1..=50)));
    }

    #[test]
    fn a_segment_that_was_cut_is_refused() {
        let object = write(tenant_id(), &events(1..=50));
        for length in [0, 1, object.len() / 2, object.len() - 1] {
            assert!(read(&object[..length]).is_err(), "{length}");
        }
        let (body, _) = decompress(&object);
        assert!(matches!(read(&compress(&body[..body.len() - 1])), Err(Error::Cut)));
    }

    #[test]
    fn a_second_spelling_of_an_envelope_is_refused() {
        let event = &events(1..=1)[0];
        let envelope = String::from_utf8(event.sealed.envelope.associated_data()).expect("JSON").replace(':', ": ");
        let record = Record { envelope: envelope.as_bytes(), payload: &event.sealed.payload };
        assert!(matches!(record.recorded(event.position), Err(Error::NotCanonical | Error::Envelope(_))));
    }
}
