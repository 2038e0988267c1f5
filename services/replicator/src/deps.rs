//! What the replicator works with.

use std::{sync::Arc, time::Duration};

use regions::{Bucket, Region, Resident};
use runtime::{Clock, Ids, RegionMetrics};
use sqlx::PgPool;
use vault::{SigningKeyFolder, Vault};

use crate::{error::Error, signing::KeyRing, store::TenantObjects};

/// The stores, keys and figures of one region. Cheap to clone.
#[derive(Clone)]
pub struct ReplicatorDeps {
    /// Which region.
    pub region: Region,
    /// Its database, in the replicator's role.
    pub pool: PgPool,
    /// Its keys, for exporting them wrapped.
    pub vault: Vault,
    /// Its bucket.
    pub bucket: Bucket,
    /// The keys that sign tree heads and manifests.
    pub signing: SigningKeyFolder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of backups.
    pub ids: Arc<dyn Ids>,
    /// The region's metrics.
    pub metrics: RegionMetrics,
    /// How often heads are compared with archives; 2 s is usual.
    pub interval: Duration,
}

impl ReplicatorDeps {
    /// A tenant's objects in the region's bucket.
    pub fn objects(&self, resident: &Resident) -> TenantObjects {
        TenantObjects::new(self.bucket.clone(), resident.tenant_id())
    }

    /// The region's signing keys as they are now.
    pub(crate) fn ring(&self) -> Result<KeyRing, Error> {
        KeyRing::read(&self.region.id, &self.signing).map_err(Error::Signing)
    }
}
