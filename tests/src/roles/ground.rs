//! The stores of a region: a Postgres cluster that is killed and comes back, and an S3 endpoint in this process.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use embedded::{
    postgres::{Cluster, Config, Durability, USER},
    s3,
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use regions::{Bucket, DatabaseRole, Endpoints, PostgresEndpoint, Region, Regions, S3Endpoint};
use runtime::{Clock, Shutdown, SystemClock};
use sqlx::AssertSqlSafe;

use crate::{
    process,
    proxy::{Greeting, Proxy, Target},
};

const DATABASE: &str = "postgres";
/// What the handbook's statements call it, and with what its logins begin.
const DATABASE_WITH_LOGINS: &str = "domicile";
const PASSWORD: &str = "test";
const S3_SECRET: &str = "test-secret";

/// The stores of one region.
#[derive(Debug)]
pub struct Ground {
    /// The region.
    pub id: &'static str,
    /// Its Postgres.
    pub postgres: Postgres,
    /// By which the test and commands reach Postgres. Nobody disturbs it.
    door: Proxy,
    s3: String,
    objects: PathBuf,
    known: Region,
    has_logins: bool,
    added: Mutex<(String, String)>,
}

impl Ground {
    pub(super) async fn start(
        id: &'static str,
        data: &Path,
        durability: Durability,
        shutdown: &Shutdown,
    ) -> anyhow::Result<Self> {
        let known = Regions::load(&crate::repository().join("regions"))?;
        let known = known.get(&id.parse()?).ok_or_else(|| anyhow::anyhow!("no region file for {id}"))?.clone();
        let postgres = Postgres::start(&data.join(id).join("postgres"), durability).await?;
        let objects = data.join(id).join("s3");
        let config = s3::Config {
            folder: objects.clone(),
            location: known.cloud_region.clone(),
            credentials: vec![s3::Credential::unlimited(USER, S3_SECRET)],
            durability: match durability {
                Durability::Durable => s3::Durability::Durable,
                Durability::Test => s3::Durability::Test,
            },
            clock: Arc::new(SystemClock),
        };
        std::fs::write(data.join(id).join("s3.secret"), S3_SECRET)?;
        let s3 = s3::Endpoint::start(config, shutdown).await?.url();
        let door = Proxy::start(postgres.target().clone(), Greeting::None).await?;
        Ok(Self { id, postgres, door, s3, objects, known, has_logins: false, added: Mutex::default() })
    }

    /// The region with the endpoints of its stores.
    pub fn region(&self) -> Region {
        let port = self.door.address().port();
        let postgres = PostgresEndpoint::new("127.0.0.1", port, self.database(), self.login("desk"), PASSWORD);
        let s3 = S3Endpoint::new(&self.s3, USER, S3_SECRET);
        self.known.clone().with_endpoints(Endpoints { postgres, s3 })
    }

    /// Where its objects lie: a folder per bucket, a file per object.
    pub fn objects(&self) -> &Path {
        &self.objects
    }

    /// Makes the logins and the database of docs/operations.md. They are the region's from now on.
    pub(super) async fn make_logins(&mut self) -> anyhow::Result<()> {
        let handbook = std::fs::read_to_string(crate::repository().join("docs/operations.md"))?;
        let section = handbook.split_once("## Database logins").context("the handbook has a section of logins")?.1;
        let block = section.split_once("```sql\n").and_then(|(_, rest)| rest.split_once("```"));
        let (statements, _) = block.context("which has statements")?;
        let lines = statements.lines().map(|line| line.split(" -- ").next().unwrap_or_default());
        let statements = lines.collect::<Vec<_>>().join("\n").replace("'...'", &format!("'{PASSWORD}'"));
        let statements = statements.replace("eu_", &format!("{}_", self.id.replace('-', "_")));
        let mut superuser = regions::connection(&self.region(), DatabaseRole::Owner).await?;
        // One by one: a database is made in no transaction.
        for statement in statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await?;
        }
        self.has_logins = true;
        Ok(())
    }

    const fn database(&self) -> &'static str {
        if self.has_logins { DATABASE_WITH_LOGINS } else { DATABASE }
    }

    /// As whom a role enters Postgres, by its verb.
    fn login(&self, verb: &str) -> String {
        if self.has_logins { format!("{}_{verb}", self.id.replace('-', "_")) } else { USER.to_owned() }
    }

    pub(super) const fn door(&self) -> SocketAddr {
        self.door.address()
    }

    pub(super) async fn make_bucket(&self) -> anyhow::Result<()> {
        Ok(Bucket::set_up(&self.region(), &(Arc::new(SystemClock) as Arc<dyn Clock>)).await?)
    }

    pub(super) fn configure(&self, fields: &str, tables: &str) {
        *self.added() = (fields.to_owned(), tables.to_owned());
    }

    fn added(&self) -> MutexGuard<'_, (String, String)> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What its file says beside the place: the stores, Postgres at this address as this role enters it, and what a test added.
    pub(super) fn region_file(&self, (postgres, verb): (SocketAddr, &str)) -> String {
        let (fields, tables) = &*self.added();
        let place = self.objects.parent().expect("objects lie in the region's folder");
        format!(
            "{fields}\n\
             [postgres]\nhost = \"127.0.0.1\"\nport = {}\ndatabase = {:?}\nuser = {:?}\npassword_file = {:?}\n\
             [s3]\nurl = {:?}\naccess_key = {USER:?}\nsecret_key_file = {:?}\n{tables}\n",
            postgres.port(),
            self.database(),
            self.login(verb),
            self.postgres.password_file(),
            self.s3,
            place.join("s3.secret"),
        )
    }
}

/// A Postgres cluster. Proxies lead to its [`Postgres::target`], on whichever port it came back.
#[derive(Debug)]
pub struct Postgres {
    config: Config,
    cluster: Mutex<Option<Cluster>>,
    target: Target,
}

impl Postgres {
    pub(super) async fn start(folder: &Path, durability: Durability) -> anyhow::Result<Self> {
        let config = Config { folder: folder.to_owned(), durability };
        let postgres = Self { config, cluster: Mutex::default(), target: Target::default() };
        postgres.begin().await?;
        Ok(postgres)
    }

    /// Where its clients find it.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The cluster's folder.
    pub fn folder(&self) -> &Path {
        &self.config.folder
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.config.folder.join("password")
    }

    /// Starts the server on its data after it was killed or ended, and waits until it takes connections.
    pub async fn begin(&self) -> anyhow::Result<()> {
        // What is left of the old one is let go first.
        drop(self.cluster().take());
        let config = self.config.clone();
        let cluster = tokio::task::spawn_blocking(move || Cluster::start(&config, PASSWORD)).await??;
        self.target.set(SocketAddr::from(([127, 0, 0, 1], cluster.port())));
        *self.cluster() = Some(cluster);
        Ok(())
    }

    /// `kill -9` of the server, or of it and everything it started, at once.
    pub fn kill(&self, with_children: bool) {
        let Some(server) = self.cluster().as_ref().map(Cluster::process_id) else { return };
        let children = if with_children { process::children_of(Pid::from_raw(server)) } else { Vec::new() };
        for process in std::iter::once(Pid::from_raw(server)).chain(children) {
            // It may have ended between the look and the kill.
            let _ = signal::kill(process, Signal::SIGKILL);
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.cluster().as_ref().is_none_or(Cluster::has_ended)
    }

    fn cluster(&self) -> MutexGuard<'_, Option<Cluster>> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
