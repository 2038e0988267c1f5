//! After the loss of a database: how long it takes until everything is back, and how much only the database had.
//!
//! Recovery time is measured at 20,000 events in turns, and once at a million: from an empty database to open tenants, and to read
//! models that have caught up. Recovery point is the age of the oldest acknowledged event that is not in the bucket yet, looked at
//! again and again while somebody writes and the replicator runs as in production.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use archive::merkle::proof::Tree;
use futures::{StreamExt, TryStreamExt, stream};
use regions::Resident;
use replicator::{Replicator, archive_tenant};
use restorer::{Named, RestorerDeps, TenantRestore, restore_tenant};
use runtime::Shutdown;
use sqlx::PgPool;

use super::{Bench, reading};
use crate::{
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
    time(bench, bench.pace.tickets, bench.pace.rounds, ["restore", "restore_with_rows"]).await?;
    time(bench, bench.pace.recovered_tickets, 1, ["recovery_time", "recovery_time_with_rows"]).await?;
    point(bench).await
}

async fn time(bench: &mut Bench, tickets: i64, rounds: usize, names: [&'static str; 2]) -> anyhow::Result<()> {
    let lost = bench.ground.store().await?;
    let residents = lost.tenants(TENANTS).await?;
    let replicator = lost.replicator().await?;
    for resident in &residents {
        history::write(&lost, resident, 1, tickets / TENANTS as i64).await?;
        archive_tenant(&replicator, resident, None).await?;
    }
    let against = async || {
        let begun = Instant::now();
        for resident in &residents {
            reading::copy(&replicator.pool, resident).await?;
        }
        let taken = begun.elapsed().as_secs_f64();
        Ok(Taken { log: taken, rows: taken })
    };
    let ours = async || recovered(bench, &residents).await;
    let pairs = match rounds {
        // Too long for turns, and for one that does not count.
        1 => vec![(ours().await?, against().await?)],
        _ => turns(rounds, ours, against).await?,
    };
    let events = (tickets * EVENTS_PER_TICKET) as f64;
    let (against, reach) = ("COPY of the same events", Reach::AtLeast(0.05));
    let figure = |name| match rounds {
        1 => Figure { name, against, unit: "s", reach: Reach::AtMost(60.0) },
        _ => Figure { name, against, unit: "events/s", reach },
    };
    let of = |taken: f64| if rounds == 1 { taken } else { events / taken };
    bench.report.add(figure(names[0]), &each(&pairs, |taken| of(taken.log)));
    bench.report.add(figure(names[1]), &each(&pairs, |taken| of(taken.rows)));
    replicator.pool.close().await;
    lost.end(&bench.ground).await
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

async fn point(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let (residents, shutdown) = (store.tenants(TENANTS).await?, Shutdown::new());
    let (deps, owner) = (store.replicator().await?, store.owner(1).await?);
    let running = shutdown.spawn(Replicator::new(deps.clone()).run(shutdown.clone()));
    let mut writers = Vec::new();
    for resident in &residents {
        writers.push(Writer::new(&store, resident, 1).await?);
    }
    let (begun, mut oldest) = (Instant::now(), 0.0_f64);
    while begun.elapsed() < WATCHED {
        for writer in &mut writers {
            writer.append(1).await?;
        }
        oldest = oldest.max(age(&owner).await?);
        tokio::time::sleep(BETWEEN_WRITES).await;
    }
    let (name, against, unit) = ("recovery_point", "10 s, the rest between two generations", "s");
    bench.report.add(Figure { name, against, unit, reach: Reach::AtMost(1.5) }, &[(oldest, 10.0)]);
    anyhow::ensure!(shutdown.drain(Duration::from_secs(30)).await, "the replicator ends");
    running.await??;
    owner.close().await;
    deps.pool.close().await;
    store.end(&bench.ground).await
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
