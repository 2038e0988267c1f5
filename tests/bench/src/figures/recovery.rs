//! After the loss of a database: how long it takes until everything is back, and how much only the database had.
//!
//! Recovery time is measured at 20,000 events in turns, and once at a million: from an empty database to open tenants, and to read
//! models that have caught up. Recovery point is the age of the oldest acknowledged event that is not in the bucket yet, looked at
//! again and again while somebody adds to the same million and the replicator runs as in production.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use archive::merkle::proof::Tree;
use futures::{StreamExt, TryStreamExt, stream};
use regions::Resident;
use replicator::{Replicator, ReplicatorDeps, archive_tenant};
use restorer::{Named, RestorerDeps, TenantRestore, restore_tenant};
use runtime::Shutdown;
use sqlx::PgPool;

use super::{Bench, reading};
use crate::{
    ground::Store,
    history::{self, EVENTS_PER_TICKET},
    report::{Figure, Reach},
    turns::{each, turns},
    writer::Writer,
};

const TENANTS: usize = 4;
/// How long the recovery point is looked at; the replicator rests ten seconds between two generations of a tenant.
const WATCHED: Duration = Duration::from_secs(40);
const BETWEEN_WRITES: Duration = Duration::from_millis(20);

/// What a recovery took, in seconds.
struct Taken {
    /// Until the tenants are open.
    log: f64,
    /// Until their lists are whole.
    rows: f64,
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let (short, rounds) = (Archived::start(bench, bench.pace.tickets).await?, bench.pace.rounds);
    let pairs = turns(rounds, async || recovered(bench, &short.residents).await, async || short.copied().await).await?;
    let events = (bench.pace.tickets * EVENTS_PER_TICKET) as f64;
    let (against, reach) = ("COPY of the same events", Reach::AtLeast(0.05));
    let figure = |name| Figure { name, against, unit: "events/s", reach };
    bench.report.add(figure("restore"), &each(&pairs, |taken| events / taken.log));
    bench.report.add(figure("restore_with_rows"), &each(&pairs, |taken| events / taken.rows));
    short.end(bench).await?;

    // Too long for turns, and for one that does not count.
    let long = Archived::start(bench, bench.pace.many_tickets).await?;
    let pairs = [(recovered(bench, &long.residents).await?, long.copied().await?)];
    let figure = |name| Figure { name, against, unit: "s", reach: Reach::AtMost(60.0) };
    bench.report.add(figure("recovery_time"), &each(&pairs, |taken| taken.log));
    bench.report.add(figure("recovery_time_with_rows"), &each(&pairs, |taken| taken.rows));
    let (name, against, unit) = ("recovery_point", "10 s, the rest between two generations", "s");
    let oldest = point(&long, bench.pace.many_tickets).await?;
    bench.report.add(Figure { name, against, unit, reach: Reach::AtMost(1.5) }, &[(oldest, 10.0)]);
    long.end(bench).await
}

/// A region whose tenants' histories are in the bucket.
struct Archived {
    store: Store,
    residents: Vec<Resident>,
    replicator: ReplicatorDeps,
}

impl Archived {
    async fn start(bench: &Bench, tickets: i64) -> anyhow::Result<Self> {
        let store = bench.ground.store().await?;
        let (residents, replicator) = (store.tenants(TENANTS).await?, store.replicator().await?);
        for resident in &residents {
            history::write(&store, resident, 1, tickets / TENANTS as i64).await?;
            archive_tenant(&replicator, resident, None).await?;
        }
        Ok(Self { store, residents, replicator })
    }

    /// What reading the same events takes, for comparison.
    async fn copied(&self) -> anyhow::Result<Taken> {
        let begun = Instant::now();
        for resident in &self.residents {
            reading::copy(&self.replicator.pool, resident).await?;
        }
        let taken = begun.elapsed().as_secs_f64();
        Ok(Taken { log: taken, rows: taken })
    }

    async fn end(self, bench: &Bench) -> anyhow::Result<()> {
        self.replicator.pool.close().await;
        self.store.end(&bench.ground).await
    }
}

/// Restores tenants into a database that has nothing.
async fn recovered(bench: &Bench, residents: &[Resident]) -> anyhow::Result<Taken> {
    let store = bench.ground.store().await?;
    let named =
        |resident: &Resident| (resident.tenant_id(), Named { slug: resident.slug().clone(), epoch: resident.epoch() });
    let names: BTreeMap<_, _> = residents.iter().map(named).collect();
    let deps = RestorerDeps {
        replicator: store.replicator().await?,
        region_key: store.region_key()?,
        names,
        command: "domicile restore region".to_owned(),
    };
    let projector = store.projector().await?;
    let begun = Instant::now();
    let restores = residents.iter().map(|resident| restored(&deps, resident));
    let restored: Vec<_> = stream::iter(restores).buffer_unordered(TENANTS).try_collect().await?;
    let log = begun.elapsed().as_secs_f64();
    anyhow::ensure!(restored.iter().all(|tree: &Tree| tree.size > 0), "events came back: {restored:?}");
    let rows = residents.iter().map(|resident| projector::catch_up(&projector, resident));
    stream::iter(rows).buffer_unordered(TENANTS).try_collect::<Vec<_>>().await?;
    let rows = begun.elapsed().as_secs_f64();
    projector.pool.close().await;
    deps.replicator.pool.close().await;
    store.end(&bench.ground).await?;
    Ok(Taken { log, rows })
}

async fn restored(deps: &RestorerDeps, resident: &Resident) -> anyhow::Result<Tree> {
    let asked = TenantRestore::of(resident.tenant_id(), false);
    let restored = restore_tenant(deps, &asked, &|_| ()).await?;
    Ok(Tree { size: restored.size, root: restored.root })
}

/// The age of the oldest event that only the database had, while tenants with so many tickets before get more.
async fn point(region: &Archived, tickets: i64) -> anyhow::Result<f64> {
    let (shutdown, owner) = (Shutdown::new(), region.store.owner(1).await?);
    let running = shutdown.spawn(Replicator::new(region.replicator.clone()).run(shutdown.clone()));
    let mut writers = Vec::new();
    for resident in &region.residents {
        writers.push(Writer::new(&region.store, resident, tickets + 1).await?);
    }
    let (begun, mut oldest) = (Instant::now(), 0.0_f64);
    while begun.elapsed() < WATCHED {
        for writer in &mut writers {
            writer.append(1).await?;
        }
        oldest = oldest.max(age(&owner).await?);
        tokio::time::sleep(BETWEEN_WRITES).await;
    }
    anyhow::ensure!(shutdown.drain(Duration::from_secs(30)).await, "the replicator ends");
    running.await??;
    owner.close().await;
    Ok(oldest)
}

/// The age of the oldest event that is not archived.
async fn age(owner: &PgPool) -> anyhow::Result<f64> {
    let age = sqlx::query_scalar(
        "select coalesce(max(extract(epoch from now() - e.recorded_at))::float8, 0) from log.tenant t
         left join log.mark m on m.tenant_id = t.tenant_id and m.mark = 'archived'
         join log.event e on e.tenant_id = t.tenant_id and e.position = coalesce(m.position, 0) + 1",
    );
    Ok(age.fetch_one(owner).await?)
}
