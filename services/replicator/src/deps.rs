//! What the replicator works with.

use std::{sync::Arc, time::Duration};

use archive::{Signer, checkpoint};
use regions::{Bucket, Region, Resident};
use runtime::{Clock, Ids, RegionMetrics};
use schemas::TenantId;
use sqlx::PgPool;
use vault::{SigningKey, Vault};

use crate::store::TenantObjects;

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
    /// Signs tree heads and manifests.
    pub signer: SigningKey,
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

    /// Signs for a tenant's log, under its origin.
    pub(crate) fn signer_of(&self, tenant_id: TenantId) -> Signer {
        self.signer_named(checkpoint::origin(&self.region.id, tenant_id))
    }

    /// Signs for the region.
    pub(crate) fn signer_of_region(&self) -> Signer {
        self.signer_named(checkpoint::region_name(&self.region.id))
    }

    fn signer_named(&self, name: String) -> Signer {
        let key = self.signer.clone();
        Signer::new(name, key.public_key(), move |message| key.sign(message))
    }
}
