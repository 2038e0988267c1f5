//! Archives, written as the replicator writes them.

use archive::{Generation, Manifest, Object, generation::Step, guide, layout, manifest::Attachment, tile::Tail};
use jiff::{Timestamp, ToSpan};
use schemas::{Hash, Recorded, TenantId};

use super::{
    Files,
    history::{self, Told},
    seal::{self, Who},
};

/// When the first generation was sealed; most others follow by the hour.
const SEALED_AT: &str = "2026-11-23T01:00:00Z";

/// A tenant's archive with its keys.
pub(super) struct Written {
    /// What the vectors call it.
    pub(super) name: &'static str,
    pub(super) tenant_id: TenantId,
    /// The events at the end of each generation.
    sizes: &'static [usize],
    /// The number of the key that signs each generation.
    keys: &'static [u8],
    told: Vec<Told>,
    /// Below the tenant's prefix.
    pub(super) objects: Files,
}

/// 270 events: a full tile, and generations on both sides of its end.
pub(super) fn long() -> Written {
    written(("long", history::tenant_id(1)), (&[3, 260, 270], &[0, 0, 0]), history::long())
}

/// 8 events of every shape in two generations.
pub(super) fn short() -> Written {
    written(("short", history::tenant_id(2)), (&[5, 8], &[0, 0]), history::short())
}

/// 3 events in three generations, each under the key that follows the one before. The last two were sealed in one moment, as where a
/// machine's clock was behind.
pub(super) fn rotated() -> Written {
    written(("rotated", history::tenant_id(3)), (&[1, 2, 3], &[0, 1, 2]), history::rotated())
}

fn written(
    (name, tenant_id): (&'static str, TenantId),
    (sizes, keys): (&'static [usize], &'static [u8]),
    told: Vec<Told>,
) -> Written {
    let mut written = Written { name, tenant_id, sizes, keys, told, objects: Files::new() };
    written.objects = written.objects_signed(false);
    written
}

impl Written {
    /// The log's origin, which everything is signed under.
    pub(super) fn origin(&self) -> String {
        format!("domicile/{}/{}", seal::REGION, self.tenant_id)
    }

    /// The events of a generation, counted from 1.
    pub(super) fn events_of(&self, generation: usize) -> Vec<Recorded> {
        let start = if generation == 1 { 0 } else { self.sizes[generation - 2] };
        self.told[start..self.sizes[generation - 1]].iter().map(|told| told.recorded.clone()).collect()
    }

    /// The leaves of all events.
    pub(super) fn leaves(&self) -> Vec<Hash> {
        self.told.iter().map(|told| told.recorded.sealed.leaf).collect()
    }

    /// The archive, signed by the region's key or a stranger's.
    pub(super) fn objects_signed(&self, is_stranger: bool) -> Files {
        let who = if is_stranger { Who::Stranger } else { Who::Region };
        let mut objects = self.objects_signed_by(|generation| who(self.keys[generation - 1]));
        for (number, key) in self.keys.iter().enumerate().filter(|(_, key)| **key > 0) {
            objects.insert(layout::succession(number as u64), seal::succession(number as u64, who(key - 1), who(*key)));
        }
        objects
    }

    /// The archive without successions, signed as is said of each generation, counted from 1.
    pub(super) fn objects_signed_by(&self, who: impl Fn(usize) -> Who) -> Files {
        let mut objects = Files::new();
        let first = seal::signer_of(&self.origin(), who(1));
        objects.insert(layout::GUIDE.into(), guide::text(first.verifier()).into_bytes());
        let mut put = |object: &Object| drop(objects.insert(object.key.clone(), object.bytes.clone()));
        let (mut tail, mut previous_sha256) = (Tail::new(), None);
        for number in 1..=self.sizes.len() {
            let signer = seal::signer_of(&self.origin(), who(number));
            let step = Step {
                tenant_id: self.tenant_id,
                region: seal::REGION.parse().expect("a region's id"),
                generation: number as u64,
                previous_sha256,
                tail,
                sealed_at: sealed_at(self.hour(number)),
            };
            let generation =
                Generation::build(step, &self.events_of(number), &signer).expect("the events follow the tree");
            put(&generation.segment);
            put(&generation.checkpoint);
            generation.audit.iter().chain(&generation.tree).chain(generation.schemas.values()).for_each(&mut put);
            tail = generation.tail.clone();
            let manifest = generation.manifest(self.attachments(number, &mut put), &signer);
            previous_sha256 = Some(Hash::of(&[&manifest.bytes]));
            put(&manifest);
        }
        objects
    }

    /// In which hour a generation was sealed, both counted from 1.
    fn hour(&self, generation: usize) -> usize {
        if self.name == "rotated" { generation.min(2) } else { generation }
    }

    fn attachments(&self, generation: usize, put: &mut impl FnMut(&Object)) -> Vec<Attachment> {
        let positions: Vec<_> = self.events_of(generation).iter().map(|event| event.position).collect();
        let of_generation = self.told.iter().filter(|told| positions.contains(&told.recorded.position));
        let mut attachments = Vec::new();
        for (blob, sealed) in of_generation.filter_map(|told| told.file.as_ref()) {
            attachments.push(Attachment { blob: *blob, size_bytes: sealed.len() as u64 });
            put(&Object { key: layout::attachment(*blob), bytes: sealed.clone() });
        }
        attachments
    }

    /// The manifest of a generation, as it claims.
    pub(super) fn manifest(&self, generation: u64) -> Manifest {
        Manifest::claimed(&self.objects[&layout::manifest(generation)]).expect("a manifest of ours")
    }

    /// The archive as it lies in the region's bucket, below `bucket/`.
    pub(super) fn files(&self) -> impl Iterator<Item = (String, &Vec<u8>)> {
        let prefix = layout::tenant_prefix(self.tenant_id);
        self.objects.iter().map(move |(key, bytes)| (format!("bucket/{prefix}{key}"), bytes))
    }

    /// The key exports of all generations, by their path.
    pub(super) fn exports(&self) -> Files {
        let export = |number: usize| {
            let start = if number == 1 { 0 } else { self.sizes[number - 2] };
            let told = self.told[start..self.sizes[number - 1]].iter().filter(|told| !told.is_erased);
            let head = self.manifest(number as u64).checkpoint;
            let export = seal::export(self.tenant_id, told.map(|told| told.key.clone()), head);
            (format!("bucket/{}", layout::keys(self.tenant_id, number as u64)), export)
        };
        (1..=self.sizes.len()).map(export).collect()
    }

    /// The events as a reader with the keys prints them, one JSON object a line.
    pub(super) fn opened(&self) -> Vec<u8> {
        let line = |told: &Told| {
            let envelope = String::from_utf8(told.recorded.sealed.envelope.associated_data()).expect("JSON is UTF-8");
            let fields = envelope.trim_start_matches('{').trim_end_matches('}');
            let data = if told.is_erased { "null" } else { &told.data };
            let position = told.recorded.position;
            format!("{{\"position\":{position},{fields},\"data\":{data},\"is_erased\":{}}}\n", told.is_erased)
        };
        self.told.iter().map(line).collect::<String>().into_bytes()
    }
}

/// The time of an hour, counted from 1.
pub(super) fn sealed_at(hour: usize) -> Timestamp {
    SEALED_AT.parse::<Timestamp>().expect("a time") + (hour as i64 - 1).hours()
}
