//! Rebuilding every projection of a tenant, against reading the same events with one `COPY ... TO STDOUT`.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt};
use projector::{ProjectorDeps, Selection};
use regions::{DatabaseRole, Resident};
use schemas::{
    PersonId, Position, Recorded, TenantLogEvent,
    ticket::{TicketEvent, TicketOpened},
    values::{Channel, Priority},
};
use sqlx::{PgPool, postgres::PgPoolCopyExt};

use crate::{
    append::Writer,
    ground::Ground,
    report::{Figure, ROUNDS, Report},
};

const TICKETS: i64 = 4_000;
const COMMENTS_PER_TICKET: usize = 4;
const BODY_BYTES: usize = 400;

/// Measures, and gives the events to who comes next.
pub(crate) async fn measure(ground: &Ground, report: &mut Report) -> anyhow::Result<Vec<Recorded>> {
    let resident = ground.tenant().await?;
    fill(ground, &resident).await?;
    let pool = regions::connect(&ground.region, DatabaseRole::Projector, 12).await?;
    let events = eventlog::read_log(&mut *pool.acquire().await?, &resident, Position::ZERO, i64::MAX).await?;
    let deps = ProjectorDeps {
        region: ground.region.clone(),
        pool: pool.clone(),
        vault: ground.vault.clone(),
        clock: ground.clock.clone(),
        metrics: ground.metrics.clone(),
    };
    projector::catch_up(&deps, &resident).await?;
    let selection = Selection::all().of(vec![resident.tenant_id()]);
    let mut pairs = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let rebuilt = projector::rebuild(&deps, &selection, &|_| {}).await?;
        anyhow::ensure!(rebuilt.refused.is_empty(), "the events of the benchmark can be applied");
        let ours = events.len() as f64 / begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        copy(&pool, &resident).await?;
        pairs.push((ours, events.len() as f64 / begun.elapsed().as_secs_f64()));
    }
    let figure = Figure { name: "rebuild", unit: "events/s", reach: 0.25, is_less_better: false };
    report.add(figure, &pairs);
    Ok(events)
}

async fn fill(ground: &Ground, resident: &Resident) -> anyhow::Result<()> {
    let tickets = (1..=TICKETS).map(|number| async move {
        let mut writer = Writer::new(ground, resident, number, BODY_BYTES).await?;
        writer.append(Some(opened(number))).await?;
        for _ in 0..COMMENTS_PER_TICKET {
            writer.append(None).await?;
        }
        Ok::<_, anyhow::Error>(())
    });
    futures::stream::iter(tickets).buffer_unordered(64).try_collect().await
}

fn opened(number: i64) -> TenantLogEvent {
    let opened = TicketOpened {
        requester: PersonId::new(1),
        submitter: PersonId::new(1),
        subject: format!("Ticket number {number}").into(),
        priority: Some(Priority::Normal),
        ticket_type: None,
        assignee: None,
        group: None,
        tags: vec!["bench".to_owned(), "sample".to_owned()].into(),
        channel: Channel::Api,
        external_id: None.into(),
    };
    TicketEvent::from(opened).into()
}

async fn copy(pool: &PgPool, resident: &Resident) -> anyhow::Result<usize> {
    let statement = format!(
        "copy (select * from log.event where tenant_id = '{}' order by position) to stdout",
        resident.tenant_id()
    );
    let mut rows = pool.copy_out_raw(&statement).await?;
    let mut bytes = 0;
    while let Some(chunk) = rows.try_next().await? {
        bytes += chunk.len();
    }
    Ok(bytes)
}
