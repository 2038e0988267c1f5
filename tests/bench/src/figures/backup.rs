//! An incremental backup after one percent of new events, against the full one: bytes in the bucket.

use std::{fs, path::Path};

use super::Bench;
use crate::{
    history,
    report::{Figure, Reach},
};

const TENANTS: usize = 4;
const SHARE_NEW: i64 = 100;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
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
