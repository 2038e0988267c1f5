//! What the replicator works with.

use std::{sync::Arc, time::Duration};

use regions::{Bucket, Region, Resident};
use runtime::{Clock, Ids, RegionMetrics};
use schemas::TenantId;
use sqlx::{PgConnection, PgPool};
use vault::{SigningKeyFolder, Vault};

use crate::{error::Error, signing::KeyRing, store::TenantObjects, witnesses::Witnesses};

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
    /// The other regions, which cosign.
    pub witnesses: Witnesses,
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
    /// A tenant, if it is at home here and open.
    pub(crate) async fn resident(&self, tenant_id: TenantId) -> Result<Resident, Error> {
        let mut connection = self.pool.acquire().await.map_err(Error::Database)?;
        let resident = Resident::prove_id(&mut connection, &self.region.id, tenant_id).await;
        resident.map_err(Error::Database)?.ok_or(Error::NotAtHome { tenant_id })
    }

    /// A connection that holds a lock of the region which one replicator has at a time, until it is dropped or its process dies;
    /// nothing if another one holds it.
    pub(crate) async fn try_lock(&self, name: &str) -> Result<Option<PgConnection>, Error> {
        let mut connection = self.pool.acquire().await.map_err(Error::Database)?.detach();
        let locked = sqlx::query_scalar!(
            r#"select pg_try_advisory_lock(hashtextextended('replicator ' || $1::text, 0)) as "locked!""#,
            name
        );
        let locked = locked.fetch_one(&mut connection).await.map_err(Error::Database)?;
        Ok(locked.then_some(connection))
    }

    /// A tenant's objects in the region's bucket.
    pub fn objects(&self, resident: &Resident) -> TenantObjects {
        TenantObjects::new(self.bucket.clone(), resident.tenant_id())
    }

    /// The region's signing keys as they are now.
    pub(crate) fn ring(&self) -> Result<KeyRing, Error> {
        KeyRing::read(&self.region.id, &self.signing).map_err(Error::Signing)
    }
}
