//! Verify a backup: every tenant's archive, at the size and root that the backup names.

use archive::{BackupManifest, checkpoint, merkle::proof::Tree, note::Verifier};
use auditor::{Options, Report};
use schemas::{Hash, TenantId};

use super::show;
use crate::{deps::ReplicatorDeps, error::Error, store::TenantObjects};

/// What a verification of a backup found.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The backup.
    pub backup: BackupManifest,
    /// Every tenant of it.
    pub tenants: Vec<TenantVerified>,
}

/// What was found of one tenant.
#[derive(Debug, Clone)]
pub struct TenantVerified {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// Events the backup has of it.
    pub size: u64,
    /// The auditor's report; nothing for a tenant that had no events.
    pub report: Option<Report>,
    /// Whether the backup's generation is still the one it was.
    pub is_generation_same: bool,
}

impl Verified {
    /// Whether nothing is wrong with any tenant.
    pub fn is_clean(&self) -> bool {
        self.tenants.iter().all(TenantVerified::is_clean)
    }
}

impl TenantVerified {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.is_generation_same && self.report.as_ref().is_none_or(Report::is_clean)
    }
}

/// Verifies a backup. `progress` is told after each tenant.
///
/// # Errors
/// If there is no such backup, it is not signed by the region's key, or a store does not answer. An archive that is wrong
/// is no error.
pub async fn verify(
    deps: &ReplicatorDeps,
    backup_id: &str,
    progress: &mut (dyn FnMut(&TenantVerified) + Send),
) -> Result<Verified, Error> {
    let backup = show(deps, backup_id).await?;
    let region_key = deps.ring()?.chain().newest();
    let mut tenants = Vec::with_capacity(backup.tenants.len());
    for tenant in &backup.tenants {
        let objects = TenantObjects::new(deps.bucket.clone(), tenant.tenant_id);
        let mut verified = TenantVerified {
            tenant_id: tenant.tenant_id,
            size: tenant.size,
            report: None,
            is_generation_same: is_generation_same(&objects, tenant.generation, tenant.manifest_sha256).await?,
        };
        if tenant.size > 0 {
            let options = Options {
                verifier: Some(Verifier::new(checkpoint::region_name(&backup.region), region_key)),
                tenant_id: Some(tenant.tenant_id),
                expected: Some(Tree { size: tenant.size, root: tenant.root }),
                ..Options::default()
            };
            verified.report = Some(auditor::verify(&objects, &options, &mut |_| ()).await.map_err(Error::ReadBack)?);
        }
        progress(&verified);
        tenants.push(verified);
    }
    Ok(Verified { backup, tenants })
}

async fn is_generation_same(objects: &TenantObjects, generation: u64, sha256: Option<Hash>) -> Result<bool, Error> {
    let Some(sha256) = sha256 else { return Ok(true) };
    let manifest = objects.get(&archive::layout::manifest(generation)).await?;
    Ok(manifest.is_some_and(|manifest| Hash::of(&[&manifest.body]) == sha256))
}
