//! What an append costs while the read models are rebuilt over and over, against when they are not.

use projector::ProjectorDeps;
use runtime::Shutdown;
use tokio::sync::Mutex;

use super::{Bench, rebuild};
use crate::{
    history, load,
    report::{Figure, Reach},
    turns::{each, turns},
    writer::Writer,
};

const WRITERS: i64 = 8;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let (rebuilt, writing) = (store.tenant().await?, store.tenant().await?);
    history::write(&store, &rebuilt, 1, bench.pace.tickets).await?;
    let mut writers = Vec::new();
    for number in 1..=WRITERS {
        let mut writer = Writer::new(&store, &writing, number).await?;
        writer.open().await?;
        writers.push(writer);
    }
    let deps = store.projector().await?;
    projector::catch_up(&deps, &rebuilt).await?;
    projector::catch_up(&deps, &writing).await?;
    let (round, writers) = (bench.pace.round, Mutex::new(writers));
    let append = async || {
        let mut writers = writers.lock().await;
        load::latency(&mut writers, round, async |writer: &mut Writer| Ok(writer.append(1).await?)).await
    };
    let during = async || {
        let stop = Shutdown::new();
        let rebuilding = stop.spawn(rebuild_on(deps.clone(), stop.clone()));
        let latency = append().await;
        stop.request();
        rebuilding.await??;
        latency
    };
    let pairs = turns(bench.pace.rounds, during, append).await?;
    let figure = |name, at_most| Figure { name, against: "no rebuild", unit: "us", reach: Reach::AtMost(at_most) };
    bench.report.add(figure("append_during_rebuild_p50", 2.0), &each(&pairs, |latency| latency.p50));
    bench.report.add(figure("append_during_rebuild_p99", 4.0), &each(&pairs, |latency| latency.p99));
    deps.pool.close().await;
    store.end(&bench.ground).await
}

/// Rebuilds again and again, until asked to stop.
async fn rebuild_on(deps: ProjectorDeps, stop: Shutdown) -> anyhow::Result<()> {
    while !stop.is_requested() {
        rebuild::all(&deps).await?;
    }
    Ok(())
}
