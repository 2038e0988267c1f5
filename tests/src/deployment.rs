//! A running `domicile up` on a data folder of its own, and every way to end it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use anyhow::Context;
use domicile::{cli::Place, running::Running};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use schemas::RegionId;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{
    client::{Answer, Client},
    command::{self, Ran},
    folder::Folder,
    process::{self, Child},
    setup::{self, Setup},
    tenant::Tenant,
    wait,
};

/// From the start of the process to its last line, on a machine that does much else.
const START_PATIENCE: Duration = Duration::from_secs(90);

/// How a start went.
#[derive(Debug, Clone, Copy)]
pub enum Begun {
    /// It serves.
    Ready,
    /// It ended before it served.
    Ended(ExitStatus),
}

/// A deployment: its folder, and its process while it has one.
#[derive(Debug)]
pub struct Deployment {
    process: Option<Child>,
    running: Option<Running>,
    setup: Setup,
    folder: Folder,
}

static SHARED: OnceCell<Deployment> = OnceCell::const_new();

impl Deployment {
    /// The one deployment of a test binary, for tests that do not end it. Each test signs up tenants of its own. The kernel ends
    /// it with the binary.
    pub async fn shared() -> anyhow::Result<&'static Self> {
        SHARED.get_or_try_init(|| Self::start(Setup::four_regions())).await
    }

    /// Starts one and waits until it is ready.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        let mut deployment = Self::prepare(setup)?;
        deployment.begin().await?;
        Ok(deployment)
    }

    /// A folder for one that does not run yet.
    pub fn prepare(setup: Setup) -> anyhow::Result<Self> {
        let folder = Folder::new()?;
        if let Some(regions) = &setup.regions {
            setup::write_regions(&folder.path().join("regions"), regions)?;
        }
        Ok(Self { process: None, running: None, setup, folder })
    }

    /// Starts it on its folder and waits until it is ready.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        match self.launch(&[]).await? {
            Begun::Ready => Ok(()),
            Begun::Ended(status) => anyhow::bail!("it ended: {status}\n{}\n{}", self.output()?, self.log()?),
        }
    }

    /// Starts it on its folder with more variables, and waits until it is ready or has ended.
    pub async fn launch(&mut self, environment: &[(&str, &str)]) -> anyhow::Result<Begun> {
        anyhow::ensure!(self.process.as_ref().is_none_or(|process| process.ended().is_some()), "it runs already");
        let mut command = command::command(&["up"])?;
        command.envs(self.place()).env("DOMICILE_LISTEN", "127.0.0.1:0").env("DOMICILE_LISTEN_TLS", "127.0.0.1:0");
        command.envs(self.setup.environment.iter().map(|(name, value)| (name, value)));
        command.envs(environment.iter().copied());
        let printed_before = self.output()?.len();
        let process = Child::start(&command, &self.output_file(), &self.log_file())?;
        let (output_file, child) = (self.output_file(), &process);
        let begun = wait::until_within(START_PATIENCE, "the line `ready:`", async || {
            let output = read(&output_file)?;
            let is_ready = output[printed_before..].lines().any(|line| line.starts_with("ready: "));
            let ended = child.ended().map(Begun::Ended);
            Ok(if is_ready { Some(Begun::Ready) } else { ended })
        });
        let begun = begun
            .await
            .with_context(|| format!("{}\n{}", self.output().unwrap_or_default(), self.log().unwrap_or_default()))?;
        self.process = Some(process);
        if matches!(begun, Begun::Ready) {
            let running = fs::read(self.data().join("running.json"))?;
            self.running = Some(serde_json::from_slice(&running)?);
        }
        Ok(begun)
    }

    /// Where its data lies.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its region files.
    pub fn regions_folder(&self) -> PathBuf {
        match self.setup.regions {
            Some(_) => self.folder.path().join("regions"),
            None => crate::repository().join("regions"),
        }
    }

    /// A path beside its data that goes away with it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything it ever printed.
    pub fn output(&self) -> anyhow::Result<String> {
        read(&self.output_file())
    }

    /// Every log line it ever wrote.
    pub fn log(&self) -> anyhow::Result<String> {
        read(&self.log_file())
    }

    /// The file of what it prints.
    pub fn output_file(&self) -> PathBuf {
        self.folder.path().join("up.out")
    }

    /// The file of its log lines.
    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("up.log")
    }

    /// Its addresses.
    pub fn running(&self) -> anyhow::Result<&Running> {
        self.running.as_ref().context("it never was ready")
    }

    /// The same folders, for the product's own library.
    pub fn library(&self) -> anyhow::Result<domicile::deployment::Deployment> {
        let place = Place { data: self.data(), regions: self.regions_folder(), log: None, otlp_endpoint: None };
        domicile::deployment::Deployment::open(&place).map_err(|failure| anyhow::anyhow!("{failure}"))
    }

    /// A region of it with the endpoints of its stores.
    pub fn region(&self, id: &str) -> anyhow::Result<regions::Region> {
        let id: RegionId = id.parse()?;
        self.library()?.region(&id).map_err(|failure| anyhow::anyhow!("{failure}"))
    }

    /// A region's bucket, for reading.
    pub async fn bucket(&self, id: &str) -> anyhow::Result<regions::Bucket> {
        let bucket = self.library()?.bucket(&self.region(id)?, regions::BucketRole::Reader).await;
        bucket.map_err(|failure| anyhow::anyhow!("{failure}"))
    }

    /// A client of `<label>.<apex>`.
    pub fn client(&self, label: &str) -> anyhow::Result<Client> {
        let running = self.running()?;
        Client::new(running.listen, &format!("{label}.{}", running.apex))
    }

    /// Signs a tenant up that chose the region.
    pub async fn signup(&self, region: &str, slug: &str) -> anyhow::Result<Tenant> {
        let answer = self.try_signup(region, &setup::signup(region, slug)).await?.expect(201)?;
        let tenant = Tenant::of(self, &answer.body)?;
        // On a busy machine the answer may be quicker than the read models, and says so.
        if answer.headers.get("x-domicile-visible").is_none_or(|visible| visible != "yes") {
            wait::until("the read models know who signed up", async || {
                Ok((tenant.client.get("/api/domicile/v1/marks").await?.status == 200).then_some(()))
            })
            .await?;
        }
        Ok(tenant)
    }

    /// Posts a signup to a region.
    pub async fn try_signup(&self, region: &str, body: &Value) -> anyhow::Result<Answer> {
        self.client(region)?.post("/api/signup", body).await
    }

    /// Runs a verb against it.
    pub async fn cli(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        self.cli_with(arguments, &[]).await
    }

    /// Runs a verb against it, in this environment.
    pub async fn cli_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Ran> {
        let place = self.place();
        let place = place.iter().map(|(name, path)| (*name, path.as_path()));
        let environment = environment.iter().map(|(name, value)| (*name, Path::new(*value)));
        command::run(arguments, &place.chain(environment).collect::<Vec<_>>()).await
    }

    /// Brings every archive of a region to its tenant's head now, instead of when its replicator comes to it.
    pub async fn flush(&self, region: &str) -> anyhow::Result<()> {
        self.cli(&["backup", "create", "--region", region]).await?.expect(0).map(drop)
    }

    /// How its process ended; waits for that.
    pub async fn ended(&self) -> anyhow::Result<ExitStatus> {
        let process = self.process.as_ref().context("it never was started")?;
        wait::until("the end of `domicile up`", async || Ok(process.ended())).await
    }

    /// Whether its process has ended.
    pub fn has_ended(&self) -> bool {
        self.process.as_ref().is_none_or(|process| process.ended().is_some())
    }

    /// Ctrl-C; waits for the end.
    pub async fn interrupt(&self) -> anyhow::Result<ExitStatus> {
        self.process.as_ref().context("it never was started")?.signal(Signal::SIGINT);
        self.ended().await
    }

    /// `kill -9` of the process alone; its servers learn from the kernel.
    pub async fn kill(&self) -> anyhow::Result<()> {
        self.process.as_ref().context("it never was started")?.signal(Signal::SIGKILL);
        self.ended().await.map(drop)
    }

    /// `kill -9` of the process and of every server it started, at once.
    pub async fn kill_everything(&self) -> anyhow::Result<()> {
        let servers = process::processes_of(&self.data());
        let process = self.process.as_ref().context("it never was started")?;
        process.signal(Signal::SIGKILL);
        for server in servers.into_iter().filter(|&server| server != process.id()) {
            // It may have ended between the look and the kill.
            let _ = signal::kill(server, Signal::SIGKILL);
        }
        self.ended().await.map(drop)
    }

    /// The process of a region's Postgres server; `directory` has one, too.
    pub fn postgres(&self, region: &str) -> anyhow::Result<Pid> {
        let file = self.data().join(region).join("postgres/data/postmaster.pid");
        let text = read(&file)?;
        let process = text.lines().next().with_context(|| format!("{} is empty", file.display()))?;
        Ok(Pid::from_raw(process.trim().parse()?))
    }

    /// The variables by which a command finds it.
    pub fn place(&self) -> [(&'static str, PathBuf); 2] {
        [("DOMICILE_DATA", self.data()), ("DOMICILE_REGIONS", self.regions_folder())]
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let left = process::processes_of(self.folder.path());
        drop(self.process.take());
        for process in left {
            let _ = signal::kill(process, Signal::SIGKILL);
        }
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}
