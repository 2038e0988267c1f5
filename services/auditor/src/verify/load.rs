//! Read a generation's objects.

use archive::{Manifest, SignedError, layout, manifest::FORMAT};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use schemas::{Hash, Position};

use super::{counted::Counted, identity::Identity};
use crate::{report::Wrong, source::Error};

/// Objects of one generation that are fetched at the same time.
const OBJECTS_AHEAD: usize = 4;
/// What every program that reads JSON can count up to.
pub(crate) const SIZE_MAX: u64 = 1 << 53;

/// A generation as it was found. The lists run parallel to the manifest's.
pub(super) struct Loaded {
    pub(super) generation: u64,
    /// The manifest with the number of the key that signed it and the hash of its object, or why it cannot be trusted.
    pub(super) manifest: Result<(Manifest, usize, Hash), Wrong>,
    pub(super) segments: Vec<Option<Bytes>>,
    pub(super) audit: Vec<Option<Bytes>>,
}

pub(super) async fn load(source: &Counted<'_>, identity: &Identity, generation: u64) -> Result<Loaded, Error> {
    let Some(bytes) = source.get(&layout::manifest(generation)).await? else {
        return Ok(Loaded { generation, manifest: Err(Wrong::Missing), segments: vec![], audit: vec![] });
    };
    // What an untrusted manifest names is not looked at: its positions count as missing.
    let (manifest, key_number) = match open(&bytes, identity, generation) {
        Ok(opened) => opened,
        Err(wrong) => return Ok(Loaded { generation, manifest: Err(wrong), segments: vec![], audit: vec![] }),
    };
    let segments = get_all(source, manifest.segments.iter().map(|segment| segment.object.as_str())).await?;
    let audit = get_all(source, manifest.audit.iter().map(|part| part.object.as_str())).await?;
    Ok(Loaded { generation, manifest: Ok((manifest, key_number, Hash::of(&[&bytes]))), segments, audit })
}

async fn get_all(source: &Counted<'_>, keys: impl Iterator<Item = &str>) -> Result<Vec<Option<Bytes>>, Error> {
    // Collected first: a borrowed closure in a boxed stream asks more of lifetimes than the compiler can see.
    let gets: Vec<_> = keys.map(|key| source.get(key)).collect();
    stream::iter(gets).buffered(OBJECTS_AHEAD).try_collect().await
}

pub(super) fn open(bytes: &[u8], identity: &Identity, generation: u64) -> Result<(Manifest, usize), Wrong> {
    let (manifest, key_number) = identity.keys.manifest(&identity.origin, bytes).map_err(|error| match error {
        SignedError::Json(_) | SignedError::Spelling => Wrong::Unreadable("not the shape of a manifest".to_owned()),
        SignedError::Signature(why) => Wrong::Signature(why.to_string()),
    })?;
    let key = identity.keys.verifiers(&identity.origin).nth(key_number);
    let belongs = [
        (manifest.format == FORMAT, "format"),
        (manifest.tenant_id == identity.tenant_id, "tenant"),
        (manifest.region == identity.region, "region"),
        (manifest.generation == generation, "generation"),
        (key.is_some_and(|key| manifest.verifier == key.to_string()), "key"),
    ];
    match belongs.iter().find(|(fits, _)| !fits) {
        Some((_, what)) => Err(Wrong::Belongs(what)),
        None if !are_numbers_sound(&manifest) => {
            Err(Wrong::Unreadable("its sizes, positions and counts do not fit each other".to_owned()))
        }
        None => Ok((manifest, key_number)),
    }
}

/// Whether everybody may calculate with the numbers. A signature does not say so: anybody can sign with a key of his own.
fn are_numbers_sound(manifest: &Manifest) -> bool {
    let lies_within = |first: Position, last: Position| {
        1 <= first.get() && first <= last && last.get().unsigned_abs() <= manifest.size
    };
    let mut events = 0_u64;
    let are_segments_sound = manifest.segments.iter().all(|segment| {
        events = events.saturating_add(segment.count);
        lies_within(segment.first, segment.last)
            && segment.last.get().abs_diff(segment.first.get()) + 1 == segment.count
    });
    let are_audit_parts_sound = manifest.audit.iter().all(|part| lies_within(part.first, part.last));
    manifest.size <= SIZE_MAX && are_segments_sound && events <= manifest.size && are_audit_parts_sound
}
