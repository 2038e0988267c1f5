//! What is measured, a file each.

mod access;
mod append;
mod archive;
mod backup;
mod during_rebuild;
mod log_size;
mod noisy;
mod reading;
mod rebuild;
mod recovery;
mod router;
mod sizes;
mod tenants;
mod verify;
mod visible;

use std::time::Instant;

use crate::{ground::Ground, pace::Pace, report::Report};

/// What can be run alone, in the order of a whole run.
pub(crate) const NAMES: [&str; 15] = [
    "append",
    "tenants",
    "log_size",
    "during_rebuild",
    "noisy",
    "reading",
    "access",
    "rebuild",
    "verify",
    "visible",
    "archive",
    "backup",
    "recovery",
    "sizes",
    "router",
];

/// What every figure is measured with.
pub(crate) struct Bench {
    pub(crate) ground: Ground,
    pub(crate) pace: Pace,
    pub(crate) report: Report,
}

/// Measures what was asked for, or everything. What fails does not keep the others from being measured.
pub(crate) async fn measure(bench: &mut Bench, only: &[String]) -> anyhow::Result<()> {
    let wanted = |name: &&str| only.is_empty() || only.iter().any(|only| only == name);
    let mut failed = Vec::new();
    for name in NAMES.into_iter().filter(wanted) {
        let begun = Instant::now();
        eprintln!("{name}");
        bench.ground.settle().await?;
        if let Err(error) = one(bench, name).await {
            bench.report.leave_out(name, format!("failed: {error:#}"));
            failed.push(name);
        }
        eprintln!("  {:.0} s", begun.elapsed().as_secs_f64());
    }
    anyhow::ensure!(failed.is_empty(), "these failed: {}", failed.join(", "));
    Ok(())
}

async fn one(bench: &mut Bench, name: &str) -> anyhow::Result<()> {
    match name {
        "access" => access::measure(bench).await,
        "append" => append::measure(bench).await,
        "tenants" => tenants::measure(bench).await,
        "log_size" => log_size::measure(bench).await,
        "during_rebuild" => during_rebuild::measure(bench).await,
        "noisy" => noisy::measure(bench).await,
        "reading" => reading::measure(bench).await,
        "rebuild" => rebuild::measure(bench).await,
        "verify" => verify::measure(bench).await,
        "visible" => visible::measure(bench).await,
        "archive" => archive::measure(bench).await,
        "backup" => backup::measure(bench).await,
        "recovery" => recovery::measure(bench).await,
        "sizes" => sizes::measure(bench).await,
        "router" => router::measure(bench).await,
        other => unreachable!("{other} is listed and nobody measures it"),
    }
}
