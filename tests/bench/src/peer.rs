//! Stores that people would otherwise pick, each in a process of its own that speaks JSON lines.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

use crate::{ground::Ground, machine};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// A peer that is ready to append.
pub(crate) struct Peer {
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

#[derive(Deserialize)]
struct Appended {
    events: f64,
    seconds: f64,
}

impl Peer {
    /// `@event-driven-io/emmett-postgresql` on Node. An error says why this machine cannot run it.
    pub(crate) async fn emmett(ground: &Ground) -> anyhow::Result<Self> {
        let folder = built("emmett")?;
        for file in ["package.json", "package-lock.json", "peer.mjs"] {
            fs::copy(Path::new(SOURCES).join("emmett").join(file), folder.join(file))?;
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
        succeed(&mut install)?;
        let mut command = tokio::process::Command::new("node");
        command.arg("peer.mjs").current_dir(folder);
        Self::start(ground, command).await
    }

    /// `postgres-es` of crates.io. An error says why this machine cannot build it.
    pub(crate) async fn postgres_es(ground: &Ground) -> anyhow::Result<Self> {
        let folder = built("postgres-es")?;
        let mut build = Command::new("cargo");
        build.args(["build", "--release", "--locked", "--quiet", "--target-dir"]).arg(&folder);
        build.current_dir(Path::new(SOURCES).join("postgres-es"));
        // What the workspace's build was told is not meant for this one.
        build.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION");
        succeed(&mut build)?;
        Self::start(ground, tokio::process::Command::new(folder.join("release/bench-peer-postgres-es"))).await
    }

    async fn start(ground: &Ground, mut command: tokio::process::Command) -> anyhow::Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let missing = || anyhow::anyhow!("the peer has no pipes");
        let orders = process.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(process.stdout.take().ok_or_else(missing)?).lines();
        let mut peer = Self { orders, answers, _process: process };
        let url = ground.url(&ground.database().await?);
        peer.ask(json!({ "url": url })).await?;
        Ok(peer)
    }

    /// Events per second of so many writers, each with a stream of its own, so many events an append.
    pub(crate) async fn append(&mut self, writers: usize, batch: usize, round: Duration) -> anyhow::Result<f64> {
        let order = json!({ "writers": writers, "batch": batch, "seconds": round.as_secs_f64() });
        let Appended { events, seconds } = serde_json::from_str(&self.ask(order).await?)?;
        Ok(events / seconds)
    }

    async fn ask(&mut self, order: serde_json::Value) -> anyhow::Result<String> {
        self.orders.write_all(format!("{order}\n").as_bytes()).await?;
        self.orders.flush().await?;
        self.answers.next_line().await?.ok_or_else(|| anyhow::anyhow!("the peer ended"))
    }
}

/// Where a peer is built: beside our own build output, outside of the checkout.
fn built(peer: &str) -> anyhow::Result<PathBuf> {
    let folder = machine::build_output().join("bench/peers").join(peer);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| anyhow::anyhow!("{program}: {error}"))?;
    let last = String::from_utf8_lossy(&output.stderr).trim().lines().last().unwrap_or_default().to_owned();
    anyhow::ensure!(output.status.success(), "{program}: {last}");
    Ok(())
}
