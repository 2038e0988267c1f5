//! Which machine: figures say nothing without it.

use std::{fs, io::Write, path::PathBuf, time::Instant};

use crate::{ground::Ground, turns::median};

/// What keeps figures of a short run from being taken for more.
const QUICK: &str = ", QUICK: smaller logs, fewer tenants and rounds";

const FLUSHES: usize = 200;

/// Cores, processor, how long a flush to disk takes, version of Postgres, load.
pub(crate) async fn describe(ground: &Ground, quick: bool) -> anyhow::Result<String> {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        processor.lines().find_map(|line| line.strip_prefix("model name")).and_then(|line| line.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!(
        "{cores} cores of {}, flush to disk {:.0} us, PostgreSQL {}, load average {:.2} at the start{}",
        model.unwrap_or("an unnamed processor"),
        flush_us(ground)?,
        ground.postgres_version().await?,
        load_average(),
        if quick { QUICK } else { "" },
    ))
}

/// The median of small writes, each flushed as Postgres flushes its log.
fn flush_us(ground: &Ground) -> anyhow::Result<f64> {
    let path = ground.folder().join("flush-probe");
    let mut file = fs::File::create(&path)?;
    let mut taken = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        file.write_all(&[b'x'; 8192])?;
        let begun = Instant::now();
        file.sync_data()?;
        taken.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    fs::remove_file(path)?;
    Ok(median(taken))
}

/// How many processes wanted to run, on average of the last minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

/// The folder that holds `release/`, in which this program lies.
pub(crate) fn build_output() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| PathBuf::from("target"), PathBuf::from)
}
