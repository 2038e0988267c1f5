//! What is measured on: a private Postgres that keeps what it acknowledges, and databases in it with the product's own
//! clients over them.

mod store;

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use embedded::{
    postgres::{Cluster, Config, Durability, USER},
    s3,
};
use regions::{Bucket, DatabaseRole, Endpoints, PostgresEndpoint, Region, Regions, S3Endpoint};
use runtime::{Clock, Ids, Shutdown, SystemClock, SystemIds};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tempfile::TempDir;

pub(crate) use store::Store;

/// The server of a run.
pub(crate) struct Ground {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    folder: TempDir,
    region: Region,
    cluster: Cluster,
    s3: S3Endpoint,
    databases: AtomicU32,
    shutdown: Shutdown,
}

/// The product's own files, where the region's is.
pub(crate) const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

impl Ground {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // The server runs as an account of its own when we are root.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let config = Config { folder: folder.path().join("postgres"), durability: Durability::Durable };
        let cluster = tokio::task::spawn_blocking(move || Cluster::start(&config, "bench")).await??;
        let regions = Regions::load(&Path::new(REPOSITORY).join("regions"))?;
        let region = regions.get(&"eu".parse()?).ok_or_else(|| anyhow::anyhow!("no region file for eu"))?.clone();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
        let shutdown = Shutdown::new();
        let s3 = start_s3(folder.path(), &region, (&clock, &shutdown)).await?;
        let ground = Self { clock, ids, folder, region, cluster, s3, databases: AtomicU32::new(0), shutdown };
        Bucket::set_up(&ground.region_at("postgres"), &ground.clock).await?;
        Ok(ground)
    }

    /// A database of its own with the product over it, and nobody in it.
    pub(crate) async fn store(&self) -> anyhow::Result<Store> {
        Store::start(self, self.region_at(&self.database().await?)).await
    }

    /// A new, empty database.
    pub(crate) async fn database(&self) -> anyhow::Result<String> {
        let name = format!("bench_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.maintain(format!("create database {name}")).await?;
        Ok(name)
    }

    /// The address of a database, as other clients take it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.cluster.password(), self.cluster.port())
    }

    /// What may be thrown away with the run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the bucket's objects lie.
    pub(crate) fn bucket_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("s3")
    }

    pub(crate) async fn postgres_version(&self) -> anyhow::Result<String> {
        let version = sqlx::query_scalar("select current_setting('server_version')");
        Ok(version.fetch_one(&mut self.maintenance().await?).await?)
    }

    /// Writes out what earlier figures left to be written, so that the next does not pay for it.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        self.maintain("checkpoint".to_owned()).await
    }

    pub(crate) async fn drop_database(&self, region: &Region) -> anyhow::Result<()> {
        let Some(endpoint) = region.postgres() else { return Ok(()) };
        self.maintain(format!("drop database {} with (force)", endpoint.database)).await
    }

    async fn maintain(&self, statement: String) -> anyhow::Result<()> {
        // Names are made of digits.
        self.maintenance().await?.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
        Ok(())
    }

    async fn maintenance(&self) -> anyhow::Result<PgConnection> {
        let region = Region::for_directory(self.endpoint("postgres"));
        Ok(regions::connection(&region, DatabaseRole::Owner).await?)
    }

    fn region_at(&self, database: &str) -> Region {
        self.region.clone().with_endpoints(Endpoints { postgres: self.endpoint(database), s3: self.s3.clone() })
    }

    fn endpoint(&self, database: &str) -> PostgresEndpoint {
        PostgresEndpoint::new("127.0.0.1", self.cluster.port(), database, USER, self.cluster.password())
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

const ACCESS_KEY: &str = "bench";
const SECRET_KEY: &str = "bench-secret";

async fn start_s3(
    folder: &Path,
    region: &Region,
    (clock, shutdown): (&Arc<dyn Clock>, &Shutdown),
) -> anyhow::Result<S3Endpoint> {
    let config = s3::Config {
        folder: folder.join("s3"),
        location: region.cloud_region.clone(),
        credentials: vec![s3::Credential::unlimited(ACCESS_KEY, SECRET_KEY)],
        durability: s3::Durability::Durable,
        clock: Arc::clone(clock),
    };
    let endpoint = s3::Endpoint::start(config, shutdown).await?;
    Ok(S3Endpoint::new(endpoint.url(), ACCESS_KEY, SECRET_KEY))
}
