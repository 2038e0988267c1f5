//! What an append costs with millions of events in the log, against a small log. The rows are written by the server itself
//! ([`crate::fill`]); appends go to streams that have events, of tenants all over the log.

use std::path::Path;

use regions::Resident;

use super::Bench;
use crate::{
    fill,
    ground::{Ground, Store},
    load,
    report::{Figure, Reach},
    turns::{each, turns},
    writer::Writer,
};

const TENANTS: usize = 1_000;
const SMALL: i64 = 10_000;

/// What an event takes on the disk while a log is filled: row, indexes, write-ahead log.
const BYTES_PER_EVENT: u64 = 2_500;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let (small, mut few) = filled(&bench.ground, SMALL).await?;
    let names = ["append_latency_1m_events", "append_latency_5m_events"];
    for (events, name) in bench.pace.log_sizes.into_iter().zip(names) {
        let room = free_bytes(bench.ground.folder())?;
        if room < u64::try_from(events)? * BYTES_PER_EVENT {
            bench.report.leave_out(name, format!("the disk has {} GB free", room / 1_000_000_000));
            continue;
        }
        eprintln!("  filling a log with {events} events");
        let (large, mut many) = filled(&bench.ground, events).await?;
        let round = bench.pace.round;
        let append = async |writer: &mut Writer| Ok(writer.append(1).await?);
        let ours = async || load::latency(&mut many, round, append).await;
        let against = async || load::latency(&mut few, round, append).await;
        let pairs = turns(bench.pace.rounds, ours, against).await?;
        let figure = Figure { name, against: "with 10 thousand events", unit: "us", reach: Reach::AtMost(1.2) };
        bench.report.add(figure, &each(&pairs, |latency| latency.p50));
        large.end(&bench.ground).await?;
    }
    small.end(&bench.ground).await
}

fn free_bytes(folder: &Path) -> anyhow::Result<u64> {
    let disk = nix::sys::statvfs::statvfs(folder)?;
    Ok(disk.blocks_available() * disk.fragment_size())
}

async fn filled(ground: &Ground, events: i64) -> anyhow::Result<(Store, Vec<Writer>)> {
    let store = ground.store().await?;
    let residents = store.tenants(TENANTS).await?;
    fill::fill(&store, &residents, events).await?;
    let writers = writers(&store, &residents).await?;
    Ok((store, writers))
}

async fn writers(store: &Store, residents: &[Resident]) -> anyhow::Result<Vec<Writer>> {
    // Numbers the filling never reaches.
    const BEYOND: i64 = 1_000_000;
    let mut writers = Vec::new();
    for resident in residents {
        writers.push(Writer::new(store, resident, BEYOND).await?);
    }
    Ok(writers)
}
