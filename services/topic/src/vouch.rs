//! Whether what came by the topic is what the log holds.

use regions::Resident;
use schemas::{Position, Recorded};
use sqlx::PgConnection;

use crate::{Delivered, Error};

impl Delivered {
    /// What [`after`](Self::after) gives, if the log vouches for it. If not, the tenant's events are let go, loudly, and there are
    /// none: the log is to be read.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn vouched_after(
        &self,
        connection: &mut PgConnection,
        resident: &Resident,
        (position, events_max): (Position, usize),
    ) -> Result<(Vec<Recorded>, bool), Error> {
        let tenant = resident.tenant_id();
        let (events, more) = self.after(tenant, position, events_max);
        if vouched(connection, resident, &events).await? {
            self.metrics.topic_events.with_label_values(&[self.subscription]).inc_by(events.len() as u64);
            return Ok((events, more));
        }
        self.let_go(tenant);
        self.metrics.topic_records_refused.with_label_values(&["unknown to the log"]).inc();
        tracing::error!(
            tenant.id = %tenant,
            subscription = self.subscription,
            position = position.next().get(),
            "the topic has events that the log has not; the log is read"
        );
        Ok((Vec::new(), false))
    }
}

/// Whether the log holds exactly these events, at these positions, and the last one ends its command.
///
/// The leaf of an event is a hash over all of it, so nothing else needs comparing. It is the one thing that protects readers from
/// a topic that knows another history than the log: one that a failover or a restore has lost, or one that never happened.
/// It costs what finding the rows costs; the payloads stay where they are.
///
/// # Errors
/// If the database fails.
pub async fn vouched(connection: &mut PgConnection, resident: &Resident, events: &[Recorded]) -> Result<bool, Error> {
    let Some(last) = events.last() else { return Ok(true) };
    let positions: Vec<i64> = events.iter().map(|event| event.position.get()).collect();
    let leaves: Vec<Vec<u8>> = events.iter().map(|event| event.sealed.leaf.as_bytes().to_vec()).collect();
    let found = sqlx::query!(
        r#"select
            (select count(*) from unnest($2::bigint[], $3::bytea[]) as delivered (position, leaf)
             join log.event as event
               on event.tenant_id = $1 and event.position = delivered.position and event.leaf = delivered.leaf
            ) as "count!",
            exists (select from log.event as event
                    where event.tenant_id = $1 and event.position = $4 and event.command_id = $5) as "is_half!""#,
        resident.tenant_id().get(),
        &positions,
        &leaves,
        last.position.next().get(),
        last.sealed.envelope.command_id.get()
    )
    .fetch_one(connection)
    .await
    .map_err(Error::Database)?;
    Ok(usize::try_from(found.count) == Ok(events.len()) && !found.is_half)
}
