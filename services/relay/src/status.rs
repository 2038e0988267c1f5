//! How far the topic is behind the log.

use jiff::Timestamp;
use schemas::{Position, Slug, TenantId};
use sqlx::PgConnection;

use crate::{Error, RelayDeps, SUBSCRIPTION};

/// How far the topic has a tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStatus {
    /// Whose.
    pub tenant_id: TenantId,
    /// The name in its address.
    pub slug: Slug,
    /// The end of its log.
    pub head: Position,
    /// The last position the brokers have acknowledged.
    pub position: Position,
    /// Why it goes no further, if it does not.
    pub halted: Option<RelayHalt>,
}

/// A record that cannot be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayHalt {
    /// Its place in the tenant's log.
    pub position: Position,
    /// Its type.
    pub event_type: String,
    /// Why.
    pub reason: String,
}

/// Every active tenant of the region.
///
/// # Errors
/// If the database fails.
pub async fn status(connection: &mut PgConnection) -> Result<Vec<RelayStatus>, Error> {
    let rows = sqlx::query!(
        r#"select tenant.tenant_id, tenant.slug, tenant.position as head, coalesce(relayed.position, 0) as "position!",
                  relayed.halted_at_position, relayed.halted_event_type, relayed.halted_error
           from log.tenant as tenant
           left join topic.relayed as relayed on relayed.tenant_id = tenant.tenant_id
           where tenant.state = 'active' order by tenant.slug"#
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Checkpoint)?;
    let status = rows.into_iter().map(|row| {
        let halted = row.halted_at_position.map(|position| RelayHalt {
            position: Position::new(position),
            event_type: row.halted_event_type.unwrap_or_default(),
            reason: row.halted_error.unwrap_or_default(),
        });
        Ok(RelayStatus {
            tenant_id: TenantId::new(row.tenant_id),
            slug: row.slug.parse().map_err(|error| Error::Checkpoint(sqlx::Error::Decode(Box::new(error))))?,
            head: Position::new(row.head),
            position: Position::new(row.position),
            halted,
        })
    });
    status.collect()
}

/// Shows how far the topic is behind.
pub(crate) async fn measure(deps: &RelayDeps) -> Result<(), Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Checkpoint)?;
    let row = sqlx::query!(
        r#"select coalesce(sum(tenant.position - coalesce(relayed.position, 0)), 0)::bigint as "positions!",
                  count(*) filter (where relayed.halted_at_position is not null) as "halted!",
                  min(event.recorded_at) as "oldest: jiff_sqlx::Timestamp"
           from log.tenant as tenant
           left join topic.relayed as relayed on relayed.tenant_id = tenant.tenant_id
           left join log.event as event
             on event.tenant_id = tenant.tenant_id and event.position = coalesce(relayed.position, 0) + 1
           where tenant.state = 'active' and tenant.region = $1 and tenant.position > coalesce(relayed.position, 0)"#,
        deps.region.id.as_str()
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(Error::Checkpoint)?;
    let lag = row.oldest.map_or(0.0, |oldest| seconds_between(oldest.to_jiff(), deps.clock.now()));
    let metrics = &deps.metrics;
    metrics.subscription_lag_positions.with_label_values(&[SUBSCRIPTION]).set(row.positions);
    metrics.subscription_lag_seconds.with_label_values(&[SUBSCRIPTION]).set(lag);
    metrics.subscription_halted.with_label_values(&[SUBSCRIPTION]).set(row.halted);
    Ok(())
}

fn seconds_between(then: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(then).as_secs_f64().max(0.0)
}
