//! A real Apache Kafka broker of a test's own: one node that is broker and controller, with its records in the test's folder.
//!
//! The jars come from `infra/kafka/fetch.sh`. Where there is no Java, or nothing to fetch them with, the test is skipped by name.
//! A broker dies with the test binary, however that ends.

mod ask;

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::Context;
use nix::sys::signal::Signal;
use tokio::sync::OnceCell;

use crate::{command, folder::Folder, process::Child, wait};

/// Little memory, and a start that does not wait for good code.
const JAVA: [&str; 4] = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/// One node, quick to rebalance and to believe that its last life is over; nothing is made that nobody asked for.
const SETTINGS: &str = "\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
num.network.threads=1
num.io.threads=2
log.cleaner.dedupe.buffer.size=2097152
";

/// A broker, and its process while it has one.
#[derive(Debug)]
pub struct Broker {
    process: Option<Child>,
    jars: PathBuf,
    port: u16,
    controller_port: u16,
    cluster: String,
    folder: Folder,
}

static SHARED: OnceCell<Option<Broker>> = OnceCell::const_new();

impl Broker {
    /// The one broker of a test binary, for tests that do not end it, each with topics of its own. Nothing where there can be
    /// none: the test is skipped under this name.
    pub async fn shared(test: &str) -> anyhow::Result<Option<&'static Self>> {
        if let Err(reason) = jars().await? {
            testkit::skipped(test, reason);
            return Ok(None);
        }
        Ok(SHARED.get_or_try_init(|| Self::start(test)).await?.as_ref())
    }

    /// Starts one and waits until it answers. Nothing where there can be none: the test is skipped under this name.
    pub async fn start(test: &str) -> anyhow::Result<Option<Self>> {
        let jars = match jars().await? {
            Ok(jars) => jars.clone(),
            Err(reason) => {
                testkit::skipped(test, reason);
                return Ok(None);
            }
        };
        let (port, controller_port, folder) = (free_port()?, free_port()?, Folder::new()?);
        let mut broker = Self { process: None, jars, port, controller_port, cluster: String::new(), folder };
        broker.format()?;
        broker.begin().await?;
        Ok(Some(broker))
    }

    /// Starts it on its port and its records, and waits until it answers.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.process.is_none(), "it runs already");
        let mut java = Command::new("java");
        java.args(JAVA).arg("-cp").arg(self.jars.join("*")).arg("kafka.Kafka").arg(self.settings_file());
        let log = self.folder.path().join("broker.log");
        let process = Child::start(&java, &log, &log)?;
        let answers = wait::until("the broker answers", async || {
            anyhow::ensure!(process.ended().is_none(), "the broker ended by itself");
            Ok(self.is_up().await?.then_some(()))
        });
        answers.await.with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        self.process = Some(process);
        Ok(())
    }

    /// `kill -9`.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let process = self.process.take().context("it does not run")?;
        process.signal(Signal::SIGKILL);
        wait::until("the broker's end", async || Ok(process.ended())).await.map(drop)
    }

    /// Stops it where it stands: connections stay open, and nobody answers.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Somebody puts a new, empty cluster in its place.
    pub async fn replace(&mut self) -> anyhow::Result<()> {
        self.kill().await?;
        fs::remove_dir_all(self.data())?;
        self.format()?;
        self.begin().await
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its cluster's id.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Where everything of it lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What `kafka-storage format` does for a single node: names the cluster. The rest is made at the first start.
    fn format(&mut self) -> anyhow::Result<()> {
        // Letters and digits are base64, and 22 of them sixteen bytes.
        self.cluster = format!("{:0>21}A", format!("{}x{}", std::process::id(), unique()));
        let (port, controller, data) = (self.port, self.controller_port, self.data());
        fs::create_dir_all(&data)?;
        fs::write(data.join("meta.properties"), format!("version=1\ncluster.id={}\nnode.id=1\n", self.cluster))?;
        let settings = format!(
            "{SETTINGS}listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\nlog.dirs={}\n",
            data.display()
        );
        Ok(fs::write(self.settings_file(), settings)?)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.process.as_ref().context("it does not run")?.signal(signal);
        Ok(())
    }

    fn settings_file(&self) -> PathBuf {
        self.folder.path().join("broker.properties")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("records")
    }
}

/// Where the jars lie, or why there are none on this machine.
async fn jars() -> anyhow::Result<&'static Result<PathBuf, String>> {
    static JARS: OnceCell<Result<PathBuf, String>> = OnceCell::const_new();
    let fetch = async || {
        let ran = command::finish(Command::new(crate::repository().join("infra/kafka/fetch.sh"))).await?;
        Ok(match ran.code {
            Some(69) => Err(ran.stderr.trim().to_owned()),
            _ => Ok(PathBuf::from(ran.expect(0)?.stdout.trim())),
        })
    };
    JARS.get_or_try_init(fetch).await
}

/// A port that stays free while the broker is down: none of those that the kernel gives to whoever asks for any.
fn free_port() -> io::Result<u16> {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 20_000;
    let own = u16::try_from(std::process::id() % u32::from(COUNT)).expect("less than a count of ports");
    let candidates = (0..COUNT).map(|_| FIRST + (own + unique()) % COUNT);
    let mut free = candidates.filter(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    free.next().ok_or_else(|| io::ErrorKind::AddrInUse.into())
}

/// Another number at each call.
fn unique() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
