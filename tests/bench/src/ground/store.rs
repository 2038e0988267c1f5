//! One database with the product's own clients over it.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use eventlog::{Appender, AppenderConfig, NewTenant};
use projector::ProjectorDeps;
use regions::{BucketRole, DatabaseRole, Region, Resident};
use replicator::ReplicatorDeps;
use runtime::{Clock, Ids, RegionMetrics, Shutdown};
use schemas::{Epoch, TenantId};
use sqlx::PgPool;
use vault::{RegionKey, SigningKey, SigningKeyFolder, Vault};

use super::Ground;

/// A region in a database of its own. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) region: Region,
    pub(crate) appender: Appender,
    pub(crate) vault: Vault,
    /// Connections in the desk's role.
    pub(crate) desk: PgPool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) metrics: RegionMetrics,
    /// Ends what runs over it.
    pub(crate) shutdown: Shutdown,
    keys: PathBuf,
    tenants: Arc<AtomicU32>,
}

impl Store {
    pub(super) async fn start(ground: &Ground, region: Region) -> anyhow::Result<Self> {
        let mut owner = regions::connection(&region, DatabaseRole::Owner).await?;
        eventlog::migrate(&mut owner, &region.id).await?;
        vault::migrate(&mut owner).await?;
        projector::migrate(&mut owner).await?;
        let (clock, ids) = (Arc::clone(&ground.clock), Arc::clone(&ground.ids));
        let (metrics, shutdown) = (RegionMetrics::new(region.id.as_str()), Shutdown::new());
        let keys = ground.folder().to_owned();
        let key = RegionKey::load_or_create(&keys.join("region.key"), ids.as_ref())?;
        let desk = regions::connect(&region, DatabaseRole::Desk, 16).await?;
        let appender = Appender::start(AppenderConfig::default(), &region, metrics.clone(), &shutdown).await?;
        let vault = Vault::new(desk.clone(), key, Arc::clone(&clock), Arc::clone(&ids));
        let tenants = Arc::new(AtomicU32::new(0));
        Ok(Self { region, appender, vault, desk, clock, ids, metrics, shutdown, keys, tenants })
    }

    /// Stops what runs over the database, and removes it.
    pub(crate) async fn end(self, ground: &Ground) -> anyhow::Result<()> {
        let Self { region, desk, shutdown, appender, vault, .. } = self;
        drop((appender, vault));
        shutdown.drain(Duration::from_secs(10)).await;
        desk.close().await;
        ground.drop_database(&region).await
    }

    pub(crate) async fn tenant(&self) -> anyhow::Result<Resident> {
        let tenant = NewTenant {
            tenant_id: TenantId::new(self.ids.uuid()),
            slug: format!("bench-{}", self.tenants.fetch_add(1, Ordering::Relaxed)).parse()?,
            region: self.region.id.clone(),
            epoch: Epoch::FIRST,
            created_at: self.clock.now(),
        };
        let mut desk = self.desk.acquire().await?;
        let resident = eventlog::create_tenant(&mut desk, &tenant).await?;
        resident.ok_or_else(|| anyhow::anyhow!("the tenant exists already"))
    }

    pub(crate) async fn tenants(&self, count: usize) -> anyhow::Result<Vec<Resident>> {
        use futures::{StreamExt, TryStreamExt};
        futures::stream::iter(0..count).map(|_| self.tenant()).buffered(16).try_collect().await
    }

    /// Connections as the owner of everything.
    pub(crate) async fn owner(&self, connections: u32) -> anyhow::Result<PgPool> {
        Ok(regions::connect(&self.region, DatabaseRole::Owner, connections).await?)
    }

    pub(crate) async fn projector(&self) -> anyhow::Result<ProjectorDeps> {
        let pool = regions::connect(&self.region, DatabaseRole::Projector, 12).await?;
        let key = RegionKey::load_or_create(&self.keys.join("region.key"), self.ids.as_ref())?;
        // A vault of its own: the projector is another process, and finds no key in the desk's memory.
        let vault = Vault::new(pool.clone(), key, Arc::clone(&self.clock), Arc::clone(&self.ids));
        let (region, clock) = (self.region.clone(), Arc::clone(&self.clock));
        Ok(ProjectorDeps { region, pool, vault, clock, metrics: self.metrics.clone() })
    }

    /// The region's signing keys; makes the first where there is none.
    pub(crate) fn signing(&self) -> anyhow::Result<SigningKeyFolder> {
        SigningKey::load_or_create(&self.keys.join("signing.key"), self.ids.as_ref())?;
        Ok(SigningKeyFolder::new(&self.keys))
    }

    pub(crate) fn region_key(&self) -> anyhow::Result<RegionKey> {
        Ok(RegionKey::load(&self.keys.join("region.key"))?)
    }

    pub(crate) async fn replicator(&self) -> anyhow::Result<ReplicatorDeps> {
        Ok(ReplicatorDeps {
            region: self.region.clone(),
            pool: regions::connect(&self.region, DatabaseRole::Replicator, 8).await?,
            vault: self.vault.clone(),
            bucket: regions::bucket(&self.region, BucketRole::Replicator, &self.clock).await?,
            signing: self.signing()?,
            witnesses: replicator::Witnesses::default(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            metrics: self.metrics.clone(),
            interval: Duration::from_secs(2),
        })
    }
}
