//! What a restore works with.

use std::collections::BTreeMap;

use regions::{DatabaseRole, Region, Resident};
use replicator::ReplicatorDeps;
use schemas::{Epoch, Slug, TenantId};
use sqlx::{PgConnection, PgPool};
use vault::{RegionKey, Vault};

use crate::error::Error;

/// The stores and keys of one region, and what the directory says of it. Cheap to clone.
#[derive(Clone)]
pub struct RestorerDeps {
    /// The region's bucket and signing key, its clock and metrics.
    pub replicator: ReplicatorDeps,
    /// Unwraps tenant keys.
    pub region_key: RegionKey,
    /// Who is at home in the region, by the directory's signed map. The directory is no part of a region: it is not restored,
    /// and what it does not lead to is not opened.
    pub names: BTreeMap<TenantId, Named>,
    /// How a restore was asked for: what the audit log of each tenant it brings back says.
    pub command: String,
}

/// A tenant as the directory knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name in its address.
    pub slug: Slug,
    /// How often its home was set.
    pub epoch: Epoch,
}

impl RestorerDeps {
    /// The region.
    pub const fn region(&self) -> &Region {
        &self.replicator.region
    }

    /// The tenant as it lives here.
    ///
    /// # Errors
    /// [`Error::NotOpen`], or if the database fails.
    pub(crate) async fn resident(&self, tenant_id: TenantId) -> Result<Resident, Error> {
        let mut connection = self.replicator.pool.acquire().await.map_err(Error::Resident)?;
        let region = &self.region().id;
        let found = Resident::prove_id(&mut connection, region, tenant_id).await.map_err(Error::Resident)?;
        found.ok_or_else(|| Error::NotOpen { tenant_id, region: region.clone() })
    }

    /// Keys out of a database, none of them held yet: one that was destroyed a moment ago opens nothing.
    pub(crate) fn vault(&self, pool: &PgPool) -> Vault {
        let (clock, ids) = (self.replicator.clock.clone(), self.replicator.ids.clone());
        Vault::new(pool.clone(), self.region_key.clone(), clock, ids)
    }

    /// A connection of the owner: no role of a service restores.
    pub(crate) async fn owner(&self) -> Result<PgConnection, Error> {
        regions::connection(self.region(), DatabaseRole::Owner).await.map_err(Error::Connect)
    }

    /// A connection that looks at the region's own log and read models as the replicator does, for who may not own them: drills.
    pub(crate) async fn reader(&self) -> Result<PgConnection, Error> {
        regions::connection(self.region(), DatabaseRole::Replicator).await.map_err(Error::Connect)
    }

    /// A connection that makes and drops databases: as the login itself, whose they are then.
    pub(crate) async fn maker(&self) -> Result<PgConnection, Error> {
        let mut connection = self.reader().await?;
        sqlx::raw_sql("set role none").execute(&mut connection).await.map_err(Error::Copy)?;
        Ok(connection)
    }
}
