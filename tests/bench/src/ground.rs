//! What is measured on: a private Postgres that keeps what it acknowledges, and the product's own clients over it.

use std::{
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use embedded::postgres::{Cluster, Config, Durability, USER};
use eventlog::{Appender, AppenderConfig, NewTenant};
use regions::{DatabaseRole, PostgresEndpoint, Region, Resident};
use runtime::{Clock, Ids, RegionMetrics, Shutdown, SystemClock, SystemIds};
use schemas::{Epoch, TenantId};
use vault::{RegionKey, Vault};

/// The stores and services under the benchmarks.
pub(crate) struct Ground {
    pub(crate) region: Region,
    pub(crate) appender: Appender,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) metrics: RegionMetrics,
    pub(crate) folder: tempfile::TempDir,
    tenants: AtomicU32,
    _cluster: Cluster,
}

impl Ground {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // The server runs as an account of its own when we are root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let config = Config { folder: folder.path().join("postgres"), durability: Durability::Durable };
        let cluster = Cluster::start(&config, "bench")?;
        let endpoint = PostgresEndpoint::new("127.0.0.1", cluster.port(), "postgres", USER, cluster.password());
        let region = Region::for_directory(endpoint).with_id("eu".parse()?);
        let mut owner = regions::connection(&region, DatabaseRole::Owner).await?;
        eventlog::migrate(&mut owner, &region.id).await?;
        vault::migrate(&mut owner).await?;
        projector::migrate(&mut owner).await?;

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
        let metrics = RegionMetrics::new(region.id.as_str());
        let key = RegionKey::load_or_create(&folder.path().join("region.key"), ids.as_ref())?;
        let pool = regions::connect(&region, DatabaseRole::Desk, 16).await?;
        Ok(Self {
            appender: Appender::start(AppenderConfig::default(), &region, metrics.clone(), &Shutdown::new()).await?,
            vault: Vault::new(pool, key, Arc::clone(&clock), Arc::clone(&ids)),
            region,
            clock,
            ids,
            metrics,
            folder,
            tenants: AtomicU32::new(0),
            _cluster: cluster,
        })
    }

    pub(crate) async fn tenant(&self) -> anyhow::Result<Resident> {
        let mut desk = regions::connection(&self.region, DatabaseRole::Desk).await?;
        let tenant = NewTenant {
            tenant_id: TenantId::new(self.ids.uuid()),
            slug: format!("bench-{}", self.tenants.fetch_add(1, Ordering::Relaxed)).parse()?,
            region: self.region.id.clone(),
            epoch: Epoch::FIRST,
            created_at: self.clock.now(),
        };
        let resident = eventlog::create_tenant(&mut desk, &tenant).await?;
        resident.ok_or_else(|| anyhow::anyhow!("the tenant exists already"))
    }
}
