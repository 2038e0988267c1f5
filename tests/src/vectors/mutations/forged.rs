//! The newest generation of the short archive, made anew by somebody who holds the region's key and does not care for its
//! rules.

use archive::{Checkpoint, Manifest, audit, layout, segment, segment::Record, tile::Tail};
use schemas::{Envelope, Hash, Position};

use crate::vectors::{Files, seal, written::Written};

/// Where the generation's events lie.
pub(super) const SEGMENT: &str = "events/000000000006-000000000008.seg.zst";
/// Its audit lines of the first day.
pub(super) const AUDIT: &str = "audit/2026-11-22/000000000006-000000000006.jsonl.zst";
/// Its manifest.
pub(super) const MANIFEST: &str = "manifest/00000002.json";
/// Its first position.
pub(super) const FIRST: Position = Position::new(6);

/// The generation with other envelopes: a tree, audit lines and signatures that fit them.
pub(super) fn with_envelopes(short: &Written, change: impl Fn(i64, String) -> String) -> Files {
    let mut tail = tail_before(short);
    let mut body = segment::decompress(&short.objects[SEGMENT]).0;
    body.truncate(body.iter().position(|byte| *byte == b'\n').expect("a header") + 1);
    let (mut objects, mut audit) = (short.objects.clone(), audit::Writer::default());
    for event in short.events_of(2) {
        let envelope = String::from_utf8(event.sealed.envelope.associated_data()).expect("JSON is UTF-8");
        let envelope = change(event.position.get(), envelope);
        if let Ok(envelope) = serde_json::from_str(&envelope) {
            audit.push_envelope(event.position, &envelope);
        }
        let (mut entry, payload) = (Vec::new(), &event.sealed.payload);
        let record = Record { envelope: envelope.as_bytes(), payload };
        record.append_entry(&mut entry).expect("it ends in a brace");
        for part in [record.envelope, record.payload] {
            body.extend_from_slice(&(part.len() as u32).to_be_bytes());
            body.extend_from_slice(part);
        }
        let full = tail.push(&entry, Envelope::leaf_of_entry(&entry)).expect("an entry is short");
        assert!(full.is_empty(), "eight entries complete no tile");
    }
    objects.extend(tail.partial().into_iter().map(|object| (object.key, object.bytes)));
    let parts = audit.finish();
    objects.extend(parts.iter().map(|part| (part.key(), part.object().bytes)));
    objects.insert(SEGMENT.into(), segment::compress(&body));
    let (size, root) = (tail.edge().size(), tail.edge().root());
    signed(short, objects, |manifest| {
        (manifest.size, manifest.root) = (size, root);
        for (named, part) in manifest.audit.iter_mut().zip(&parts) {
            named.lines = part.lines;
        }
    })
}

fn tail_before(short: &Written) -> Tail {
    let mut tail = Tail::new();
    for event in short.events_of(1) {
        let entry = event.sealed.envelope.entry(&event.sealed.payload);
        tail.push(&entry, event.sealed.leaf).expect("an entry is short");
    }
    tail
}

/// The objects under a manifest that says something else, with a checkpoint over its tree, all signed.
pub(super) fn signed(short: &Written, mut objects: Files, change: impl FnOnce(&mut Manifest)) -> Files {
    let signer = seal::signer(&short.origin(), false);
    let mut manifest = short.manifest(2);
    for named in &mut manifest.segments {
        let object = &objects[&named.object];
        (named.size_bytes, named.sha256) = (object.len() as u64, Hash::of(&[object]));
    }
    for named in &mut manifest.audit {
        named.sha256 = Hash::of(&[&objects[&named.object]]);
    }
    change(&mut manifest);
    let checkpoint = Checkpoint { origin: short.origin(), size: manifest.size, root: manifest.root };
    manifest.checkpoint = checkpoint.sign(&signer);
    objects.insert(layout::CHECKPOINT.into(), manifest.checkpoint.clone().into_bytes());
    objects.insert(MANIFEST.into(), manifest.sign(&signer));
    objects
}

/// The manifest with another text as its body, signed.
pub(super) fn signed_text(short: &Written, change: impl Fn(&str) -> String) -> Files {
    let mut objects = short.objects.clone();
    let text = String::from_utf8(objects[MANIFEST].clone()).expect("a manifest is text");
    let body = text.strip_prefix("{\"body\":").and_then(|rest| rest.split_once(",\"signature\":"));
    let body = change(body.expect("signed JSON").0);
    let signature = seal::signer(&short.origin(), false).line(&format!("{body}\n"));
    objects.insert(MANIFEST.into(), format!("{{\"body\":{body},\"signature\":\"{signature}\"}}\n").into_bytes());
    objects
}
