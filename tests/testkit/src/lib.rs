//! Real stores for tests: a private Postgres server per test binary, a database per test, an S3 endpoint per test region.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let eu = testkit::region().await?;
//! let acme = eu.tenant("acme").await?;
//! # Ok(()) }
//! ```
//!
//! Time stands still until a test moves it; ids and secrets are the real ones.

mod brokers;
mod bucket_calls;
mod raw_bucket;
mod seal;
mod server;
mod skip;
mod topic_region;
mod wait;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use embedded::s3;
use eventlog::{Appended, Appender, AppenderConfig, Expected, NewTenant, StreamAppend};
use regions::{
    Bucket, BucketRole, DatabaseRole, Endpoints, LockMode, ObjectLock, PostgresEndpoint, Region, Resident, S3Endpoint,
};
use runtime::{Clock, Ids, ManualClock, RegionMetrics, Shutdown, SystemIds};
use schemas::{Epoch, StreamName, TenantId, event::TenantLogEvent};
use sqlx::{AssertSqlSafe, Connection, PgPool};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use vault::{RegionKey, SigningKey, Vault};

pub use brokers::{Brokers, RawRecord};
pub use bucket_calls::{BucketCalls, documented_calls};
pub use raw_bucket::{RawBucket, refusal};
pub use server::process_id as postgres_process_id;
pub use skip::skipped;
pub use topic_region::{TopicRegion, comment, topic_region};
pub use wait::{eventually, until};

/// The secret of every key of a test region's bucket.
const S3_SECRET: &str = "test-secret";
/// Tenants with an auditor's key: `auditor-` and the name.
const AUDITED_TENANTS: [&str; 2] = ["one", "other"];

/// A region with a database and a bucket of its own.
pub struct TestRegion {
    /// The region, with endpoints.
    pub region: Region,
    /// Stands still until moved.
    pub clock: Arc<ManualClock>,
    /// Real ids and secrets.
    pub ids: Arc<SystemIds>,
    /// The region's metrics.
    pub metrics: RegionMetrics,
    /// Ends what the test region runs.
    pub shutdown: Shutdown,
    /// The S3 endpoint; a directory has none.
    pub objects: Option<s3::Endpoint>,
    /// Keys and objects; goes away with the region.
    pub folder: TempDir,
    /// Signs tree heads and manifests.
    pub signing_key: SigningKey,
    appender: OnceCell<Appender>,
    vault: OnceCell<Vault>,
}

/// A region called `eu`.
pub async fn region() -> anyhow::Result<TestRegion> {
    region_named("eu").await
}

/// A region of the repository's region files, with stores of its own.
pub async fn region_named(id: &str) -> anyhow::Result<TestRegion> {
    over(&known(id)?).await
}

/// A region called `eu` whose objects are locked in a mode.
pub async fn region_locked(mode: LockMode) -> anyhow::Result<TestRegion> {
    let mut known = known("eu")?;
    known.storage.lock = known.storage.lock.map(|lock| ObjectLock { mode, ..lock });
    over(&known).await
}

fn known(id: &str) -> anyhow::Result<Region> {
    let regions = regions::Regions::load(&repository().join("regions"))?;
    regions.get(&id.parse()?).cloned().ok_or_else(|| anyhow::anyhow!("no region file for {id}"))
}

async fn over(known: &Region) -> anyhow::Result<TestRegion> {
    let postgres = database(known.id.as_str(), true).await?;
    let folder = tempfile::tempdir()?;
    let (shutdown, clock) = (Shutdown::new(), clock()?);
    let s3 = s3::Config {
        folder: folder.path().join("s3"),
        location: known.cloud_region.clone(),
        credentials: credentials(known)?,
        durability: s3::Durability::Test,
        clock: clock.clone(),
    };
    let endpoint = s3::Endpoint::start(s3, &shutdown).await?;
    let s3 = BucketRole::ALL.into_iter().fold(S3Endpoint::new(endpoint.url(), "test", S3_SECRET), |s3, role| {
        s3.with_key(role, role.as_str(), S3_SECRET)
    });
    let region = known.clone().with_endpoints(Endpoints { postgres, s3 });
    Bucket::set_up(&region, &(clock.clone() as Arc<dyn Clock>)).await?;
    let mut test = TestRegion::new(region, folder, (shutdown, clock))?;
    test.objects = Some(endpoint);
    Ok(test)
}

/// A database for a directory: the event log and the vault, nothing else.
pub async fn directory_database() -> anyhow::Result<TestRegion> {
    let region = Region::for_directory(database("directory", false).await?);
    TestRegion::new(region, tempfile::tempdir()?, (Shutdown::new(), clock()?))
}

/// The address of a database with every migration: what the query macros are checked against. Its search path leads to the
/// first build of every projection, as a transaction's does to those that serve. Test regions have no such path: there, a
/// statement whose transaction did not set one finds no table.
pub async fn database_url() -> anyhow::Result<String> {
    let endpoint = database("eu", true).await?;
    let mut owner =
        regions::connection(&Region::for_directory(endpoint.clone()).with_id("eu".parse()?), DatabaseRole::Owner)
            .await?;
    let schemas: Vec<_> = projector::PROJECTIONS.iter().map(|name| format!("read_{name}_1")).collect();
    let statement = format!("alter database {} set search_path = {}", endpoint.database, schemas.join(", "));
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut owner).await?;
    owner.close().await?;
    Ok(format!(
        "postgres://{}:{}@{}:{}/{}",
        endpoint.user,
        endpoint.password.expose(),
        endpoint.host,
        endpoint.port,
        endpoint.database
    ))
}

/// The repository's root, where the region files and fixtures lie.
pub fn repository() -> &'static std::path::Path {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

async fn database(region: &str, with_read_models: bool) -> anyhow::Result<PostgresEndpoint> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", region.replace('-', "_"), COUNT.fetch_add(1, Ordering::Relaxed));
    let endpoint = server::database(&name, Some(template(with_read_models).await?)).await?;
    let region = Region::for_directory(endpoint.clone()).with_id(region.parse()?);
    // All migrations are there; this writes down whose database it is.
    eventlog::migrate(&mut regions::connection(&region, DatabaseRole::Owner).await?, &region.id).await?;
    Ok(endpoint)
}

/// A database with all migrations, made once a test binary and copied for every test.
async fn template(with_read_models: bool) -> anyhow::Result<&'static str> {
    static TEMPLATES: [OnceCell<()>; 2] = [OnceCell::const_new(), OnceCell::const_new()];
    let name = ["template_log", "template_all"][usize::from(with_read_models)];
    let make = || async move {
        let endpoint = server::database(name, None).await?;
        let mut owner = regions::connection(&Region::for_directory(endpoint), DatabaseRole::Owner).await?;
        eventlog::MIGRATIONS.run(&mut owner).await?;
        vault::migrate(&mut owner).await?;
        if with_read_models {
            projector::migrate(&mut owner).await?;
            topic::migrate(&mut owner).await?;
        }
        owner.close().await?;
        Ok::<_, anyhow::Error>(())
    };
    TEMPLATES[usize::from(with_read_models)].get_or_try_init(make).await?;
    Ok(name)
}

/// A key that may do everything, and one for each role.
fn credentials(region: &Region) -> anyhow::Result<Vec<s3::Credential>> {
    let mut credentials = vec![s3::Credential::unlimited("test", S3_SECRET)];
    for role in BucketRole::ALL {
        let policy = Some(s3::Policy::parse(&role.policy(region))?);
        credentials.push(s3::Credential { policy, ..s3::Credential::unlimited(role.as_str(), S3_SECRET) });
    }
    for tenant in AUDITED_TENANTS {
        let policy = Some(s3::Policy::parse(&regions::auditor_policy(region))?);
        let tags = [("tenant".to_owned(), tenant.to_owned())].into();
        let unlimited = s3::Credential::unlimited(format!("auditor-{tenant}"), S3_SECRET);
        credentials.push(s3::Credential { policy, tags, ..unlimited });
    }
    Ok(credentials)
}

fn clock() -> anyhow::Result<Arc<ManualClock>> {
    Ok(Arc::new(ManualClock::new("2026-11-22T10:00:00Z".parse()?)))
}

impl TestRegion {
    fn new(region: Region, folder: TempDir, (shutdown, clock): (Shutdown, Arc<ManualClock>)) -> anyhow::Result<Self> {
        let ids = Arc::new(SystemIds::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let signing_key = SigningKey::load_or_create(&folder.path().join("signing.key"), ids.as_ref())?;
        Ok(Self {
            metrics: RegionMetrics::new(region.id.as_str()),
            region,
            clock,
            ids,
            shutdown,
            objects: None,
            folder,
            signing_key,
            appender: OnceCell::new(),
            vault: OnceCell::new(),
        })
    }

    /// A pool in one of the product's database roles.
    pub async fn pool(&self, role: DatabaseRole) -> anyhow::Result<PgPool> {
        Ok(regions::connect(&self.region, role, 8).await?)
    }

    /// A vault over a pool of the role, with the region's one key.
    pub async fn vault(&self, role: DatabaseRole) -> anyhow::Result<Vault> {
        let key = RegionKey::load_or_create(&self.folder.path().join("region.key"), self.ids.as_ref())?;
        Ok(Vault::new(self.pool(role).await?, key, self.clock.clone(), self.ids.clone()))
    }

    /// The region's appender.
    pub async fn appender(&self) -> anyhow::Result<Appender> {
        let start = || async {
            Appender::start(AppenderConfig::default(), &self.region, self.metrics.clone(), &self.shutdown).await
        };
        Ok(self.appender.get_or_try_init(start).await?.clone())
    }

    /// The region's bucket, entered with the key that may do everything.
    pub async fn bucket(&self) -> anyhow::Result<Bucket> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Ok(regions::bucket(&self.unlimited(), BucketRole::Owner, &clock).await?)
    }

    /// The region, whose bucket every role enters with the key that may do everything.
    pub fn unlimited(&self) -> Region {
        let Endpoints { postgres, s3 } = self.region.endpoints().expect("a region with stores");
        let s3 = S3Endpoint::new(s3.url, "test", S3_SECRET);
        self.region.clone().with_endpoints(Endpoints { postgres, s3 })
    }

    /// The region's bucket, in a role.
    pub async fn bucket_as(&self, role: BucketRole) -> anyhow::Result<Bucket> {
        Ok(regions::bucket(&self.region, role, &(self.clock.clone() as Arc<dyn Clock>)).await?)
    }

    /// The region's bucket with every call there is, entered with the endpoint's first key, which may do everything.
    pub fn raw_bucket(&self) -> RawBucket {
        self.raw_bucket_with("test")
    }

    /// The same, entered with another of its keys: a role's, by its name, or an auditor's.
    pub fn raw_bucket_with(&self, access_key: &str) -> RawBucket {
        RawBucket::new(&self.region, access_key, S3_SECRET)
    }

    /// A tenant at home here, without events.
    pub async fn tenant(&self, slug: &str) -> anyhow::Result<Resident> {
        self.tenant_with_id(slug, TenantId::new(self.ids.uuid())).await
    }

    /// A tenant at home here with an id of the test's choice.
    pub async fn tenant_with_id(&self, slug: &str, tenant_id: TenantId) -> anyhow::Result<Resident> {
        let mut desk = regions::connection(&self.region, DatabaseRole::Desk).await?;
        let tenant = NewTenant {
            tenant_id,
            slug: slug.parse()?,
            region: self.region.id.clone(),
            epoch: Epoch::FIRST,
            created_at: self.clock.now(),
        };
        let resident = eventlog::create_tenant(&mut desk, &tenant).await?;
        resident.ok_or_else(|| anyhow::anyhow!("the tenant {slug} exists already"))
    }

    /// Lets the next append work with a vault of its own, as after a restart: no key is held in memory.
    pub fn forget_keys(&mut self) {
        self.vault.take();
    }

    /// Seals events under the keys of their scopes and appends them to one stream.
    pub async fn append(
        &self,
        resident: &Resident,
        stream: StreamName,
        expected: Expected,
        events: Vec<TenantLogEvent>,
    ) -> anyhow::Result<Appended> {
        let vault = self.vault.get_or_try_init(|| self.vault(DatabaseRole::Desk)).await?;
        let append = seal::append(self, vault, resident, StreamToAppend { stream, expected, events }).await?;
        Ok(self.appender().await?.append(append).await?)
    }
}

impl Drop for TestRegion {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

struct StreamToAppend {
    stream: StreamName,
    expected: Expected,
    events: Vec<TenantLogEvent>,
}

impl StreamToAppend {
    fn sealed(self, events: Vec<schemas::Sealed>) -> StreamAppend {
        StreamAppend { stream: self.stream, expected: self.expected, events }
    }
}
