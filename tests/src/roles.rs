//! Roles as processes of their own, as in production: `domicile directory`, `desk`, `projector` and so on, each from region files
//! of its own, over stores that this test started: a Postgres cluster and an S3 endpoint for each region.
//!
//! ```no_run
//! # use system_tests::roles::{Roles, Setup};
//! # async fn example() -> anyhow::Result<()> {
//! let roles = Roles::start(Setup::regions(&["eu"])).await?;
//! let (desk, projector) = (roles.desk("eu", "desk-1").await?, roles.worker("eu", "projector", "projector-1").await?);
//! let acme = roles.signup(&desk, "acme").await?;
//! projector.kill().await?;
//! # Ok(()) }
//! ```
//!
//! Each role reaches its Postgres through a proxy of its own, which a test can let stall or reset, and clients reach a desk through
//! one that stays where it is when the desk is killed and started again. There is no router: the proxy in front of a desk
//! says who is calling, as a router does.

mod ground;
mod role;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use domicile::{cli::Place, deployment::Deployment as Library};
use embedded::postgres::Durability;
use runtime::Shutdown;

pub use self::{
    ground::{Ground, Postgres},
    role::Role,
};
use crate::{
    command::{self, Ran},
    folder::Folder,
    proxy::{Greeting, Proxy, Target},
    setup,
    tenant::Tenant,
};
use role::Road;

/// The deployment's host. Every name under it is this machine.
pub const APEX: &str = "localhost";

/// What roles are to run over.
#[derive(Debug, Clone)]
pub struct Setup {
    regions: Vec<&'static str>,
    durability: Durability,
    has_logins: bool,
    environment: Vec<(String, PathBuf)>,
}

impl Setup {
    /// These regions; the first is the deployment's default. Their stores keep what they acknowledge.
    pub fn regions(regions: &[&'static str]) -> Self {
        Self { regions: regions.to_vec(), durability: Durability::Durable, has_logins: false, environment: Vec::new() }
    }

    /// With a login for each role, which the handbook's statements make: none of them is a superuser.
    #[must_use]
    pub fn with_logins(self) -> Self {
        Self { has_logins: true, ..self }
    }

    /// Without fsync and synchronous commits: quicker, and a kill of Postgres loses what it acknowledged a moment ago.
    #[must_use]
    pub fn without_fsync(self) -> Self {
        Self { durability: Durability::Test, ..self }
    }

    /// With a variable set for every role.
    #[must_use]
    pub fn with(mut self, name: &str, value: &Path) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The stores, the directory, and what is needed to start roles over them. The roles themselves are the test's.
#[derive(Debug)]
pub struct Roles {
    directory: Role,
    // Fields are dropped in this order: whoever uses a store ends before it.
    _directory_postgres: Postgres,
    grounds: BTreeMap<&'static str, Arc<Ground>>,
    shutdown: Shutdown,
    setup: Setup,
    folder: Folder,
}

impl Roles {
    /// Starts the stores and the directory.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        Self::start_in(setup, Folder::new()?).await
    }

    /// The same in a folder that somebody prepared: `data/<region>/postgres` may be a disk of its own.
    pub async fn start_in(setup: Setup, folder: Folder) -> anyhow::Result<Self> {
        let shutdown = Shutdown::new();
        let data = folder.path().join("data");
        let mut grounds = BTreeMap::new();
        for &region in &setup.regions {
            let mut ground = Ground::start(region, &data, setup.durability, &shutdown).await?;
            if setup.has_logins {
                ground.make_logins().await?;
            }
            grounds.insert(region, Arc::new(ground));
        }
        let directory_postgres = Postgres::start(&data.join("directory/postgres"), setup.durability).await?;
        write_regions(&folder.path().join("regions"), &setup.regions, &grounds, &Road::Shared)?;
        for id in setup.regions.iter().copied().chain(["directory"]) {
            run(&folder, &["keys", "create", "--region", id]).await?.expect(0)?;
        }
        for ground in grounds.values() {
            ground.make_bucket().await?;
        }
        let directory = Role::directory(&folder, &directory_postgres).await?;
        let roles = Self { directory, _directory_postgres: directory_postgres, grounds, shutdown, setup, folder };
        roles.write_regions(&roles.folder.path().join("regions"), &Road::Shared)?;
        Ok(roles)
    }

    /// Adds to a region's file: fields of the file itself, and tables. Roles that start from now on read it.
    pub fn configure(&self, region: &str, fields: &str, tables: &str) -> anyhow::Result<()> {
        self.ground(region)?.configure(fields, tables);
        self.write_regions(&self.folder.path().join("regions"), &Road::Shared)
    }

    /// Starts a desk. Its first start brings the region's database to the newest schema, so it comes before workers.
    pub async fn desk(&self, region: &str, name: &str) -> anyhow::Result<Role> {
        let arguments = ["desk", "--apex", APEX, "--listen", "127.0.0.1:0"].map(str::to_owned);
        let arguments = arguments.into_iter().chain(self.directory_options()?);
        let front = Target::default();
        let mut role = self.role(region, name, arguments.collect()).await?;
        role.stand_behind(Proxy::start(front.clone(), Greeting::ProxyHeader).await?, front);
        self.begin(&mut role).await?;
        Ok(role)
    }

    /// Starts a worker by its verb: `projector`, `replicator`, `relay`.
    pub async fn worker(&self, region: &str, verb: &str, name: &str) -> anyhow::Result<Role> {
        let mut role = self.role(region, name, vec![verb.to_owned()]).await?;
        self.begin(&mut role).await?;
        Ok(role)
    }

    /// Starts a role that has ended or was killed, on what is configured now, and waits until it is ready.
    pub async fn begin(&self, role: &mut Role) -> anyhow::Result<()> {
        self.write_regions(&role.regions_folder(), &role.road())?;
        role.begin().await
    }

    async fn role(&self, region: &str, name: &str, mut arguments: Vec<String>) -> anyhow::Result<Role> {
        arguments.extend(["--region", region, "--listen-operations", "127.0.0.1:0"].map(str::to_owned));
        let ground = self.ground(region)?;
        let database = Proxy::start(ground.postgres.target().clone(), Greeting::None).await?;
        let mut role = Role::new(&self.folder, name, arguments, self.setup.environment.clone());
        role.reach_postgres_by(ground.id, database);
        Ok(role)
    }

    fn write_regions(&self, target: &Path, road: &Road) -> anyhow::Result<()> {
        write_regions(target, &self.setup.regions, &self.grounds, road)
    }

    /// A region's stores.
    pub fn ground(&self, region: &str) -> anyhow::Result<&Arc<Ground>> {
        self.grounds.get(region).with_context(|| format!("no region {region} was set up"))
    }

    /// A region with the endpoints of its stores, for the product's own library.
    pub fn region(&self, id: &str) -> anyhow::Result<regions::Region> {
        self.library()?.region(&id.parse()?).map_err(|failure| anyhow::anyhow!("{failure}"))
    }

    fn library(&self) -> anyhow::Result<Library> {
        let [(_, data), (_, regions)] = place(&self.folder);
        let place = Place { data, regions, log: None, otlp_endpoint: None };
        Library::open(&place).map_err(|failure| anyhow::anyhow!("{failure}"))
    }

    /// Signs a tenant up at a desk, in the desk's region.
    pub async fn signup(&self, desk: &Role, slug: &str) -> anyhow::Result<Tenant> {
        let region = desk.region().context("a desk has a region")?;
        let signup = setup::signup(region, slug);
        let answer = desk.client(region)?.post("/api/signup", &signup).await?.expect(201)?;
        Tenant::behind(&answer.body, |slug| desk.client(slug))
    }

    /// Runs a verb over the same stores.
    pub async fn cli(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        run(&self.folder, arguments).await
    }

    /// The same, told where the directory is: no `up` says so.
    pub async fn cli_by_directory(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        let options = self.directory_options()?;
        let arguments: Vec<&str> = arguments.iter().copied().chain(options.iter().map(String::as_str)).collect();
        self.cli(&arguments).await
    }

    /// How a desk or a command reaches the directory.
    fn directory_options(&self) -> anyhow::Result<[String; 6]> {
        let token = self.folder.path().join("data/directory/keys/token");
        let token = token.to_str().context("folders of tests have plain names")?;
        let directory = format!("http://{}", self.directory.address()?);
        let key = self.library()?.signing_key(&"directory".parse()?).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        let key = hex::encode(key.public_key());
        let options = ["--directory", &directory, "--directory-token-file", token, "--directory-key", &key];
        Ok(options.map(str::to_owned))
    }

    /// What `domicile audit verify` is to trust: the key that the region's archives are signed with.
    pub async fn verifier(&self, region: &str) -> anyhow::Result<String> {
        let ran = self.cli(&["keys", "verifier", "--region", region]).await?.expect(0)?;
        Ok(ran.stdout.trim().to_owned())
    }

    /// Where everything lies.
    pub const fn folder(&self) -> &Folder {
        &self.folder
    }
}

impl Drop for Roles {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

/// The variables by which a command finds the stores.
fn place(folder: &Folder) -> [(&'static str, PathBuf); 2] {
    [("DOMICILE_DATA", folder.path().join("data")), ("DOMICILE_REGIONS", folder.path().join("regions"))]
}

async fn run(folder: &Folder, arguments: &[&str]) -> anyhow::Result<Ran> {
    let place = place(folder);
    let place: Vec<(&str, &Path)> = place.iter().map(|(name, path)| (*name, path.as_path())).collect();
    command::run(arguments, &place).await
}

/// The repository's files of these regions, each with its stores, as seen from one road.
fn write_regions(
    target: &Path,
    regions: &[&str],
    grounds: &BTreeMap<&'static str, Arc<Ground>>,
    road: &Road,
) -> anyhow::Result<()> {
    setup::write_regions(target, regions)?;
    for (id, ground) in grounds {
        let file = target.join(format!("{id}.toml"));
        let text = format!("{}\n{}", std::fs::read_to_string(&file)?, ground.region_file(road.to(ground)));
        std::fs::write(file, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn roles_run_as_processes_of_their_own_and_come_back_after_a_kill() -> anyhow::Result<()> {
        let roles = Roles::start(Setup::regions(&["eu"])).await?;
        let mut desk = roles.desk("eu", "desk").await?;
        let _projector = roles.worker("eu", "projector", "projector").await?;
        let acme = roles.signup(&desk, "acme").await?;
        let ticket = acme.ticket("Printer", "It smokes").await?;
        roles.ground("eu")?.postgres.kill(true);
        roles.ground("eu")?.postgres.begin().await?;
        desk.kill().await?;
        roles.begin(&mut desk).await?;
        crate::wait::until("the comment", async || {
            let comments = acme.comments(ticket).await.unwrap_or_default();
            Ok((comments == ["It smokes"]).then_some(()))
        })
        .await?;
        roles.cli(&["projections", "check", "--region", "eu"]).await?.expect(0)?;
        Ok(())
    }
}
