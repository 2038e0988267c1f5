//! A private PostgreSQL cluster: made by `initdb`, run by `postgres`, both from the installed package.
//!
//! The cluster lives and dies with its [`Cluster`]. The server is started through `setpriv --pdeathsig`, from a thread that
//! lives as long as the server does: when this process ends in whichever way, `kill -9` included, the kernel tells the
//! server to shut down, so no server is ever left behind.

mod binaries;
mod files;
mod leftover;

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

pub use binaries::Binaries;
use files::Account;

/// The superuser of every private cluster, and the owner of its schemas.
pub const USER: &str = "domicile";

/// How often a server is started before its refusal is believed.
const ATTEMPTS_MAX: u32 = 4;

/// How a cluster treats data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// What it acknowledged is on disk.
    Durable,
    /// Quick, for tests: no fsync. The cluster says so in the setting `domicile.test_cluster`.
    Test,
}

/// Where a cluster lies and how it runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The cluster's folder: `data/`, `password`, `postgres.log`. Made when missing.
    pub folder: PathBuf,
    /// How it treats data.
    pub durability: Durability,
}

/// What keeps a cluster from running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The package is not installed.
    #[error("PostgreSQL's server programs were not found: install the package postgresql-15 (looked in {looked_in})")]
    NotInstalled {
        /// Where they were looked for.
        looked_in: String,
    },
    /// Started by root, and there is no account to run the server as.
    #[error(
        "PostgreSQL does not run as root, and there is no user \"postgres\" to run it as: install the package postgresql-15"
    )]
    NoAccount,
    /// The server's account cannot reach the folder.
    #[error(
        "the user \"postgres\" cannot reach {folder}: {blocker} keeps others out; choose another place with DOMICILE_DATA"
    )]
    Unreachable {
        /// The cluster's folder.
        folder: PathBuf,
        /// The folder on the way that has no `x` for others.
        blocker: PathBuf,
    },
    /// The data was written by another major version of the server.
    #[error(
        "{folder} was made by PostgreSQL {found}, and PostgreSQL {installed} is installed: choose another place with DOMICILE_DATA, or upgrade it with pg_upgrade"
    )]
    OtherVersion {
        /// The data folder.
        folder: PathBuf,
        /// The version that made it.
        found: String,
        /// The version that is here.
        installed: String,
    },
    /// A file or folder of the cluster could not be read or written.
    #[error("cannot prepare {path}")]
    Prepare {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program of the package could not be run.
    #[error("cannot run {program}")]
    Run {
        /// Which.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `initdb` refused.
    #[error("initdb failed: {message}")]
    Init {
        /// What it said.
        message: String,
    },
    /// The server ended before it was ready, or took too long.
    #[error("PostgreSQL did not become ready; {log} ends with: {tail}")]
    NotReady {
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
}

/// A running cluster. Dropping it stops the server.
#[derive(Debug)]
pub struct Cluster {
    port: u16,
    password: String,
    server: Pid,
    /// In a mutex, so that a cluster may be shared by tests.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Cluster {
    /// Makes the cluster if its folder is empty, and starts it on a free port of the loopback address.
    ///
    /// Blocks until the server takes connections. A server that an earlier process left behind in this folder is stopped
    /// first. `password` is used when the cluster is made, and read from its folder afterwards.
    pub fn start(config: &Config, password: &str) -> Result<Self, Error> {
        let binaries = Binaries::find()?;
        let account = Account::for_server()?;
        let folder = files::prepare(&config.folder, &account)?;
        let data = folder.join("data");
        if !data.join("PG_VERSION").exists() {
            initialise(&binaries, &account, &folder, password)?;
        }
        binaries.check_version(&data)?;
        leftover::clear(&data);
        let password = files::read(&folder.join("password"))?;
        let mut attempt = 1;
        loop {
            let port = free_port(&folder)?;
            let (server, ended) = run(&binaries, &account, config, &folder, port)?;
            let cluster = Self { port, password: password.clone(), server, ended: Mutex::new(ended) };
            match cluster.wait_ready(&folder) {
                Ok(()) => return Ok(cluster),
                // Somebody took the port in between, or processes of a killed server are still letting go of its memory.
                Err(_) if attempt < ATTEMPTS_MAX => thread::sleep(Duration::from_millis(500)),
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// The port it listens on, on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The password of [`USER`].
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The server's process, for tests that kill it.
    pub fn process_id(&self) -> i32 {
        self.server.as_raw()
    }

    /// Whether the server has ended by itself.
    pub fn has_ended(&self) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).try_recv();
        !matches!(ended, Err(mpsc::TryRecvError::Empty))
    }

    /// Stops the server: connections are ended, everything is flushed. Blocks until it is gone.
    pub fn stop(self) {
        drop(self);
    }

    fn wait_ready(&self, folder: &Path) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_ready(&folder.join("data"), self.server) {
            if self.has_ended() || Instant::now() > deadline {
                let log = folder.join("postgres.log");
                return Err(Error::NotReady { tail: files::tail(&log), log });
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        // SIGINT is a "fast" shutdown; SIGQUIT the immediate one, should the first take too long.
        for (signal, patience) in [(Signal::SIGINT, 20), (Signal::SIGQUIT, 5), (Signal::SIGKILL, 5)] {
            let _ = signal::kill(self.server, signal);
            let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
            if !matches!(ended.recv_timeout(Duration::from_secs(patience)), Err(mpsc::RecvTimeoutError::Timeout)) {
                return;
            }
        }
    }
}

fn initialise(binaries: &Binaries, account: &Account, folder: &Path, password: &str) -> Result<(), Error> {
    // A leftover of an initdb that was cut off would be refused as "not empty".
    let data = folder.join("data");
    if data.exists() {
        std::fs::remove_dir_all(&data).map_err(|source| Error::Prepare { path: data.clone(), source })?;
    }
    let password_file = folder.join("password");
    files::write_secret(&password_file, password, account)?;
    let program = binaries.program("initdb");
    let mut command = account.command(&program);
    command.args([
        "--username",
        USER,
        "--auth",
        "scram-sha-256",
        "--encoding",
        "UTF8",
        "--locale",
        "C.UTF-8",
        "--pwfile",
    ]);
    command.arg(&password_file).arg("--pgdata").arg(&data);
    // The first start syncs everything that matters; syncing an empty cluster protects nothing.
    command.arg("--no-sync");
    let output = command.output().map_err(|source| Error::Run { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Init { message: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

/// Starts the server in a thread of its own, which waits for it: the kernel's parent-death signal follows the thread.
fn run(
    binaries: &Binaries,
    account: &Account,
    config: &Config,
    folder: &Path,
    port: u16,
) -> Result<(Pid, mpsc::Receiver<()>), Error> {
    let log = files::open_log(&folder.join("postgres.log"))?;
    let program = binaries.program("postgres");
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "SIGINT"]).args(account.setpriv_arguments()).arg("--").arg(&program);
    command.arg("-D").arg(folder.join("data")).args(settings(config.durability, port));
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    // A terminal's Ctrl-C goes to the whole foreground group: the server must not take it, or it would be gone before those
    // who still drain into it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);

    let (started, server) = mpsc::sync_channel(1);
    let (end, ended) = mpsc::channel();
    thread::spawn(move || match command.spawn() {
        Ok(mut child) => {
            let id = i32::try_from(child.id()).expect("Linux process ids fit 22 bits");
            let _ = started.send(Ok(Pid::from_raw(id)));
            let _ = child.wait();
            let _ = end.send(());
        }
        Err(error) => {
            let _ = started.send(Err(error));
        }
    });
    let server = server.recv().expect("the thread sends before it ends");
    Ok((server.map_err(|source| Error::Run { program, source })?, ended))
}

fn settings(durability: Durability, port: u16) -> Vec<String> {
    let mut settings: Vec<String> = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=120",
        "shared_buffers=64MB",
        "log_min_messages=warning",
        // The detail of a unique violation repeats the row's values; a log line holds no personal data.
        "log_error_verbosity=terse",
        "log_min_error_statement=panic",
    ]
    .map(str::to_owned)
    .into();
    settings.push(format!("port={port}"));
    if durability == Durability::Test {
        let quick = [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "domicile.test_cluster=on",
            "max_connections=400",
        ];
        settings.extend(quick.map(str::to_owned));
    }
    settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

/// The eighth line of `postmaster.pid` says "ready" once connections are taken.
fn is_ready(data: &Path, server: Pid) -> bool {
    let Ok(text) = std::fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let mut lines = text.lines();
    lines.next() == Some(server.to_string().as_str()) && lines.nth(6).is_some_and(|status| status.trim() == "ready")
}

fn free_port(folder: &Path) -> Result<u16, Error> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    free.map(|address| address.port()).map_err(|source| Error::Prepare { path: folder.to_owned(), source })
}
