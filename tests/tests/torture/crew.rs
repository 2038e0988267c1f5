//! The processes that are tortured, and who starts them again: a keeper for each, as a machine's own supervisor would.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use system_tests::{
    disk::Disk,
    folder::Folder,
    kafka::Broker,
    process::processes_of,
    proxy::Proxy,
    roles::{Postgres, Role, Roles, Setup},
    wait,
};
use testkit::skipped;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::sleep,
};

pub(crate) const REGION: &str = "eu";
const DISK_MB: u64 = 4096;
const DESKS: usize = 2;
const PARTITIONS: usize = 4;
const WORKERS: [(&str, usize); 2] = [("projector", 2), ("replicator", 1)];
/// Those that a region reads its log through Kafka with. The relays come first: they make the topic.
const WORKERS_OF_KAFKA: [(&str, usize); 3] = [("relay", 2), ("projector", 2), ("replicator", 2)];
/// How often a keeper looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A role under a keeper.
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where clients reach it, if it is a desk.
    pub(crate) front: Option<SocketAddr>,
    /// Its road to Postgres, which is disturbed and mended whether or not it runs.
    pub(crate) database: Arc<Proxy>,
    role: Mutex<Role>,
}

/// One region with two of most roles.
pub(crate) struct Crew {
    /// Under the data of Postgres; none where this user cannot mount one. Dropped before the folder it lies in.
    pub(crate) disk: Option<Disk>,
    pub(crate) roles: Roles,
    pub(crate) members: Vec<Member>,
    /// Postgres has it while it is down.
    postgres: Mutex<()>,
    clock: PathBuf,
    /// And whether it runs; none where Kafka is left out.
    broker: Option<Mutex<(Broker, bool)>>,
    /// Starts that failed, because a store was away: tried again.
    pub(crate) failed_starts: AtomicUsize,
}

/// Whether Postgres is to lie on a disk that can be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    SmallDisk,
    /// Without fsync too.
    Careless,
}

impl Crew {
    pub(crate) async fn start(ground: Ground, broker: Option<Broker>) -> anyhow::Result<Self> {
        let folder = Folder::new()?;
        let clock = folder.path().join("clock");
        let postgres = folder.path().join("data").join(REGION).join("postgres");
        let disk = if ground == Ground::SmallDisk { Disk::mount(&postgres, DISK_MB)? } else { None };
        if ground == Ground::SmallDisk && disk.is_none() {
            skipped("the full disk of the torture", "this user cannot mount a small disk");
        }
        let setup = Setup::regions(&[REGION]).with("DOMICILE_CLOCK_OFFSET_FILE", &clock);
        let setup = if ground == Ground::Careless { setup.without_fsync() } else { setup };
        let roles = Roles::start_in(setup, folder).await?;
        let workers = match &broker {
            None => &WORKERS[..],
            Some(broker) => {
                let tables = format!(
                    "[kafka]\nbrokers = [{:?}]\npartitions = {PARTITIONS}\nreplication = 1\nsecurity = \"plaintext\"",
                    broker.address()
                );
                roles.configure(REGION, "feed = \"kafka\"", &tables)?;
                &WORKERS_OF_KAFKA[..]
            }
        };
        let mut members = Vec::new();
        for number in 1..=DESKS {
            members.push(Member::new(roles.desk(REGION, &format!("desk-{number}")).await?)?);
        }
        for &(verb, count) in workers {
            for number in 1..=count {
                members.push(Member::new(roles.worker(REGION, verb, &format!("{verb}-{number}")).await?)?);
            }
        }
        Ok(Self {
            disk,
            roles,
            members,
            postgres: Mutex::default(),
            clock,
            broker: broker.map(|broker| Mutex::new((broker, true))),
            failed_starts: AtomicUsize::default(),
        })
    }

    /// Does some work, and starts again whatever ends meanwhile.
    pub(crate) async fn kept<T>(&self, work: impl Future<Output = T>) -> T {
        let keepers = join_all(self.members.iter().map(async |member| {
            loop {
                sleep(PAUSE).await;
                self.revive(member).await;
            }
        }));
        let postgres = async {
            loop {
                sleep(PAUSE).await;
                self.revive_postgres().await;
            }
        };
        let broker = async {
            loop {
                sleep(PAUSE).await;
                self.revive_broker().await;
            }
        };
        tokio::select! {
            outcome = work => outcome,
            () = broker => unreachable!("keepers do not end"),
            _ = keepers => unreachable!("keepers do not end"),
            () = postgres => unreachable!("keepers do not end"),
        }
    }

    async fn revive(&self, member: &Member) {
        let mut role = member.role.lock().await;
        if role.has_ended() && self.roles.begin(&mut role).await.is_err() {
            self.failed_starts.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn revive_postgres(&self) {
        let _turn = self.postgres.lock().await;
        if self.store().has_ended() && self.store().begin().await.is_err() {
            self.failed_starts.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn revive_broker(&self) {
        let Some(broker) = &self.broker else { return };
        let (broker, is_up) = &mut *broker.lock().await;
        if !*is_up {
            *is_up = broker.begin().await.is_ok();
            self.failed_starts.fetch_add(usize::from(!*is_up), Ordering::Relaxed);
        }
    }

    pub(crate) fn store(&self) -> &Postgres {
        &self.roles.ground(REGION).expect("it was set up").postgres
    }

    /// `kill -9`, and some time before the keeper may start it again. Waits first until there is something to kill.
    pub(crate) async fn kill(&self, member: &Member, down: Duration) -> anyhow::Result<()> {
        let role = member.running().await;
        role.kill().await?;
        sleep(down).await;
        Ok(())
    }

    /// The same for Postgres, with or without what it started.
    pub(crate) async fn kill_postgres(&self, with_children: bool, down: Duration) {
        loop {
            let turn = self.postgres.lock().await;
            if !self.store().has_ended() {
                self.store().kill(with_children);
                sleep(down).await;
                return;
            }
            drop(turn);
            sleep(PAUSE).await;
        }
    }

    /// The same for the broker.
    pub(crate) async fn kill_broker(&self, down: Duration) -> anyhow::Result<()> {
        let Some(broker) = &self.broker else { return Ok(()) };
        loop {
            let (broker, is_up) = &mut *broker.lock().await;
            if *is_up {
                *is_up = false;
                broker.kill().await?;
                sleep(down).await;
                return Ok(());
            }
            sleep(PAUSE).await;
        }
    }

    pub(crate) const fn has_broker(&self) -> bool {
        self.broker.is_some()
    }

    /// Kills Postgres and does something with its folder before it may come back.
    pub(crate) async fn with_postgres_down<T>(&self, work: impl FnOnce(&Path) -> T) -> anyhow::Result<T> {
        let _turn = self.postgres.lock().await;
        self.store().kill(true);
        let data = self.store().folder().join("data");
        wait::until("nobody works in the data any more", async || Ok(processes_of(&data).is_empty().then_some(())))
            .await?;
        Ok(work(self.store().folder()))
    }

    pub(crate) fn desks(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.front.is_some())
    }

    /// Steps the clock of every process: so far from the true one.
    pub(crate) fn set_clock(&self, seconds: i64) -> anyhow::Result<()> {
        // Renamed, so that nobody reads half a number.
        let staged = self.clock.with_extension("new");
        std::fs::write(&staged, seconds.to_string())?;
        Ok(std::fs::rename(staged, &self.clock)?)
    }
}

impl Member {
    fn new(role: Role) -> anyhow::Result<Self> {
        let (front, database) = (role.front().ok().map(Proxy::address), Arc::clone(role.database()?));
        Ok(Self { name: role.name().to_owned(), front, database, role: Mutex::new(role) })
    }

    /// The role, while it runs: nobody else starts or kills it as long as this is held.
    pub(crate) async fn running(&self) -> MutexGuard<'_, Role> {
        loop {
            let role = self.role.lock().await;
            if !role.has_ended() {
                return role;
            }
            drop(role);
            sleep(PAUSE).await;
        }
    }
}
