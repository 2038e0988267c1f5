//! What a restore works with.

use std::collections::BTreeMap;

use regions::{DatabaseRole, Region};
use replicator::ReplicatorDeps;
use schemas::{Epoch, Slug, TenantId};
use sqlx::PgConnection;
use vault::RegionKey;

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

    /// A connection of the owner: no role of a service restores.
    pub(crate) async fn owner(&self) -> Result<PgConnection, Error> {
        regions::connection(self.region(), DatabaseRole::Owner).await.map_err(Error::Connect)
    }
}
