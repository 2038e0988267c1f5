//! Reading a tenant's whole log as subscriptions do, and catching the read models up with it, against reading the same rows
//! with one `COPY ... TO STDOUT`.

use std::time::Instant;

use futures::TryStreamExt;
use projector::ProjectorDeps;
use regions::Resident;
use schemas::Position;
use sqlx::{PgPool, postgres::PgPoolCopyExt};

use super::Bench;
use crate::{
    history::{self, EVENTS_PER_TICKET},
    report::{Figure, Reach},
    turns::turns,
};

/// As many as a subscription reads at once.
const PAGE_LENGTH: i64 = 1_000;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    // Whoever has caught up has nothing to catch up with: every turn has a tenant of its own, half as long as usual.
    let tickets = bench.pace.tickets / 2;
    let residents = store.tenants(bench.pace.rounds + 1).await?;
    for resident in &residents {
        history::write(&store, resident, 1, tickets).await?;
    }
    let events = (tickets * EVENTS_PER_TICKET) as f64;
    let deps = store.projector().await?;

    let mut next = residents.iter().cycle();
    let ours = async || rate(events, read(&deps.pool, one(&mut next)?)).await;
    let mut same = residents.iter().cycle();
    let against = async || rate(events, copy(&deps.pool, one(&mut same)?)).await;
    let pairs = turns(bench.pace.rounds, ours, against).await?;
    let figure = |name, at_least| Figure {
        name,
        against: "COPY of the same events",
        unit: "events/s",
        reach: Reach::AtLeast(at_least),
    };
    bench.report.add(figure("read_log", 0.5), &pairs);

    let mut next = residents.iter();
    let ours = async || rate(events, catch_up(&deps, one(&mut next)?)).await;
    let mut same = residents.iter();
    let against = async || rate(events, copy(&deps.pool, one(&mut same)?)).await;
    let pairs = turns(bench.pace.rounds, ours, against).await?;
    bench.report.add(figure("catch_up", 0.1), &pairs);
    deps.pool.close().await;
    store.end(&bench.ground).await
}

fn one<'a>(residents: &mut impl Iterator<Item = &'a Resident>) -> anyhow::Result<&'a Resident> {
    residents.next().ok_or_else(|| anyhow::anyhow!("a tenant for every turn"))
}

async fn rate(events: f64, work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<f64> {
    let begun = Instant::now();
    work.await?;
    Ok(events / begun.elapsed().as_secs_f64())
}

async fn read(pool: &PgPool, resident: &Resident) -> anyhow::Result<()> {
    let (mut connection, mut position) = (pool.acquire().await?, Position::ZERO);
    loop {
        let page = eventlog::read_log(&mut connection, resident, position, PAGE_LENGTH).await?;
        match page.last() {
            Some(last) => position = last.position,
            None => return Ok(()),
        }
    }
}

async fn catch_up(deps: &ProjectorDeps, resident: &Resident) -> anyhow::Result<()> {
    projector::catch_up(deps, resident).await?;
    Ok(())
}

/// Reads a tenant's events at the speed of the wire.
pub(super) async fn copy(pool: &PgPool, resident: &Resident) -> anyhow::Result<()> {
    let tenant = resident.tenant_id();
    let statement = format!("copy (select * from log.event where tenant_id = '{tenant}' order by position) to stdout");
    let mut rows = pool.copy_out_raw(&statement).await?;
    while rows.try_next().await?.is_some() {}
    Ok(())
}
