//! Verifying an archive of a million events, against decompressing and hashing the same segments: `zstd -dc | sha256sum`. And the
//! memory that takes, against an archive a tenth as long.

mod archived;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use archive::layout;
use auditor::{Folder, Options};
use serde::{Deserialize, Serialize};

use super::Bench;
use crate::{
    history::EVENTS_PER_TICKET,
    report::{Figure, Reach},
    turns::turns,
};

/// How many times longer the long archive is.
const LONGER: i64 = 10;

/// What verifying took.
#[derive(Serialize, Deserialize)]
pub(crate) struct Taken {
    seconds: f64,
    /// The most memory that the process held at one time, in kilobytes.
    peak_kb: f64,
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    if Command::new("zstd").arg("--version").output().is_err() {
        bench.report.leave_out("verify", "zstd is not installed");
        return Ok(());
    }
    let store = bench.ground.store().await?;
    let (long, short) = (bench.ground.folder().join("long"), bench.ground.folder().join("short"));
    let tickets = bench.pace.many_tickets;
    archived::write(&store, long.clone(), tickets).await?;
    archived::write(&store, short.clone(), tickets / LONGER).await?;
    let events = (tickets * EVENTS_PER_TICKET) as f64;
    let ours = async || Ok(events / in_a_process(&long)?.seconds);
    let against = async || Ok(events / decompressed_and_hashed(&long.join(layout::EVENTS))?);
    let pairs = turns(bench.pace.rounds, ours, against).await?;
    let (name, against, unit) = ("verify", "zstd -dc | sha256sum", "events/s");
    bench.report.add(Figure { name, against, unit, reach: Reach::AtLeast(0.5) }, &pairs);
    let held = async |folder: &Path| Ok(in_a_process(folder)?.peak_kb / 1e3);
    let pairs = turns(bench.pace.rounds, async || held(&long).await, async || held(&short).await).await?;
    let (name, against, unit) = ("verify_memory", "an archive a tenth as long", "MB at the peak");
    bench.report.add(Figure { name, against, unit, reach: Reach::AtMost(1.2) }, &pairs);
    for folder in [long, short] {
        fs::remove_dir_all(folder)?;
    }
    store.end(&bench.ground).await
}

/// Verifies in a process of its own, whose memory nobody else uses.
fn in_a_process(folder: &Path) -> anyhow::Result<Taken> {
    let output = Command::new(std::env::current_exe()?).arg("--verify").arg(folder).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What that process does.
pub(crate) async fn alone(folder: PathBuf) -> anyhow::Result<Taken> {
    let begun = Instant::now();
    let found = auditor::verify(&Folder::new(folder), &Options::default(), &mut |_| {}).await?;
    let seconds = begun.elapsed().as_secs_f64();
    anyhow::ensure!(found.is_clean(), "the archive of the benchmark verifies: {:?}", found.findings);
    Ok(Taken { seconds, peak_kb: peak_kb()? })
}

fn peak_kb() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    Ok(kb.ok_or_else(|| anyhow::anyhow!("the system does not say what a process holds"))?.trim().parse()?)
}

/// The seconds the peer takes.
fn decompressed_and_hashed(segments: &Path) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let peer = Command::new("sh").args(["-c", "zstd -dcq *.zst | sha256sum"]).current_dir(segments).output()?;
    anyhow::ensure!(peer.status.success(), "zstd and sha256sum run: {}", String::from_utf8_lossy(&peer.stderr));
    Ok(begun.elapsed().as_secs_f64())
}
