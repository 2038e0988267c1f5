//! Verify a backup: every tenant's archive, at the size and root that the backup names, and the exported keys that open it.

mod keys;

use std::collections::BTreeMap;

use archive::{BackupManifest, merkle::proof::Tree};
use auditor::{Options, Report};
use schemas::{Hash, TenantId};

pub use self::keys::{KeyFinding, KeysVerified};
use super::show;
use crate::{deps::ReplicatorDeps, error::Error, prove::verify_pinned, store::TenantObjects};

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
    /// What was found of its keys; nothing for a tenant that had no events.
    pub keys: Option<KeysVerified>,
    /// Whether the backup's generation is still the one it was.
    pub is_generation_same: bool,
}

impl Verified {
    /// Whether nothing is wrong with any tenant.
    pub fn is_clean(&self) -> bool {
        self.tenants.iter().all(TenantVerified::is_clean)
    }

    /// What was not looked at, and of how many tenants: the most first.
    pub fn not_checked(&self) -> Vec<(String, usize)> {
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for what in self.tenants.iter().flat_map(TenantVerified::not_checked) {
            *counted.entry(what).or_default() += 1;
        }
        let mut counted: Vec<_> = counted.into_iter().collect();
        counted.sort_by_key(|(_, tenants)| std::cmp::Reverse(*tenants));
        counted
    }
}

impl TenantVerified {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.is_generation_same
            && self.report.as_ref().is_none_or(Report::is_clean)
            && self.keys.as_ref().is_none_or(KeysVerified::is_clean)
    }

    /// All that is wrong, a line each.
    pub fn findings(&self) -> Vec<String> {
        let replaced = (!self.is_generation_same).then(|| "its manifest is not the one that was backed up".to_owned());
        let archive = self.report.iter().flat_map(|report| &report.findings).map(ToString::to_string);
        let keys = self.keys.iter().flat_map(|keys| &keys.findings).map(ToString::to_string);
        replaced.into_iter().chain(archive).chain(keys).collect()
    }

    /// What was not looked at, a line each.
    pub fn not_checked(&self) -> Vec<String> {
        let archive = self.report.iter().flat_map(|report| &report.not_checked).map(ToString::to_string);
        archive.chain(self.keys.iter().flat_map(|keys| keys.not_checked.iter().cloned())).collect()
    }
}

/// Verifies a backup. `progress` is told after each tenant.
///
/// # Errors
/// If there is no such backup, it is not signed by the region's key, or a store does not answer. An archive or a key that is
/// wrong is no error.
pub async fn verify(
    deps: &ReplicatorDeps,
    backup_id: &str,
    progress: &mut (dyn FnMut(&TenantVerified) + Send),
) -> Result<Verified, Error> {
    let backup = show(deps, backup_id).await?;
    let mut tenants = Vec::with_capacity(backup.tenants.len());
    for tenant in &backup.tenants {
        let objects = TenantObjects::new(deps.bucket.clone(), tenant.tenant_id);
        let mut verified = TenantVerified {
            tenant_id: tenant.tenant_id,
            size: tenant.size,
            report: None,
            keys: None,
            is_generation_same: is_generation_same(&objects, tenant.generation, tenant.manifest_sha256).await?,
        };
        if tenant.size > 0 {
            let expected = Some(Tree { size: tenant.size, root: tenant.root });
            let options = Options { expected, ..Options::default() };
            verified.report = Some(verify_pinned(deps, &objects, (tenant.tenant_id, options)).await?);
            verified.keys = Some(keys::verify(deps, &objects, tenant).await?);
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
