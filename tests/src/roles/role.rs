//! One role: its process, its folder, and the ways to it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use embedded::postgres::USER;
use nix::sys::signal::Signal;

use super::{Ground, Postgres, place};
use crate::{
    client::Client,
    command,
    folder::Folder,
    process::Child,
    proxy::{Proxy, Target},
    wait,
};

/// From the start of the process to its line `ready:`, on a machine that does much else.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// A role as a process. Dropping it kills it.
#[derive(Debug)]
pub struct Role {
    name: String,
    arguments: Vec<String>,
    environment: Vec<(String, PathBuf)>,
    folder: PathBuf,
    process: Option<Child>,
    address: Option<SocketAddr>,
    operations: Option<SocketAddr>,
    /// Its region, and its own road to that region's Postgres.
    database: Option<(&'static str, Arc<Proxy>)>,
    front: Option<(Proxy, Target)>,
}

/// By which proxies a region file leads to Postgres, and as which role.
pub(super) enum Road {
    /// The one of the test and of commands, which enter as the desk does.
    Shared,
    /// A role's own to the Postgres of its region.
    Own { region: &'static str, address: SocketAddr, verb: String },
}

impl Road {
    pub(super) fn to<'road>(&'road self, ground: &Ground) -> (SocketAddr, &'road str) {
        match self {
            Self::Own { region, address, verb } if *region == ground.id => (*address, verb),
            _ => (ground.door(), "desk"),
        }
    }
}

impl Role {
    pub(super) fn new(
        shared: &Folder,
        name: &str,
        arguments: Vec<String>,
        mut environment: Vec<(String, PathBuf)>,
    ) -> Self {
        let folder = shared.path().join("roles").join(name);
        let [(data, data_folder), (regions, _)] = place(shared);
        environment.push((data.to_owned(), data_folder));
        environment.push((regions.to_owned(), folder.join("regions")));
        Self {
            name: name.to_owned(),
            arguments,
            environment,
            folder,
            process: None,
            address: None,
            operations: None,
            database: None,
            front: None,
        }
    }

    /// The directory, running.
    pub(super) async fn directory(shared: &Folder, postgres: &Postgres) -> anyhow::Result<Self> {
        let address = postgres.target().get().context("it runs")?;
        let password = postgres.password_file();
        let arguments = [
            "directory",
            "--database-host",
            "127.0.0.1",
            "--database-port",
            &address.port().to_string(),
            "--database-name",
            "postgres",
            "--database-user",
            USER,
            "--database-password-file",
            password.to_str().context("folders of tests have plain names")?,
            "--listen",
            "127.0.0.1:0",
        ];
        let mut role = Self::new(shared, "directory", arguments.map(str::to_owned).to_vec(), Vec::new());
        crate::folder::copy(&shared.path().join("regions"), &role.regions_folder())?;
        role.begin().await?;
        Ok(role)
    }

    pub(super) fn reach_postgres_by(&mut self, region: &'static str, proxy: Proxy) {
        self.database = Some((region, Arc::new(proxy)));
    }

    pub(super) fn stand_behind(&mut self, proxy: Proxy, target: Target) {
        self.front = Some((proxy, target));
    }

    pub(super) fn road(&self) -> Road {
        let own = |(region, proxy): &(&'static str, Arc<Proxy>)| Road::Own {
            region,
            address: proxy.address(),
            verb: self.arguments[0].clone(),
        };
        self.database.as_ref().map_or(Road::Shared, own)
    }

    pub(super) fn regions_folder(&self) -> PathBuf {
        self.folder.join("regions")
    }

    /// Starts it and waits until it is ready. An error, if it ends before; [`super::Roles::begin`] also writes its files anew.
    pub(super) async fn begin(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.has_ended(), "{} runs already", self.name);
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let mut command = command::command(&arguments)?;
        command.env("DOMICILE_LOG", "info,sqlx=warn").envs(self.environment.iter().map(|(name, value)| (name, value)));
        fs::create_dir_all(&self.folder)?;
        let (output, log) = (self.folder.join("out"), self.log_file());
        let printed_before = read(&output)?.len();
        let process = Child::start(&command, &output, &log)?;
        let what = format!("{} is ready", self.name);
        let ready = wait::until_within(START_PATIENCE, &what, async || {
            let printed = read(&output)?;
            let ready = printed[printed_before..].lines().find(|line| line.starts_with("ready: ")).map(str::to_owned);
            if ready.is_none()
                && let Some(status) = process.ended()
            {
                anyhow::bail!("{} ended before it was ready: {status}\n{}", self.name, last_lines(&read(&log)?));
            }
            Ok(ready)
        });
        let ready = ready.await?;
        self.process = Some(process);
        (self.address, self.operations) = (address_after(&ready, "at "), address_after(&ready, "operations at "));
        if self.address.is_none() {
            self.address = address_after(&ready, "http://");
        }
        if let (Some((_, target)), Some(address)) = (&self.front, self.address) {
            target.set(address);
        }
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its region; the directory has none.
    pub fn region(&self) -> Option<&'static str> {
        self.database.as_ref().map(|(region, _)| *region)
    }

    /// Where it listens itself, past the proxy in front of it.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        self.address.with_context(|| format!("{} has no address", self.name))
    }

    /// Where it serves `/healthz`, `/readyz` and `/metrics`.
    pub fn operations(&self) -> anyhow::Result<SocketAddr> {
        self.operations.with_context(|| format!("{} serves no operations", self.name))
    }

    /// The proxy by which it reaches Postgres.
    pub fn database(&self) -> anyhow::Result<&Arc<Proxy>> {
        let database = self.database.as_ref().map(|(_, proxy)| proxy);
        database.with_context(|| format!("{} reaches Postgres by itself", self.name))
    }

    /// The proxy by which clients reach it: it stays where it is when the desk is killed and started again.
    pub fn front(&self) -> anyhow::Result<&Proxy> {
        let front = self.front.as_ref().map(|(proxy, _)| proxy);
        front.with_context(|| format!("{} has no clients", self.name))
    }

    /// A client of `<label>.<apex>` at this desk.
    pub fn client(&self, label: &str) -> anyhow::Result<Client> {
        Client::new(self.front()?.address(), &format!("{label}.{}", super::APEX))
    }

    /// Sends its process a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// `kill -9`; waits for the end.
    pub async fn kill(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGKILL);
        wait::until(&format!("the end of {}", self.name), async || Ok(self.has_ended().then_some(()))).await
    }

    /// Whether its process has ended, or never began.
    pub fn has_ended(&self) -> bool {
        self.process.as_ref().is_none_or(|process| process.ended().is_some())
    }

    /// The file of its log lines, over all its starts.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// The address behind some words of a line.
fn address_after(line: &str, words: &str) -> Option<SocketAddr> {
    line.split(words).skip(1).find_map(|rest| {
        let end = rest.find([',', ';', ' ']).unwrap_or(rest.len());
        rest[..end].trim().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_the_line_that_says_ready() {
        let desk = "ready: region eu at 127.0.0.1:1, operations at 127.0.0.1:2";
        assert_eq!(address_after(desk, "at ").map(|it| it.port()), Some(1));
        assert_eq!(address_after(desk, "operations at ").map(|it| it.port()), Some(2));
        let directory = "ready: http://127.0.0.1:3; public key 00";
        assert_eq!(address_after(directory, "http://").map(|it| it.port()), Some(3));
    }
}
