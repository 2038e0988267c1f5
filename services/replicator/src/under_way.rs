//! A generation that is in the bucket, and that nothing published: its database died between segment and checkpoint.
//!
//! Its segment is written once and stays, so whatever comes next must begin with it. It can: the tree head that the region signed
//! over it lies beside the wrapped keys of its events, which are written before it.

use archive::{Checkpoint, Manifest, checkpoint, layout, segment};
use schemas::{Position, TenantId};
use serde_json::Value;

use crate::{
    archive_tenant::{newest_manifest, tree_of},
    deps::ReplicatorDeps,
    error::Error,
    signing::KeyRing,
    store::TenantObjects,
};

/// The tree head of a generation beyond the newest manifest whose segment is in the bucket, with its note. The segment's events make
/// its tree, and one of the region's keys has signed it: what is left over or was touched is no such generation.
///
/// # Errors
/// If a store does not answer, or the newest manifest is not the region's.
pub async fn under_way(deps: &ReplicatorDeps, tenant_id: TenantId) -> Result<Option<(Checkpoint, String)>, Error> {
    under_way_by(deps, &deps.ring()?, tenant_id).await
}

/// The same, by certain keys.
pub(crate) async fn under_way_by(
    deps: &ReplicatorDeps,
    ring: &KeyRing,
    tenant_id: TenantId,
) -> Result<Option<(Checkpoint, String)>, Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), tenant_id);
    let origin = checkpoint::origin(&deps.region.id, tenant_id);
    let newest = newest_manifest(&objects, (ring, &origin)).await?;
    under_way_after(deps, ring, (tenant_id, newest.as_ref().map(|(manifest, _)| manifest))).await
}

/// The same, beyond a manifest that is at hand.
pub(crate) async fn under_way_after(
    deps: &ReplicatorDeps,
    ring: &KeyRing,
    (tenant_id, manifest): (TenantId, Option<&Manifest>),
) -> Result<Option<(Checkpoint, String)>, Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), tenant_id);
    let (generation, size) = manifest.map_or((1, 0), |manifest| (manifest.generation + 1, manifest.size));
    let segments = segments_after(&objects, size).await?;
    // Mostly there are none, so no head is looked for before.
    if segments.is_empty() {
        return Ok(None);
    }
    let origin = checkpoint::origin(&deps.region.id, tenant_id);
    for note in heads(deps, tenant_id, generation).await? {
        let Ok((head, _)) = ring.chain().checkpoint(&origin, &note) else { continue };
        let is_of_it =
            |key: &&String| layout::segment_range(key).is_some_and(|(_, last)| last.get().unsigned_abs() == head.size);
        let Some(key) = segments.iter().find(is_of_it) else { continue };
        let Some(object) = objects.get(key).await? else { continue };
        let Ok((_, events)) = segment::read(&object.body) else { continue };
        let mut tree = tree_of(&objects, manifest).await?;
        events.iter().for_each(|event| tree.push(event.sealed.leaf));
        if (tree.size(), tree.root()) == (head.size, head.root) {
            return Ok(Some((head, note)));
        }
    }
    Ok(None)
}

/// The segments that begin right after so many events: one listing, of a prefix that none or one object has.
pub(crate) async fn segments_after(objects: &TenantObjects, size: u64) -> Result<Vec<String>, Error> {
    objects.keys(&layout::segments_from(Position::new(size as i64 + 1))).await
}

/// The notes beside the keys of a generation. The export that was the first at its place may have ended; those beside it live on.
async fn heads(deps: &ReplicatorDeps, tenant_id: TenantId, generation: u64) -> Result<Vec<String>, Error> {
    let key = layout::keys(tenant_id, generation);
    let mut heads = Vec::new();
    let prefix = key.strip_suffix(".json").unwrap_or(&key);
    for listed in deps.bucket.list(prefix).await.map_err(Error::Bucket)? {
        let is_of_it = layout::keys_generation(&listed.key) == Some(generation);
        let found = if is_of_it { deps.bucket.get(&listed.key).await.map_err(Error::Bucket)? } else { None };
        let export = found.and_then(|found| serde_json::from_slice::<Value>(&found.body).ok());
        heads.extend(export.and_then(|export| export["head"].as_str().map(str::to_owned)));
    }
    Ok(heads)
}
