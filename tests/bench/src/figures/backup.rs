//! An incremental backup: the bytes it writes after one percent of new events, against the full one; and the time it takes in a
//! long history, against a short one with as many new events.

use std::{fs, path::Path, time::Instant};

use regions::Resident;
use replicator::ReplicatorDeps;

use super::Bench;
use crate::{
    ground::Store,
    history,
    report::{Figure, Reach},
    turns::turns,
};

const TENANTS: usize = 4;
const SHARE_NEW: i64 = 100;

/// How many times longer the long history is.
const LONGER: i64 = 8;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    written(bench).await?;
    taken(bench).await
}

async fn written(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let (residents, bucket) = (store.tenants(TENANTS).await?, bench.ground.bucket_folder());
    let deps = store.replicator().await?;
    let mut first = 1;
    let before = count(&bucket)?.1;
    for resident in &residents {
        history::write(&store, resident, first, bench.pace.tickets).await?;
    }
    first += bench.pace.tickets;
    replicator::backup::create(&deps, &mut |_| {}).await?;
    let full = (count(&bucket)?.1 - before) as f64 / 1e3;
    let mut pairs = Vec::new();
    for _ in 0..bench.pace.rounds {
        let before = count(&bucket)?.1;
        let new = bench.pace.tickets / SHARE_NEW;
        for resident in &residents {
            history::write(&store, resident, first, new).await?;
        }
        first += new;
        replicator::backup::create(&deps, &mut |_| {}).await?;
        pairs.push(((count(&bucket)?.1 - before) as f64 / 1e3, full));
    }
    let (name, against, unit) = ("backup_incremental", "the full one, 100 times as many events", "kB written");
    bench.report.add(Figure { name, against, unit, reach: Reach::AtMost(0.02) }, &pairs);
    deps.pool.close().await;
    store.end(&bench.ground).await
}

async fn taken(bench: &mut Bench) -> anyhow::Result<()> {
    let short = bench.pace.tickets / LONGER;
    let mut long = History::start(bench, bench.pace.tickets).await?;
    let mut short = History::start(bench, short).await?;
    let new = bench.pace.tickets / SHARE_NEW;
    let pairs = turns(bench.pace.rounds, async || long.grow(new).await, async || short.grow(new).await).await?;
    let (name, against, unit) = ("backup_of_long_history", "as many new events in one an eighth as long", "ms");
    bench.report.add(Figure { name, against, unit, reach: Reach::AtMost(1.2) }, &pairs);
    long.end(bench).await?;
    short.end(bench).await
}

/// A region with one tenant that is backed up.
struct History {
    store: Store,
    deps: ReplicatorDeps,
    resident: Resident,
    next: i64,
}

impl History {
    async fn start(bench: &Bench, tickets: i64) -> anyhow::Result<Self> {
        let store = bench.ground.store().await?;
        let (resident, deps) = (store.tenant().await?, store.replicator().await?);
        history::write(&store, &resident, 1, tickets).await?;
        replicator::backup::create(&deps, &mut |_| {}).await?;
        Ok(Self { store, deps, resident, next: tickets + 1 })
    }

    /// Adds so many tickets; the milliseconds that the backup after it takes.
    async fn grow(&mut self, tickets: i64) -> anyhow::Result<f64> {
        history::write(&self.store, &self.resident, self.next, tickets).await?;
        self.next += tickets;
        let begun = Instant::now();
        replicator::backup::create(&self.deps, &mut |_| {}).await?;
        Ok(begun.elapsed().as_secs_f64() * 1e3)
    }

    async fn end(self, bench: &Bench) -> anyhow::Result<()> {
        self.deps.pool.close().await;
        self.store.end(&bench.ground).await
    }
}

/// How many files there are below a folder, and how long they are together.
pub(super) fn count(folder: &Path) -> std::io::Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        let (more, longer) = if is_folder { count(&entry.path())? } else { (1, entry.metadata()?.len()) };
        (files, bytes) = (files + more, bytes + longer);
    }
    Ok((files, bytes))
}
