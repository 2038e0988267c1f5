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
    store::TenantObjects,
};

/// The tree head of a generation beyond the newest manifest whose segment is in the bucket, with its note. The segment's events make
/// its tree, and one of the region's keys has signed it: what is left over or was touched is no such generation.
///
/// # Errors
/// If a store does not answer, or the newest manifest is not the region's.
pub async fn under_way(deps: &ReplicatorDeps, tenant_id: TenantId) -> Result<Option<(Checkpoint, String)>, Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), tenant_id);
    let origin = checkpoint::origin(&deps.region.id, tenant_id);
    let newest = newest_manifest(&objects, (&deps.ring()?, &origin)).await?;
    under_way_after(deps, tenant_id, newest.as_ref().map(|(manifest, _)| manifest)).await
}

/// The same, beyond a manifest that is at hand.
pub(crate) async fn under_way_after(
    deps: &ReplicatorDeps,
    tenant_id: TenantId,
    manifest: Option<&Manifest>,
) -> Result<Option<(Checkpoint, String)>, Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), tenant_id);
    let (ring, origin) = (deps.ring()?, checkpoint::origin(&deps.region.id, tenant_id));
    let (generation, size) = manifest.map_or((1, 0), |manifest| (manifest.generation + 1, manifest.size));
    for note in heads(deps, tenant_id, generation).await? {
        let Ok((head, _)) = ring.chain().checkpoint(&origin, &note) else { continue };
        let (first, last) = (Position::new(size as i64 + 1), Position::new(head.size as i64));
        if last < first {
            continue;
        }
        let Some(object) = objects.get(&layout::segment(first, last)).await? else { continue };
        let Ok((_, events)) = segment::read(&object.body) else { continue };
        let mut tree = tree_of(&objects, manifest).await?;
        events.iter().for_each(|event| tree.push(event.sealed.leaf));
        if (tree.size(), tree.root()) == (head.size, head.root) {
            return Ok(Some((head, note)));
        }
    }
    Ok(None)
}

/// The notes beside the keys of a generation. Mostly there are none, so one object is asked for before any are listed.
async fn heads(deps: &ReplicatorDeps, tenant_id: TenantId, generation: u64) -> Result<Vec<String>, Error> {
    let key = layout::keys(tenant_id, generation);
    if deps.bucket.head(&key).await.map_err(Error::Bucket)?.is_none() {
        return Ok(Vec::new());
    }
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
