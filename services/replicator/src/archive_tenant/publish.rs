//! Write a generation's objects, in the order that makes every crash harmless.

use std::collections::BTreeSet;

use archive::{Generation, Object, guide, layout, manifest::Attachment};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use regions::{Put, Resident};
use runtime::crash;
use schemas::{Hash, Recorded};

use super::standing::{Published, Standing, manifest_of};
use crate::{
    deps::ReplicatorDeps,
    error::Error,
    signing::KeyRing,
    store::{TenantObjects, Wrote},
};

/// Objects that are written or asked for at the same time.
const OBJECTS_AT_ONCE: usize = 8;

/// A generation that is sealed and may be written.
pub(super) struct Ready<'run> {
    pub(super) generation: Generation,
    pub(super) events: &'run [Recorded],
    pub(super) attachments: Vec<Attachment>,
    pub(super) ring: &'run KeyRing,
}

/// The files of the events, each found in the bucket: a manifest must not name what is not there.
pub(super) async fn attachments_of(objects: &TenantObjects, events: &[Recorded]) -> Result<Vec<Attachment>, Error> {
    let mut blobs: Vec<_> =
        events.iter().filter_map(|event| Some((event.position, event.sealed.envelope.blob?))).collect();
    blobs.dedup_by_key(|(_, blob)| *blob);
    let find = |(position, blob)| {
        let found = async move {
            let size_bytes = objects.size(&layout::attachment(blob)).await?;
            let size_bytes = size_bytes.ok_or(Error::AttachmentMissing { position, blob })?;
            Ok(Attachment { blob, size_bytes })
        };
        found.boxed()
    };
    let found: Vec<_> = blobs.into_iter().map(find).collect();
    stream::iter(found).buffered(OBJECTS_AT_ONCE).try_collect().await
}

pub(super) async fn publish(
    deps: &ReplicatorDeps,
    resident: &Resident,
    standing: &Standing,
    ready: Ready<'_>,
) -> Result<(), Error> {
    let Ready { mut generation, events, attachments, ring } = ready;
    let objects = deps.objects(resident);
    let signer = ring.signer_of(resident.tenant_id());
    // The keys first, with the head they belong to: a segment whose database dies now is proven by it, and opens.
    export_keys(deps, resident, (standing.generation() + 1, &generation), events).await?;
    let wrote = objects.put_compressed(&mut generation.segment).await?;
    count(deps, "segment", &wrote);
    // A crash from here to the manifest leaves objects that nothing names: the next call finds them and writes the rest.
    crash::point("replicator.segment");
    for part in &mut generation.audit {
        count(deps, "audit", &objects.put_compressed(part).await?);
    }
    for schema in generation.schemas.values_mut() {
        let wrote = objects.put(schema).await?;
        count(deps, "schema", &wrote);
        if let Wrote::Differs(found) = wrote {
            if !is_published(&objects, (ring, signer.verifier().name()), standing, (&schema.key, &found)).await? {
                return Err(Error::ObjectDiffers { object: schema.key.clone() });
            }
            schema.bytes = found.into();
        }
    }
    if standing.manifest.is_none() {
        let guide = guide::text(signer.verifier()).into_bytes();
        count(deps, "guide", &objects.put(&Object { key: layout::GUIDE.to_owned(), bytes: guide }).await?);
    }
    write_successions(deps, &objects, ring).await?;
    write_tree(deps, &objects, &generation.tree).await?;
    crash::point("replicator.tiles");
    move_checkpoint(&objects, standing, &generation, ring).await?;
    // A crash here leaves a checkpoint ahead of its manifest: the next call sees that it is the sealed head's.
    crash::point("replicator.checkpoint");
    let manifest = generation.manifest(attachments, &signer);
    match objects.put(&manifest).await? {
        // Another process has published the same generation under another key: what it is, the next look says.
        Wrote::Differs(_) => Err(Error::Contended),
        wrote => {
            count(deps, "manifest", &wrote);
            Ok(())
        }
    }
}

/// How each key that has signed here followed the one before: with any of them, a copy of the archive is checked whole.
pub(super) async fn write_successions(
    deps: &ReplicatorDeps,
    objects: &TenantObjects,
    ring: &KeyRing,
) -> Result<(), Error> {
    for (statement, number) in ring.successions().iter().zip(1..) {
        let object = Object { key: layout::succession(number), bytes: statement.to_vec() };
        count(deps, "succession", &objects.put_exactly(&object).await?);
    }
    Ok(())
}

/// Whether an earlier generation names these bytes: an older program described the same version in other words, and what is
/// published stays. Anything else at a schema's key is not ours to sign. The newest generations are asked first, so that a
/// program that differs finds its answer in the generation it continued, or in few before.
async fn is_published(
    objects: &TenantObjects,
    keys: (&KeyRing, &str),
    standing: &Standing,
    (key, found): (&str, &Bytes),
) -> Result<bool, Error> {
    for generation in (1..=standing.generation()).rev() {
        let (manifest, _) = manifest_of(objects, keys, generation).await?;
        if let Some(schema) = manifest.schemas.iter().find(|schema| layout::schema(&schema.name) == key) {
            return Ok(schema.sha256 == Hash::of(&[found]));
        }
    }
    Ok(false)
}

async fn write_tree(deps: &ReplicatorDeps, objects: &TenantObjects, tree: &[Object]) -> Result<(), Error> {
    let writes: Vec<_> = tree.iter().map(|object| objects.put_exactly(object).boxed()).collect();
    let mut written = stream::iter(writes).buffer_unordered(OBJECTS_AT_ONCE);
    while let Some(wrote) = written.try_next().await? {
        count(deps, "tree", &wrote);
    }
    Ok(())
}

/// Moves the checkpoint from the one that was found. Whoever moved it meanwhile has moved it to the same place, or this
/// replicator works from an old state and must look again.
async fn move_checkpoint(
    objects: &TenantObjects,
    standing: &Standing,
    generation: &Generation,
    ring: &KeyRing,
) -> Result<(), Error> {
    let published = standing.checkpoint.as_ref();
    let is_there = |published: &Published| {
        published.checkpoint.size == generation.size() && published.key_number == ring.chain().newest_number()
    };
    if published.is_some_and(is_there) {
        return Ok(());
    }
    let etag = published.map(|published| published.etag.as_str());
    if objects.swap(&generation.checkpoint, etag).await? { Ok(()) } else { Err(Error::Contended) }
}

/// The wrapped keys that the new events need, outside of the archive: they live shorter than it does, so that a destroyed
/// key does not survive in it. With them the signed head that was sealed over the events: nothing else tells of it until the
/// checkpoint is published.
///
/// What is there from an interrupted step stays. Where another database has died with a generation of this number, its export
/// stays too, and this one goes beside it.
async fn export_keys(
    deps: &ReplicatorDeps,
    resident: &Resident,
    (number, generation): (u64, &Generation),
    events: &[Recorded],
) -> Result<(), Error> {
    let (tenant_id, bucket) = (resident.tenant_id(), &deps.bucket);
    let key_ids: BTreeSet<_> = events.iter().map(|event| event.sealed.envelope.key_id).collect();
    let key_ids: Vec<_> = key_ids.into_iter().collect();
    let mut keys = deps.vault.export_of(resident, &key_ids).await.map_err(Error::Keys)?;
    keys["head"] = String::from_utf8_lossy(&generation.checkpoint.bytes).into();
    let (key, bytes) = (layout::keys(tenant_id, number), Bytes::from(keys.to_string()));
    if bucket.put_short_lived(&key, bytes.clone()).await.map_err(Error::Bucket)? == Put::Existed
        && bucket.get(&key).await.map_err(Error::Bucket)?.is_none_or(|found| found.body != bytes)
    {
        let beside = layout::keys_beside(tenant_id, number, generation.root());
        bucket.put_short_lived(&beside, bytes).await.map_err(Error::Bucket)?;
    }
    deps.metrics.archive_objects.with_label_values(&["keys"]).inc();
    Ok(())
}

fn count(deps: &ReplicatorDeps, kind: &str, wrote: &Wrote) {
    if *wrote == Wrote::New {
        deps.metrics.archive_objects.with_label_values(&[kind]).inc();
    }
}
