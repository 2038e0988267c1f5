//! The manifest of a region's backup: where each tenant's archive stood at one moment.
//!
//! A backup copies nothing: the archives are written once and hold every event up to the sizes named here. It is signed
//! JSON, like a tenant's manifest, under the region's name.

use jiff::Timestamp;
use schemas::{Hash, RegionId, TenantId};
use serde::{Deserialize, Serialize};

use crate::signed::signed_json;

/// The version of the format.
pub const FORMAT: u16 = 1;

/// A region at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupManifest {
    /// [`FORMAT`].
    pub format: u16,
    /// Its name in the bucket.
    pub backup_id: String,
    /// Which region.
    pub region: RegionId,
    /// When the heads of all tenants were read, in one statement.
    pub cut_at: Timestamp,
    /// When everything up to those heads was in the archives.
    pub completed_at: Timestamp,
    /// Every tenant at home in the region, and every one that the backup before names, by id.
    pub tenants: Vec<TenantBackup>,
    /// The C2SP verifier key of the signature. A claim until it is compared with one from elsewhere.
    pub verifier: String,
}

/// A tenant at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantBackup {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// How many events it had.
    pub size: u64,
    /// The root of its tree at that size.
    pub root: Hash,
    /// The first generation of its archive that holds them all; 0 for a tenant without events.
    pub generation: u64,
    /// SHA-256 of that generation's manifest object; nothing for a tenant without events.
    pub manifest_sha256: Option<Hash>,
    /// Why the archive could not be brought up to the cut. The rest is then what was archived before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

signed_json!(BackupManifest);

impl BackupManifest {
    /// The tenants whose archive could not be brought up to the cut.
    pub fn incomplete(&self) -> impl Iterator<Item = &TenantBackup> {
        self.tenants.iter().filter(|tenant| tenant.reason.is_some())
    }

    /// Events of all tenants.
    pub fn events(&self) -> u64 {
        self.tenants.iter().map(|tenant| tenant.size).sum()
    }
}
