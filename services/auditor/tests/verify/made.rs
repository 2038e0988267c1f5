//! An archive in memory, made as the replicator makes it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use archive::{Generation, Object, Signer, generation::Step, guide, layout, manifest::Attachment, tile::Tail};
use auditor::{Options, Report, Source, source};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use jiff::{Timestamp, ToSpan};
use schemas::{Hash, Position, Recorded, Sealed, TenantId};

/// An archive whose objects a test may touch.
#[derive(Clone, Default)]
pub(crate) struct Made(pub(crate) BTreeMap<String, Vec<u8>>);

impl Source for Made {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
        std::future::ready(Ok(self.0.get(key).cloned().map(Bytes::from))).boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
        std::future::ready(Ok(self.0.keys().cloned().collect())).boxed()
    }
}

pub(crate) fn tenant_id() -> TenantId {
    "018f0000-0000-7000-8000-000000000001".parse().expect("an id")
}

pub(crate) fn signer(seed: u8) -> Signer {
    signer_named(&format!("domicile/eu/{}", tenant_id()), seed)
}

pub(crate) fn signer_named(name: &str, seed: u8) -> Signer {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed has 32 bytes");
    let public_key = pair.public_key().as_ref().try_into().expect("a key has 32 bytes");
    Signer::new(name, public_key, move |message| pair.sign(message).as_ref().try_into().expect("64 bytes"))
}

/// What the file of an event holds; every 50th event has one.
fn file(position: i64) -> Option<Vec<u8>> {
    (position % 50 == 0).then(|| format!("ciphertext of file {position}").into_bytes())
}

pub(crate) fn event(position: i64) -> Recorded {
    let (ticket, version) = ((position - 1) / 3 + 1, (position - 1) % 3 + 1);
    let command = (position - 1) / 2;
    let blob = file(position).map(|file| format!(",\"blob\":\"{}\"", Hash::of(&[&file]))).unwrap_or_default();
    let envelope = format!(
        r#"{{"tenant_id":"{}","stream":"ticket-{ticket}","version":{version},
        "event_id":"018f0000-0000-7000-8000-{position:012}","event_type":"status_set","schema_version":1,
        "recorded_at":"2026-11-2{}T10:00:00.000001Z","actor":"person-7",
        "command_id":"018f0000-0000-7000-8001-{command:012}",
        "key_id":"018f0000-0000-7000-8000-000000000004"{blob}}}"#,
        tenant_id(),
        position / 400,
    );
    let envelope = serde_json::from_str(&envelope).expect("an envelope");
    let payload = format!("ciphertext of {position}, long enough to be told from others").into_bytes();
    Recorded { position: Position::new(position), sealed: Sealed::new(envelope, payload) }
}

pub(crate) fn events(range: std::ops::RangeInclusive<i64>) -> Vec<Recorded> {
    range.map(event).collect()
}

/// The archive of `events`, cut into generations at `sizes`.
pub(crate) fn archive_of(events: &[Recorded], sizes: &[usize], signer: &Signer) -> Made {
    archive_sealed(events, (sizes, |number| Timestamp::UNIX_EPOCH + number.hours()), signer)
}

/// The same, with generations that are sealed when it is said, counted from 0.
pub(crate) fn archive_sealed(
    events: &[Recorded],
    (sizes, sealed_at): (&[usize], impl Fn(i64) -> Timestamp),
    signer: &Signer,
) -> Made {
    let mut made = Made::default();
    made.put(Object { key: layout::GUIDE.into(), bytes: guide::text(signer.verifier()).into_bytes() });
    let (mut tail, mut previous_sha256, mut start) = (Tail::new(), None, 0);
    for (number, size) in sizes.iter().enumerate() {
        let step = Step {
            tenant_id: tenant_id(),
            region: "eu".parse().expect("an id"),
            generation: number as u64 + 1,
            previous_sha256,
            tail,
            sealed_at: sealed_at(number as i64),
        };
        let generation = Generation::build(step, &events[start..*size], signer).expect("builds");
        tail = generation.tail.clone();
        start = *size;
        let objects = [&generation.segment, &generation.checkpoint].into_iter().chain(&generation.audit);
        objects.chain(&generation.tree).chain(generation.schemas.values()).for_each(|object| made.put(object.clone()));
        let mut attachments = Vec::new();
        for (position, blob) in &generation.blobs {
            let bytes = file(position.get()).expect("the event has a file");
            attachments.push(Attachment { blob: *blob, size_bytes: bytes.len() as u64 });
            made.put(Object { key: layout::attachment(*blob), bytes });
        }
        let manifest = generation.manifest(attachments, signer);
        previous_sha256 = Some(Hash::of(&[&manifest.bytes]));
        made.put(manifest);
    }
    made
}

/// 700 events in four generations: 1 to 300, to 512, to 600, to 700.
pub(crate) fn usual() -> Made {
    archive_of(&events(1..=700), &[300, 512, 600, 700], &signer(1))
}

impl Made {
    pub(crate) fn put(&mut self, object: Object) {
        self.0.insert(object.key, object.bytes);
    }

    pub(crate) fn at(&mut self, key: &str) -> &mut Vec<u8> {
        self.0.get_mut(key).unwrap_or_else(|| panic!("the archive holds {key}"))
    }

    pub(crate) async fn verify(&self, options: Options) -> Report {
        auditor::verify(self, &options, &mut |_| ()).await.expect("memory can be read")
    }

    /// Verified with the key it was made with.
    pub(crate) async fn report(&self) -> Report {
        self.verify(pinned(1)).await
    }
}

pub(crate) fn pinned(seed: u8) -> Options {
    Options { verifier: Some(signer(seed).verifier().clone()), threads: 2, ..Options::default() }
}

/// A source that shows a manifest only from the second time on that it is asked for: its writer is between the checkpoint
/// and the manifest.
pub(crate) struct Publishing {
    pub(crate) archive: Made,
    pub(crate) manifest: &'static str,
    pub(crate) asked: AtomicUsize,
}

impl Source for Publishing {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
        let is_hidden = key == self.manifest && self.asked.fetch_add(1, Ordering::Relaxed) == 0;
        if is_hidden { std::future::ready(Ok(None)).boxed() } else { self.archive.get(key) }
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
        let keys = self.archive.0.keys().filter(|key| *key != self.manifest);
        std::future::ready(Ok(keys.cloned().collect())).boxed()
    }
}

/// A source whose archive grows by a generation right after its first object was read.
pub(crate) struct Growing {
    pub(crate) before: Made,
    pub(crate) after: Made,
    pub(crate) reads: AtomicUsize,
}

impl Growing {
    fn now(&self) -> &Made {
        if self.reads.fetch_add(1, Ordering::Relaxed) == 0 { &self.before } else { &self.after }
    }
}

impl Source for Growing {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
        self.now().get(key)
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
        self.now().list()
    }
}
