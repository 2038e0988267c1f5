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

pub(crate) use self::verify::alone as verify_alone;
use crate::{ground::Ground, pace::Pace, report::Report};

/// What can be run alone, in the order of a whole run, with the figures that it gives.
pub(crate) const NAMES: [(&str, &[&str]); 15] = [
    (
        "append",
        &[
            "append_1_writer_latency",
            "append_1_writer_latency_emmett",
            "append_1_writer_latency_postgres_es",
            "append_16_writers",
            "append_16_writers_emmett",
            "append_16_writers_postgres_es",
            "append_64_writers",
            "append_64_writers_emmett",
            "append_64_writers_postgres_es",
            "append_batches_of_100",
            "append_batches_of_100_emmett",
            "append_batches_of_100_postgres_es",
            "append_batches_of_100_one_insert",
        ],
    ),
    (
        "tenants",
        &["append_latency_1000_tenants", "append_latency_10000_tenants", "tenants_10000", "sweep_10000_tenants"],
    ),
    ("log_size", &["append_latency_1m_events", "append_latency_5m_events"]),
    ("during_rebuild", &["append_during_rebuild_p50", "append_during_rebuild_p99"]),
    ("noisy", &["noisy_neighbour_p99", "noisy_neighbour_p50"]),
    ("reading", &["read_log", "catch_up"]),
    ("access", &["access_log_read", "access_log_read_latency"]),
    ("rebuild", &["rebuild", "rebuild_filling"]),
    ("verify", &["verify", "verify_memory"]),
    ("visible", &["visible_p50_ms", "visible_p99_ms", "visible_pace"]),
    ("archive", &["archive_bytes", "archive_events"]),
    ("backup", &["backup_incremental", "backup_of_long_history"]),
    ("recovery", &["restore", "restore_with_rows", "recovery_time", "recovery_time_with_rows", "recovery_point"]),
    (
        "sizes",
        &[
            "size_log",
            "size_keys",
            "size_read_models",
            "size_wal",
            "size_archive",
            "archive_generation_objects",
            "archive_generation_bytes",
        ],
    ),
    ("router", &["router_throughput", "router_latency", "router_connect_latency"]),
];

/// What every figure is measured with.
pub(crate) struct Bench {
    pub(crate) ground: Ground,
    pub(crate) pace: Pace,
    pub(crate) report: Report,
}

/// Measures what was asked for, or everything. What fails does not keep the others from being measured.
pub(crate) async fn measure(bench: &mut Bench, only: &[String]) -> anyhow::Result<()> {
    let wanted = |(name, _): &(&str, _)| only.is_empty() || only.iter().any(|only| only == name);
    let (mut failed, mut listed) = (Vec::new(), Vec::new());
    for (name, figures) in NAMES.into_iter().filter(wanted) {
        listed.extend(figures);
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
    bench.report.ensure_holds(&listed)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Measured figures only: a figure that is new is measured before it is relied upon.
    #[test]
    fn the_table_of_the_documentation_has_every_figure() {
        let listed: BTreeSet<_> = NAMES.into_iter().flat_map(|(_, figures)| figures).copied().collect();
        let page = include_str!("../../../docs/performance.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
        assert_eq!(listed, rows.map(|(name, _)| name).collect());
    }
}
