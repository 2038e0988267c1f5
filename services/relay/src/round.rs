//! One round: some tenants, one statement to read them, one wait for the brokers, one commit.

use eventlog::Head;
use schemas::{Position, Recorded, TenantId};
use sqlx::PgConnection;
use topic::TopicWriter;

use crate::{
    Error, RelayDeps, SUBSCRIPTION,
    batch::{Batch, EVENTS_MAX},
    relayed::{self, Behind, Halt, TENANTS_MAX, Woken},
};

/// Events a round reads at most, and a tenant's on top.
const ROUND_EVENTS_MAX: usize = 4_000;

/// What a round has done.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Whether another round would probably find more to do.
    pub(crate) more: bool,
    /// Whether a record was larger than the topic takes: its limit is worth asking for again.
    pub(crate) is_limit_met: bool,
    /// Records the brokers have acknowledged.
    published: u64,
    /// Why the brokers did not take all of it.
    pub(crate) error: Option<Error>,
}

/// Copies what some tenants have appended. What the brokers did acknowledge is written down even if they failed on the rest.
#[tracing::instrument(name = "relay.publish", skip_all, fields(region = %deps.region.id))]
pub(crate) async fn round(deps: &RelayDeps, writer: &TopicWriter, woken: Woken<'_>) -> Result<Round, Error> {
    let now = deps.clock.now();
    prepare(deps, woken).await?;
    let mut transaction = regions::begin_with(&deps.pool, "begin").await.map_err(Error::Checkpoint)?;
    let behind = relayed::lock(&mut transaction, &deps.region.id, woken, now).await.map_err(Error::Checkpoint)?;
    let chosen = choose(&behind);
    let batches = read(deps, &mut transaction, writer, chosen).await?;
    let records: Vec<_> = batches.iter().flat_map(|batch| batch.records.iter().map(|(_, record)| record)).collect();
    let mut results = writer.publish(&records).await.into_iter();
    let are_others_behind = chosen.len() < behind.len() || behind.len() == TENANTS_MAX;
    let mut round = Round { more: are_others_behind, ..Round::default() };
    let mut moved = Vec::new();
    for batch in &batches {
        let position = round.acknowledged(batch, &mut results);
        round.more |= batch.halt.is_none() && position < batch.tenant.head;
        if position > batch.tenant.position {
            moved.push((batch.tenant.tenant_id, position));
        }
    }
    // Whatever is wrong where nothing moves, a sweep comes back to it.
    round.more &= !moved.is_empty();
    relayed::tried(&mut transaction, chosen, now).await.map_err(Error::Checkpoint)?;
    relayed::advance(&mut transaction, &moved, now).await.map_err(Error::Checkpoint)?;
    for batch in &batches {
        if let Some(halt) = &batch.halt {
            round.is_limit_met |= halt.is_oversized;
            note(deps, &mut transaction, &batch.tenant, halt).await?;
        }
    }
    // A crash before the commit publishes all of it once more, which readers skip.
    transaction.commit().await.map_err(Error::Checkpoint)?;
    deps.metrics.topic_records_published.inc_by(round.published);
    deps.metrics.subscription_events.with_label_values(&[SUBSCRIPTION]).inc_by(round.published);
    Ok(round)
}

impl Round {
    /// How far a tenant's records were acknowledged without a hole.
    fn acknowledged(
        &mut self,
        batch: &Batch,
        results: &mut impl Iterator<Item = Result<(), topic::Error>>,
    ) -> Position {
        let (mut position, mut is_whole) = (batch.tenant.position, true);
        for ((next, _), result) in batch.records.iter().zip(results) {
            self.published += u64::from(result.is_ok());
            match result {
                Ok(()) if is_whole => position = *next,
                Ok(()) => {}
                Err(error) => {
                    is_whole = false;
                    self.error.get_or_insert(Error::Topic(error));
                }
            }
        }
        position
    }
}

/// In a transaction of its own: the round's stays open while the brokers are waited for.
async fn prepare(deps: &RelayDeps, woken: Woken<'_>) -> Result<(), Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Checkpoint)?;
    relayed::prepare(&mut connection, &deps.region.id, woken, deps.clock.now()).await.map_err(Error::Checkpoint)
}

/// As many tenants as a round has room for; at least one.
fn choose(behind: &[Behind]) -> &[Behind] {
    let mut events = 0;
    let count = behind.iter().take_while(|tenant| {
        let has_room = events < ROUND_EVENTS_MAX;
        let lag = usize::try_from(tenant.head.get() - tenant.position.get()).unwrap_or(EVENTS_MAX);
        events += lag.min(EVENTS_MAX);
        has_room
    });
    &behind[..count.count()]
}

async fn read(
    deps: &RelayDeps,
    connection: &mut PgConnection,
    writer: &TopicWriter,
    tenants: &[Behind],
) -> Result<Vec<Batch>, Error> {
    let Some(endpoint) = deps.region.kafka().filter(|_| !tenants.is_empty()) else { return Ok(Vec::new()) };
    let after: Vec<Head> =
        tenants.iter().map(|tenant| Head { tenant_id: tenant.tenant_id, position: tenant.position }).collect();
    let limit = i64::try_from(EVENTS_MAX).expect("a batch is small");
    let mut read = eventlog::read_logs(connection, &after, limit).await.map_err(Error::Read)?.into_iter().peekable();
    let mut tenants = tenants.to_vec();
    // As what was read.
    tenants.sort_by_key(|tenant| tenant.tenant_id);
    let batches = tenants.into_iter().map(|tenant| {
        let mut events = Vec::new();
        while let Some(event) = read.next_if(|event| tenant_of(event) == Some(tenant.tenant_id)) {
            events.push(event);
        }
        Batch::new(tenant, events, (endpoint.partitions, &|record| writer.fits(record)))
    });
    Ok(batches.collect())
}

fn tenant_of(event: &Result<Recorded, eventlog::Error>) -> Option<TenantId> {
    match event {
        Ok(event) => Some(event.sealed.envelope.tenant_id),
        Err(eventlog::Error::Unreadable { tenant_id, .. }) => Some(*tenant_id),
        Err(_) => None,
    }
}

async fn note(deps: &RelayDeps, connection: &mut PgConnection, tenant: &Behind, halt: &Halt) -> Result<(), Error> {
    relayed::halt(connection, tenant, halt, deps.clock.now()).await.map_err(Error::Checkpoint)?;
    tracing::error!(
        tenant.id = %tenant.tenant_id,
        subscription = SUBSCRIPTION,
        position = halt.position.get(),
        event.r#type = halt.event_type,
        reason = halt.reason,
        "the tenant is halted in the relay; its readers read the log"
    );
    Ok(())
}
