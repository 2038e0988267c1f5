//! A noisy neighbour: one tenant floods the region with 256 writers, while others write at their own steady pace. What counts
//! is the others' 99th percentile, from when each append was due, with the flood and without.

use std::time::{Duration, Instant};

use regions::Resident;
use runtime::Shutdown;
use tokio::time::MissedTickBehavior;

use super::Bench;
use crate::{
    ground::Store,
    load::Latency,
    report::{Figure, Reach},
    turns::{each, turns},
    writer::Writer,
};

const FLOOD_WRITERS: i64 = 256;
const NEIGHBOURS: usize = 16;
/// Of each neighbour: 25 a second.
const PACE: Duration = Duration::from_millis(40);
/// Who is refused comes back after this.
const RETRY_AFTER: Duration = Duration::from_millis(50);

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let (flooding, neighbours) = (store.tenant().await?, store.tenants(NEIGHBOURS).await?);
    let round = bench.pace.round * 2;
    let noisy = async || with_flood(&store, &flooding, &neighbours, round).await;
    let quiet = async || paced(&store, &neighbours, round).await;
    let pairs = turns(bench.pace.rounds, noisy, quiet).await?;
    let figure = |name| Figure { name, against: "without the flood", unit: "us", reach: Reach::AtMost(2.0) };
    bench.report.add(figure("noisy_neighbour_p99"), &each(&pairs, |latency| latency.p99));
    bench.report.add(figure("noisy_neighbour_p50"), &each(&pairs, |latency| latency.p50));
    store.end(&bench.ground).await
}

async fn with_flood(
    store: &Store,
    flooding: &Resident,
    neighbours: &[Resident],
    round: Duration,
) -> anyhow::Result<Latency> {
    let flood = Shutdown::new();
    for number in 1..=FLOOD_WRITERS {
        let writer = Writer::new(store, flooding, next_ticket() + number).await?;
        flood.spawn(write_on(writer, flood.clone()));
    }
    let latency = paced(store, neighbours, round).await;
    flood.drain(Duration::from_secs(30)).await;
    latency
}

/// As quickly as it goes, until asked to stop.
async fn write_on(mut writer: Writer, stop: Shutdown) {
    while !stop.is_requested() {
        if writer.append(1).await.is_err() {
            stop.sleep(RETRY_AFTER).await;
        }
    }
}

/// What the neighbours' appends take.
async fn paced(store: &Store, neighbours: &[Resident], round: Duration) -> anyhow::Result<Latency> {
    let tasks = Shutdown::new();
    let mut pacing = Vec::new();
    for (number, neighbour) in (0..).zip(neighbours) {
        let writer = Writer::new(store, neighbour, next_ticket()).await?;
        // Each a little later than the one before, or all would come at once.
        let late = PACE * number / u32::try_from(neighbours.len())?;
        pacing.push(tasks.spawn(pace(writer, late, round)));
    }
    let mut taken = Vec::new();
    for neighbour in pacing {
        taken.extend(neighbour.await??);
    }
    Ok(Latency::of(&taken))
}

/// Appends when it is due, and tells how much later each was acknowledged.
async fn pace(mut writer: Writer, late: Duration, round: Duration) -> anyhow::Result<Vec<Duration>> {
    let begin = tokio::time::Instant::now() + late;
    let mut due = tokio::time::interval_at(begin, PACE);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut taken = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < round {
        let at = due.tick().await;
        writer.append(1).await?;
        taken.push(at.elapsed());
    }
    Ok(taken)
}

/// Every writer has a stream of its own, in every round.
fn next_ticket() -> i64 {
    use std::sync::atomic::{AtomicI64, Ordering};
    static NEXT: AtomicI64 = AtomicI64::new(1);
    NEXT.fetch_add(1_000, Ordering::Relaxed)
}
