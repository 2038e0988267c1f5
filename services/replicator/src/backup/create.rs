//! Take a backup.

use std::collections::BTreeSet;

use archive::{BackupManifest, Object, backup, backup::TenantBackup, checkpoint::origin, layout, merkle};
use bytes::Bytes;
use eventlog::Head;
use futures::{FutureExt, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use regions::{Put, Resident};
use schemas::{Position, TenantId};

use super::scheduled::newest;
use crate::{
    archive_tenant::{archive_tenant, edge_at, manifest_of, newest_manifest},
    deps::ReplicatorDeps,
    error::Error,
    store::TenantObjects,
};

/// Tenants that are flushed at the same time.
const TENANTS_AT_ONCE: usize = 4;
/// By how much clocks of two machines may differ.
pub(super) const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// How far a backup has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Tenants whose archive has reached the cut.
    pub tenants: u64,
    /// Tenants there are.
    pub tenants_total: u64,
    /// Events of those tenants.
    pub events: u64,
    /// Events there are.
    pub events_total: u64,
}

/// Backs the region up: reads the heads of all tenants in one statement, brings every archive up to its head, and writes
/// the signed manifest last. What is appended meanwhile belongs to the next backup. A tenant whose archive cannot be brought
/// there keeps nobody else from being backed up: it stands in the manifest with what was archived before, and the reason. So does
/// one that the newest backup names and the database does not know: nobody leaves a database without a trace, not even by moving,
/// so a database was lost or put back, and what is left of it is not the region.
///
/// # Errors
/// If a store does not answer, or this machine's clock is behind the newest backup; there is no backup then, and what was archived
/// stays archived.
pub async fn create(
    deps: &ReplicatorDeps,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<BackupManifest, Error> {
    create_as(deps, new_id(deps), progress).await
}

/// The same, under an id that was given out before.
pub(super) async fn create_as(
    deps: &ReplicatorDeps,
    backup_id: String,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<BackupManifest, Error> {
    deps.bucket.check_location().await.map_err(Error::Bucket)?;
    let cut_at = deps.clock.now();
    // Read before the heads: whom it names was here before they are read. It names whom the backups before it named.
    let newest = newest(deps).await?;
    check_clock(newest.as_ref(), cut_at)?;
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let heads = eventlog::heads(&mut connection).await.map_err(Error::Log)?;
    drop(connection);
    let lost = lost(newest, &heads);
    let events_total = heads.iter().map(|head| head.position.get() as u64).sum();
    let tenants_total = (heads.len() + lost.len()) as u64;
    let mut now = Progress { tenants: 0, tenants_total, events: 0, events_total };
    progress(now);
    let mut tenants = Vec::with_capacity(heads.len() + lost.len());
    // Collected first: a borrowed closure in a boxed stream asks more of lifetimes than the compiler can see.
    let flushes = heads.into_iter().map(|head| flush(deps, head).boxed());
    let flushes: Vec<_> = flushes.chain(lost.into_iter().map(|named| as_named(deps, named).boxed())).collect();
    let mut flushes = stream::iter(flushes).buffer_unordered(TENANTS_AT_ONCE);
    while let Some(flushed) = flushes.next().await {
        let tenant = flushed?;
        now.tenants += 1;
        now.events += tenant.size;
        progress(now);
        tenants.push(tenant);
    }
    tenants.sort_by_key(|tenant| tenant.tenant_id);
    let signer = deps.ring()?.signer_of_region();
    let manifest = BackupManifest {
        format: backup::FORMAT,
        backup_id,
        region: deps.region.id.clone(),
        cut_at,
        completed_at: deps.clock.now(),
        tenants,
        verifier: signer.verifier().to_string(),
    };
    publish(deps, Object { key: layout::backup(&manifest.backup_id), bytes: manifest.sign(&signer) }).await?;
    deps.metrics.archive_objects.with_label_values(&["backup"]).inc();
    Ok(manifest)
}

/// Refuses to work with a clock that is behind the newest backup: the new one would not be the newest, and a restore would take the
/// other.
fn check_clock(newest: Option<&BackupManifest>, now: Timestamp) -> Result<(), Error> {
    match newest {
        Some(BackupManifest { backup_id, completed_at, .. }) if *completed_at > now + CLOCK_TOLERANCE => {
            Err(Error::ClockBehind { now, backup_id: backup_id.clone(), completed_at: *completed_at })
        }
        _ => Ok(()),
    }
}

/// The tenants of the newest backup that the database does not know. One that had no events and nothing wrong left nothing behind.
fn lost(newest: Option<BackupManifest>, heads: &[Head]) -> Vec<TenantBackup> {
    let known: BTreeSet<_> = heads.iter().map(|head| head.tenant_id).collect();
    let named = newest.into_iter().flat_map(|newest| newest.tenants);
    named.filter(|named| !known.contains(&named.tenant_id) && (named.size > 0 || named.reason.is_some())).collect()
}

/// Writes a manifest, or a report. It may be there: the answer to a first attempt can get lost.
pub(crate) async fn publish(deps: &ReplicatorDeps, manifest: Object) -> Result<(), Error> {
    let bytes = Bytes::from(manifest.bytes);
    if deps.bucket.put_new(&manifest.key, bytes.clone()).await.map_err(Error::Bucket)? == Put::Existed {
        let found = deps.bucket.get(&manifest.key).await.map_err(Error::Bucket)?;
        if found.is_none_or(|found| found.body != bytes) {
            return Err(Error::ObjectDiffers { object: manifest.key });
        }
    }
    Ok(())
}

/// Brings a tenant's archive up to its head at the cut; if that cannot be done for the tenant, says how far it is and why.
async fn flush(deps: &ReplicatorDeps, head: Head) -> Result<TenantBackup, Error> {
    match flush_whole(deps, head).await {
        Err(error) if error.is_of_one() => {
            tracing::error!(tenant.id = %head.tenant_id, error = runtime::chain(&error), "a tenant cannot be backed up");
            as_archived(deps, head, &error).await
        }
        flushed => flushed,
    }
}

/// What was archived of a tenant before, with the reason why it is no more.
async fn as_archived(deps: &ReplicatorDeps, head: Head, error: &Error) -> Result<TenantBackup, Error> {
    let archived = archived(deps, head.tenant_id).await?.unwrap_or_else(|| nothing(head.tenant_id));
    // A tenant that was closed or is being moved, and has everything in its archive, lacks nothing.
    let is_whole = matches!(error, Error::NotAtHome { .. }) && archived.size == head.position.get() as u64;
    Ok(TenantBackup { reason: (!is_whole).then(|| error.chain()), ..archived })
}

/// What is known of a tenant that the database does not know: its archive, and no less than the backup before says.
async fn as_named(deps: &ReplicatorDeps, named: TenantBackup) -> Result<TenantBackup, Error> {
    let error = Error::Lost { tenant_id: named.tenant_id };
    tracing::error!(tenant.id = %named.tenant_id, error = runtime::chain(&error), "a tenant cannot be backed up");
    let archived = archived(deps, named.tenant_id).await?.filter(|archived| archived.size >= named.size);
    Ok(TenantBackup { reason: Some(error.chain()), ..archived.unwrap_or(named) })
}

/// Where the newest manifest of a tenant is; nothing where there is none that can be trusted.
async fn archived(deps: &ReplicatorDeps, tenant_id: TenantId) -> Result<Option<TenantBackup>, Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), tenant_id);
    let newest = match newest_manifest(&objects, (&deps.ring()?, &origin(&deps.region.id, tenant_id))).await {
        Err(error) if error.is_of_one() => None,
        newest => newest?,
    };
    Ok(newest.map(|(manifest, sha256)| TenantBackup {
        tenant_id,
        size: manifest.size,
        root: manifest.root,
        generation: manifest.generation,
        manifest_sha256: Some(sha256),
        reason: None,
    }))
}

fn nothing(tenant_id: TenantId) -> TenantBackup {
    let root = merkle::empty_root();
    TenantBackup { tenant_id, size: 0, root, generation: 0, manifest_sha256: None, reason: None }
}

/// Brings a tenant's archive up to its head at the cut, and says where that is in it.
async fn flush_whole(deps: &ReplicatorDeps, head: Head) -> Result<TenantBackup, Error> {
    let tenant_id = head.tenant_id;
    let resident = deps.resident(tenant_id).await?;
    // Also where there is nothing to archive: it is refused if there once was.
    let archived = archive_tenant(deps, &resident, Some(head.position)).await?;
    if head.position == Position::ZERO {
        return Ok(nothing(tenant_id));
    }
    let reached = TenantBackup {
        tenant_id,
        size: head.position.get() as u64,
        root: archived.root,
        generation: archived.generation,
        manifest_sha256: archived.manifest_sha256,
        reason: None,
    };
    if archived.size == head.position { Ok(reached) } else { within(deps, &resident, reached, archived.size).await }
}

/// The archive went past the cut before this backup came to it: finds the cut in it.
async fn within(
    deps: &ReplicatorDeps,
    resident: &Resident,
    beyond: TenantBackup,
    newest: Position,
) -> Result<TenantBackup, Error> {
    let objects = deps.objects(resident);
    let (ring, origin) = (deps.ring()?, origin(&deps.region.id, resident.tenant_id()));
    let root = edge_at(&objects, beyond.size, newest.get() as u64).await?.root();
    let mut found = TenantBackup { root, ..beyond };
    while found.generation > 1 {
        let (before, sha256) = manifest_of(&objects, (&ring, &origin), found.generation - 1).await?;
        if before.size < found.size {
            break;
        }
        found.generation = before.generation;
        found.manifest_sha256 = Some(sha256);
    }
    Ok(found)
}

/// A name that sorts by time and that a person can type: `20261122T101500Z-3f9a`.
pub(crate) fn new_id(deps: &ReplicatorDeps) -> String {
    let time = deps.clock.now().strftime("%Y%m%dT%H%M%SZ");
    let suffix = deps.ids.uuid().as_u128() & 0xffff;
    format!("{time}-{suffix:04x}")
}
