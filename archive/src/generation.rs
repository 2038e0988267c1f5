//! One step of the archive: all objects that some new events make.
//!
//! The same events, sealed at the same time by the same key, always make the same objects. That is what lets an interrupted
//! step be finished by doing it again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemas::{Envelope, Hash, Position, Recorded, RegionId, TenantId, TenantLogEvent, published};

use crate::{
    Object, audit,
    checkpoint::{Checkpoint, origin},
    layout,
    manifest::{self, Attachment, AuditSegment, Manifest, Schema, Segment},
    note::Signer,
    segment,
    tile::{Tail, bundle::EntryTooLong},
};

/// Where a step begins.
#[derive(Debug, Clone)]
pub struct Step {
    /// Whose archive.
    pub tenant_id: TenantId,
    /// Where it is at home.
    pub region: RegionId,
    /// The generation this step will be.
    pub generation: u64,
    /// SHA-256 of the previous manifest's object; nothing before the first.
    pub previous_sha256: Option<Hash>,
    /// The tree so far.
    pub tail: Tail,
    /// When the new tree head is, or was, sealed.
    pub sealed_at: Timestamp,
}

/// What a step makes, in the order in which it is to be written.
#[derive(Debug, Clone)]
pub struct Generation {
    /// The events.
    pub segment: Object,
    /// Who did what.
    pub audit: Vec<Object>,
    /// Schemas of the events' types, by `<type>@<version>`.
    pub schemas: BTreeMap<String, Object>,
    /// Files that belong to the events: they must lie in the bucket before the manifest may name them.
    pub blobs: Vec<(Position, Hash)>,
    /// Tiles and bundles.
    pub tree: Vec<Object>,
    /// The checkpoint.
    pub checkpoint: Object,
    /// The tree after the step.
    pub tail: Tail,
    manifest: Manifest,
}

impl Generation {
    /// Makes the objects. The events must follow the tree without a gap, and fit their leaves.
    pub fn build(step: Step, events: &[Recorded], signer: &Signer) -> Result<Self, Error> {
        let first = events.first().ok_or(Error::Nothing)?.position;
        let mut tail = step.tail.clone();
        let mut tree = Vec::new();
        let mut audit = audit::Writer::default();
        for event in events {
            check(&step, &tail, event)?;
            let entry = event.sealed.envelope.entry(&event.sealed.payload);
            if Envelope::leaf_of_entry(&entry) != event.sealed.leaf {
                return Err(Error::LeafDiffers { position: event.position });
            }
            let too_long = |source| Error::Entry { position: event.position, source };
            tree.extend(tail.push(&entry, event.sealed.leaf).map_err(too_long)?);
            audit.push_envelope(event.position, &event.sealed.envelope);
        }
        tree.extend(tail.partial());
        let last = Position::new(first.get() + events.len() as i64 - 1);
        let segment = Object { key: layout::segment(first, last), bytes: segment::write(step.tenant_id, events) };
        let audit = audit.finish();
        let manifest = manifest(&step, &tail, signer);
        let generation = Self {
            audit: audit.iter().map(audit::Part::object).collect(),
            schemas: schemas_of(events),
            blobs: events.iter().filter_map(|event| Some((event.position, event.sealed.envelope.blob?))).collect(),
            tree,
            checkpoint: Object { key: layout::CHECKPOINT.to_owned(), bytes: manifest.checkpoint.clone().into_bytes() },
            tail,
            manifest: Manifest {
                segments: vec![named_segment(&segment, first, last)],
                audit: audit.iter().map(named_audit).collect(),
                ..manifest
            },
            segment,
        };
        Ok(generation)
    }

    /// How many events the archive holds after the step.
    pub fn size(&self) -> u64 {
        self.manifest.size
    }

    /// The root of the tree after the step.
    pub fn root(&self) -> Hash {
        self.manifest.root
    }

    /// The signed manifest: the object that publishes the step. The parts are named as they lie in the bucket, which may hold
    /// the same lines and schemas in other bytes, written by an older program.
    pub fn manifest(mut self, attachments: Vec<Attachment>, signer: &Signer) -> Object {
        self.manifest.segments[0].sha256 = Hash::of(&[&self.segment.bytes]);
        self.manifest.segments[0].size_bytes = self.segment.bytes.len() as u64;
        for (named, object) in self.manifest.audit.iter_mut().zip(&self.audit) {
            named.sha256 = Hash::of(&[&object.bytes]);
        }
        let schemas = self.schemas.iter();
        self.manifest.schemas =
            schemas.map(|(name, object)| Schema { name: name.clone(), sha256: Hash::of(&[&object.bytes]) }).collect();
        self.manifest.attachments = attachments;
        Object { key: layout::manifest(self.manifest.generation), bytes: self.manifest.sign(signer) }
    }
}

fn check(step: &Step, tail: &Tail, event: &Recorded) -> Result<(), Error> {
    let expected = Position::new(tail.edge().size() as i64 + 1);
    if event.position != expected {
        return Err(Error::Gap { expected, actual: event.position });
    }
    if event.sealed.envelope.tenant_id != step.tenant_id {
        return Err(Error::AnotherTenant { position: event.position });
    }
    Ok(())
}

/// The manifest of a step but for its objects.
fn manifest(step: &Step, tail: &Tail, signer: &Signer) -> Manifest {
    let (size, root) = (tail.edge().size(), tail.edge().root());
    let checkpoint = Checkpoint { origin: origin(&step.region, step.tenant_id), size, root };
    Manifest {
        format: manifest::FORMAT,
        generation: step.generation,
        tenant_id: step.tenant_id,
        region: step.region.clone(),
        created_at: step.sealed_at,
        previous_sha256: step.previous_sha256,
        segments: Vec::new(),
        audit: Vec::new(),
        attachments: Vec::new(),
        schemas: Vec::new(),
        size,
        root,
        checkpoint: checkpoint.sign(signer),
        verifier: signer.verifier().to_string(),
    }
}

fn named_segment(segment: &Object, first: Position, last: Position) -> Segment {
    Segment {
        object: segment.key.clone(),
        first,
        last,
        count: (last.get() - first.get() + 1) as u64,
        size_bytes: segment.bytes.len() as u64,
        sha256: Hash::of(&[&segment.bytes]),
    }
}

fn named_audit(part: &audit::Part) -> AuditSegment {
    AuditSegment {
        object: part.key(),
        first: part.first,
        last: part.last,
        lines: part.lines,
        sha256: Hash::of(&[&part.object().bytes]),
    }
}

/// The published schemas of the events' types. A version this program no longer writes was published by the one that did.
fn schemas_of(events: &[Recorded]) -> BTreeMap<String, Object> {
    let used: BTreeSet<_> = events
        .iter()
        .map(|event| (event.sealed.envelope.event_type.as_str(), event.sealed.envelope.schema_version))
        .collect();
    TenantLogEvent::catalogue()
        .filter(|event_type| used.contains(&(event_type.name, event_type.version)))
        .map(|event_type| {
            let name = published::schema_name(event_type.name, event_type.version);
            let mut bytes = serde_json::to_vec_pretty(&published::schema(event_type)).expect("a schema is JSON");
            bytes.push(b'\n');
            (name.clone(), Object { key: layout::schema(&name), bytes })
        })
        .collect()
}

/// Events that cannot be archived.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are none.
    #[error("a generation holds at least one event")]
    Nothing,
    /// A position is missing, or comes twice.
    #[error("position {actual} came where {expected} belongs")]
    Gap {
        /// The position that belongs there.
        expected: Position,
        /// The position that came.
        actual: Position,
    },
    /// An event of another tenant.
    #[error("the event at position {position} is another tenant's")]
    AnotherTenant {
        /// Where.
        position: Position,
    },
    /// The log's row was changed: its leaf is not the hash of its entry.
    #[error("the event at position {position} does not fit its leaf: the row was changed after it was appended")]
    LeafDiffers {
        /// Where.
        position: Position,
    },
    /// An envelope is longer than the Merkle log takes.
    #[error("the envelope at position {position} is too long for the Merkle log")]
    Entry {
        /// Where.
        position: Position,
        /// How long.
        source: EntryTooLong,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        merkle,
        note::tests::signer,
        segment::tests::{events, tenant_id},
    };

    fn step(tail: Tail) -> Step {
        Step {
            tenant_id: tenant_id(),
            region: "eu".parse().expect("an id"),
            generation: 1,
            previous_sha256: None,
            tail,
            sealed_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_step_is_the_same_whenever_it_is_taken_and_the_next_goes_on() {
        let signer = signer("domicile/eu/x", 1);
        let all = events(1..=700);
        let first = Generation::build(step(Tail::new()), &all[..300], &signer).expect("builds");
        let again = Generation::build(step(Tail::new()), &all[..300], &signer).expect("builds");
        assert_eq!(first.clone().manifest(vec![], &signer), again.manifest(vec![], &signer));
        let second = Generation::build(step(first.tail), &all[300..], &signer).expect("builds");
        let leaves: Vec<_> = all.iter().map(|event| event.sealed.leaf).collect();
        assert_eq!((second.size(), second.root()), (700, merkle::root_of(&leaves)));
        assert!(second.schemas.contains_key("status_set@1"));
    }

    #[test]
    fn changed_missing_and_foreign_events_are_refused() {
        let signer = signer("domicile/eu/x", 1);
        let build = |events: &[Recorded]| Generation::build(step(Tail::new()), events, &signer).map(drop);
        let mut changed = events(1..=3);
        changed[1].sealed.payload[0] ^= 1;
        assert!(matches!(build(&changed), Err(Error::LeafDiffers { position }) if position.get() == 2));
        let mut missing = events(1..=3);
        missing.remove(1);
        assert!(matches!(build(&missing), Err(Error::Gap { actual, .. }) if actual.get() == 3));
        let mut foreign = events(1..=3);
        foreign[2].sealed.envelope.tenant_id = "018f0000-0000-7000-8000-00000000000f".parse().expect("an id");
        assert!(matches!(build(&foreign), Err(Error::AnotherTenant { position }) if position.get() == 3));
        assert!(matches!(build(&[]), Err(Error::Nothing)));
    }
}
