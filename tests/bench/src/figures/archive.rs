//! Archiving a whole history, against what bounds it on either side: a plain upload of the same bytes, and reading the same
//! events with one `COPY ... TO STDOUT`.

use std::time::Instant;

use archive::layout::tenant_prefix;
use bytes::{Bytes, BytesMut};
use regions::Resident;
use replicator::{ReplicatorDeps, archive_tenant};

use super::{Bench, reading};
use crate::{
    history::{self, EVENTS_PER_TICKET},
    report::{Figure, Reach},
    turns::{each, turns},
};

/// As clients upload that know nothing of what they upload; the smallest part that S3 takes has 5 MiB.
const PART_BYTES: usize = 8 << 20;

/// What a turn took, in seconds, and the bytes it was about.
struct Taken {
    bytes: f64,
    upload: f64,
    read: f64,
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    // What is archived cannot be archived again: every turn has a tenant of its own.
    let residents = store.tenants(bench.pace.rounds + 1).await?;
    for resident in &residents {
        history::write(&store, resident, 1, bench.pace.tickets).await?;
    }
    let deps = store.replicator().await?;
    let (mut next, mut same) = (residents.iter(), residents.iter());
    let ours = async || {
        let resident = next.next().ok_or_else(|| anyhow::anyhow!("a tenant for every turn"))?;
        let begun = Instant::now();
        archive_tenant(&deps, resident, None).await?;
        let taken = begun.elapsed().as_secs_f64();
        Ok(Taken { bytes: archived(&deps, resident).await?.len() as f64, upload: taken, read: taken })
    };
    let against = async || {
        let resident = same.next().ok_or_else(|| anyhow::anyhow!("a tenant for every turn"))?;
        let bytes = archived(&deps, resident).await?;
        let upload = uploaded(&deps, resident, &bytes).await?;
        let begun = Instant::now();
        reading::copy(&deps.pool, resident).await?;
        Ok(Taken { bytes: bytes.len() as f64, upload, read: begun.elapsed().as_secs_f64() })
    };
    let pairs = turns(bench.pace.rounds, ours, against).await?;
    let reach = Reach::AtLeast(0.1);
    let (name, against, unit) = ("archive_bytes", "uploading the same bytes in parts of 8 MiB", "MB/s");
    bench.report.add(Figure { name, against, unit, reach }, &each(&pairs, |taken| taken.bytes / 1e6 / taken.upload));
    let events = (bench.pace.tickets * EVENTS_PER_TICKET) as f64;
    let (name, against, unit) = ("archive_events", "COPY of the same events", "events/s");
    bench.report.add(Figure { name, against, unit, reach }, &each(&pairs, |taken| events / taken.read));
    deps.pool.close().await;
    store.end(&bench.ground).await
}

/// Everything of a tenant's archive, one object after the other.
async fn archived(deps: &ReplicatorDeps, resident: &Resident) -> anyhow::Result<Bytes> {
    let mut bytes = BytesMut::new();
    for listed in deps.bucket.list(&tenant_prefix(resident.tenant_id())).await? {
        let object = deps.bucket.get(&listed.key).await?.ok_or_else(|| anyhow::anyhow!("{} is gone", listed.key))?;
        bytes.extend_from_slice(&object.body);
    }
    Ok(bytes.freeze())
}

/// Uploads the bytes; the seconds that took.
async fn uploaded(deps: &ReplicatorDeps, resident: &Resident, bytes: &Bytes) -> anyhow::Result<f64> {
    let begun = Instant::now();
    for start in (0..bytes.len()).step_by(PART_BYTES) {
        let part = bytes.slice(start..bytes.len().min(start + PART_BYTES));
        deps.bucket.put_new(&format!("plain/{}/{start}", resident.tenant_id()), part).await?;
    }
    Ok(begun.elapsed().as_secs_f64())
}
