//! Take a backup.

use archive::{BackupManifest, backup, backup::TenantBackup, layout};
use bytes::Bytes;
use eventlog::Head;
use futures::{StreamExt, stream};
use regions::{Put, Resident};
use schemas::Position;

use crate::{
    archive_tenant::{archive_tenant, edge_at, manifest_of},
    deps::ReplicatorDeps,
    error::Error,
};

/// Tenants that are flushed at the same time.
const TENANTS_AT_ONCE: usize = 4;

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
/// the signed manifest last. What is appended meanwhile belongs to the next backup.
///
/// # Errors
/// If any tenant's archive cannot be brought up to the cut; there is no backup then, and what was archived stays archived.
pub async fn create(
    deps: &ReplicatorDeps,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<BackupManifest, Error> {
    deps.bucket.check_location().await.map_err(Error::Bucket)?;
    let cut_at = deps.clock.now();
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let heads = eventlog::heads(&mut connection).await.map_err(Error::Log)?;
    drop(connection);
    let events_total = heads.iter().map(|head| head.position.get() as u64).sum();
    let mut now = Progress { tenants: 0, tenants_total: heads.len() as u64, events: 0, events_total };
    progress(now);
    let mut tenants = Vec::with_capacity(heads.len());
    let mut flushes = stream::iter(heads).map(|head| flush(deps, head)).buffer_unordered(TENANTS_AT_ONCE);
    while let Some(flushed) = flushes.next().await {
        let tenant = flushed?;
        now.tenants += 1;
        now.events += tenant.size;
        progress(now);
        tenants.push(tenant);
    }
    tenants.sort_by_key(|tenant| tenant.tenant_id);
    let signer = deps.signer_of_region();
    let manifest = BackupManifest {
        format: backup::FORMAT,
        backup_id: backup_id(deps),
        region: deps.region.id.clone(),
        cut_at,
        completed_at: deps.clock.now(),
        tenants,
        verifier: signer.verifier().to_string(),
    };
    let object = layout::backup(&manifest.backup_id);
    let put = deps.bucket.put_new(&object, Bytes::from(manifest.sign(&signer))).await.map_err(Error::Bucket)?;
    if put == Put::Existed {
        return Err(Error::ObjectDiffers { object });
    }
    deps.metrics.archive_objects.with_label_values(&["backup"]).inc();
    Ok(manifest)
}

/// Brings a tenant's archive up to its head at the cut, and says where that is in it.
async fn flush(deps: &ReplicatorDeps, head: Head) -> Result<TenantBackup, Error> {
    let tenant_id = head.tenant_id;
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let resident = Resident::prove_id(&mut connection, &deps.region.id, tenant_id).await;
    drop(connection);
    let resident = resident.map_err(Error::Database)?.ok_or(Error::NotAtHome { tenant_id })?;
    if head.position == Position::ZERO {
        let root = archive::merkle::empty_root();
        return Ok(TenantBackup { tenant_id, size: 0, root, generation: 0, manifest_sha256: None });
    }
    let archived = archive_tenant(deps, &resident, Some(head.position)).await?;
    let reached = TenantBackup {
        tenant_id,
        size: head.position.get() as u64,
        root: archived.root,
        generation: archived.generation,
        manifest_sha256: archived.manifest_sha256,
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
    let verifier = deps.signer_of(resident).verifier().clone();
    let root = edge_at(&objects, beyond.size, newest.get() as u64).await?.root();
    let mut found = TenantBackup { root, ..beyond };
    while found.generation > 1 {
        let (before, sha256) = manifest_of(&objects, &verifier, found.generation - 1).await?;
        if before.size < found.size {
            break;
        }
        found.generation = before.generation;
        found.manifest_sha256 = Some(sha256);
    }
    Ok(found)
}

/// A name that sorts by time and that a person can type: `20261122T101500Z-3f9a`.
fn backup_id(deps: &ReplicatorDeps) -> String {
    let time = deps.clock.now().strftime("%Y%m%dT%H%M%SZ");
    let suffix = deps.ids.uuid().as_u128() & 0xffff;
    format!("{time}-{suffix:04x}")
}
