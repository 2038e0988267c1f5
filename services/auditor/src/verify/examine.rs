//! Decode a generation's segments: the work that takes the time, without I/O, in threads.

use std::ops::Range;

use archive::{
    audit,
    manifest::Segment,
    segment::{self, Record},
};
use bytes::Bytes;
use schemas::{Envelope, Hash, Position, TenantId};
use serde::Deserialize;

use super::{identity::Identity, load::Loaded};
use crate::report::Wrong;

/// A generation's events, decoded.
#[derive(Default)]
pub(super) struct Examined {
    /// Parallel to the manifest's segments.
    pub(super) segments: Vec<Decoded>,
    /// The audit objects that the events make; only right if every segment is.
    pub(super) audit: Vec<audit::Part>,
}

/// The events of one segment, as far as they could be decoded.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) events: Vec<Event>,
    /// The events' Merkle entries, one after another.
    pub(super) entries: Vec<u8>,
    /// What is wrong with the segment as a whole.
    pub(super) wrong: Option<Wrong>,
}

/// An event.
pub(super) struct Event {
    pub(super) leaf: Hash,
    /// Where its entry lies in [`Decoded::entries`].
    pub(super) entry: Range<usize>,
    /// What its envelope says; nothing if that is no envelope.
    pub(super) facts: Option<Facts>,
}

/// What a verification needs of an envelope.
pub(super) struct Facts {
    pub(super) is_tenants: bool,
    /// Where the stream's name lies in the entry.
    pub(super) stream: Range<usize>,
    pub(super) version: i64,
    pub(super) blob: Option<Hash>,
}

#[derive(Deserialize)]
struct Fields<'entry> {
    tenant_id: &'entry str,
    stream: &'entry str,
    version: i64,
    event_type: &'entry str,
    recorded_at: &'entry str,
    actor: &'entry str,
    command_id: &'entry str,
    #[serde(default)]
    blob: Option<Hash>,
}

/// Whose events they must be; as text, too, for envelopes are compared as text.
#[derive(Clone, Copy)]
struct Tenant<'text> {
    id: TenantId,
    text: &'text str,
}

/// Decodes some generations, each in a thread of its own.
pub(super) fn examine_all(generations: &[Loaded], identity: &Identity) -> Vec<Examined> {
    let tenant = Tenant { id: identity.tenant_id, text: &identity.tenant_id.to_string() };
    if let [only] = generations {
        return vec![examine(only, tenant)];
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            generations.iter().map(|generation| scope.spawn(|| examine(generation, tenant))).collect();
        threads.into_iter().map(|thread| thread.join().expect("decoding reports, it does not panic")).collect()
    })
}

fn examine(loaded: &Loaded, tenant: Tenant<'_>) -> Examined {
    let Ok((manifest, ..)) = &loaded.manifest else { return Examined::default() };
    let mut audit = audit::Writer::default();
    let named = manifest.segments.iter().zip(&loaded.segments);
    let segments = named.map(|(named, object)| decode(named, object.as_ref(), tenant, &mut audit)).collect();
    Examined { segments, audit: audit.finish() }
}

fn decode(named: &Segment, object: Option<&Bytes>, tenant: Tenant<'_>, audit: &mut audit::Writer) -> Decoded {
    let Some(object) = object else { return Decoded { wrong: Some(Wrong::Missing), ..Decoded::default() } };
    let mut decoded = Decoded::default();
    if Hash::of(&[object]) != named.sha256 {
        decoded.wrong = Some(Wrong::HashDiffers);
    }
    // A segment that is not what was signed is still read as far as it goes, to learn where it begins to differ.
    let (body, complete) = segment::decompress(object);
    if complete.is_err() {
        decoded.wrong.get_or_insert_with(|| Wrong::Unreadable("cannot be decompressed to its end".to_owned()));
    }
    let Ok((header, records)) = segment::header(&body) else {
        decoded.wrong.get_or_insert_with(|| Wrong::Unreadable(segment::Error::Header.to_string()));
        return decoded;
    };
    if (header.first, header.last) != (named.first, named.last) {
        decoded.wrong.get_or_insert(Wrong::Belongs("range"));
    }
    if header.tenant_id != tenant.id {
        decoded.wrong.get_or_insert(Wrong::Belongs("tenant"));
    }
    decoded.entries.reserve(body.len());
    for (record, position) in segment::records(records).zip(named.first.get()..) {
        match record {
            Ok(record) => decoded.push(&record, tenant.text, |fields| {
                audit.push(Position::new(position), &fields);
            }),
            Err(error) => {
                decoded.wrong.get_or_insert_with(|| Wrong::Unreadable(error.to_string()));
            }
        }
    }
    let covered = named.last.get() - named.first.get() + 1;
    if decoded.events.len() as u64 != named.count || covered != named.count as i64 {
        decoded.wrong.get_or_insert_with(|| Wrong::Unreadable("holds another number of events than named".to_owned()));
    }
    decoded
}

impl Decoded {
    fn push(&mut self, record: &Record<'_>, tenant_id: &str, audit: impl FnOnce(audit::Facts<'_>)) {
        let start = self.entries.len();
        if record.append_entry(&mut self.entries).is_none() {
            self.wrong.get_or_insert_with(|| Wrong::Unreadable("an envelope is no JSON object".to_owned()));
        }
        let entry = &self.entries[start..];
        let fields = fields(entry);
        if let Some(fields) = &fields {
            let Fields { recorded_at, actor, command_id, event_type, .. } = *fields;
            audit(audit::Facts { recorded_at, actor, command_id, event_type });
        }
        let facts = fields.map(|fields| facts(&fields, entry, tenant_id));
        self.events.push(Event { leaf: Envelope::leaf_of_entry(entry), entry: start..start + entry.len(), facts });
    }

    /// An event's entry.
    pub(super) fn entry(&self, event: &Event) -> &[u8] {
        &self.entries[event.entry.clone()]
    }
}

/// What an entry of the Merkle log says about its event.
pub(super) fn facts_of_entry(entry: &[u8], tenant_id: &str) -> Option<Facts> {
    fields(entry).map(|fields| facts(&fields, entry, tenant_id))
}

fn fields(entry: &[u8]) -> Option<Fields<'_>> {
    serde_json::from_slice(entry).ok()
}

fn facts(fields: &Fields<'_>, entry: &[u8], tenant_id: &str) -> Facts {
    // The field is borrowed from the entry, so the distance of the two is its place.
    let start = fields.stream.as_ptr().addr() - entry.as_ptr().addr();
    Facts {
        is_tenants: fields.tenant_id == tenant_id,
        stream: start..start + fields.stream.len(),
        version: fields.version,
        blob: fields.blob,
    }
}
