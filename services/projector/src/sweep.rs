//! Who is behind: heads compared with checkpoints. Wake-ups are hints and may be lost; this is the truth.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use runtime::RegionMetrics;
use schemas::{Position, RegionId, TenantId};
use sqlx::PgConnection;

use crate::{Error, PROJECTIONS, ProjectorDeps, projections};

/// A tenant that is behind in a projection.
pub(crate) struct Behind {
    /// The tenant.
    pub(crate) tenant_id: TenantId,
    /// The projection.
    pub(crate) projection: String,
    /// Where it stands.
    pub(crate) position: Position,
    lag_positions: i64,
    is_halted: bool,
    /// When the first event it lacks was recorded.
    since: Option<Timestamp>,
}

/// Every active tenant and projection where the checkpoint of the build that serves is below the head.
pub(crate) async fn behind(conn: &mut PgConnection, region: &RegionId) -> Result<Vec<Behind>, Error> {
    let (names, shapes) = projections::names_and_shapes();
    let rows = sqlx::query!(
        r#"select tenant.tenant_id as "tenant_id!", known.name as "projection!",
                  coalesce(checkpoint.position, 0) as "position!",
                  tenant.position - coalesce(checkpoint.position, 0) as "lag_positions!",
                  checkpoint.halted_at_position is not null as "is_halted!",
                  next.recorded_at as "since?: jiff_sqlx::Timestamp"
           from log.tenant as tenant
           cross join unnest($1::text[], $3::integer[]) as known (name, shape)
           join read.serving as serving on serving.projection = known.name and serving.shape = known.shape
           left join read.checkpoint as checkpoint
             on checkpoint.tenant_id = tenant.tenant_id and checkpoint.projection = known.name
                and checkpoint.version = serving.version
           left join log.event as next
             on next.tenant_id = tenant.tenant_id and next.position = coalesce(checkpoint.position, 0) + 1
           where tenant.state = 'active' and tenant.region = $2 and tenant.position > coalesce(checkpoint.position, 0)"#,
        names as _,
        region.as_str(),
        shapes,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::Sweep)?;
    Ok(rows
        .into_iter()
        .map(|row| Behind {
            tenant_id: TenantId::new(row.tenant_id),
            projection: row.projection,
            position: Position::new(row.position),
            lag_positions: row.lag_positions,
            is_halted: row.is_halted,
            since: row.since.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// How many tenants are behind, counted once for each projection: the question that the worker asks every second.
pub async fn count_behind(deps: &ProjectorDeps) -> Result<usize, Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    Ok(behind(&mut conn, &deps.region.id).await?.len())
}

/// Shows what a sweep found.
pub(crate) fn measure(metrics: &RegionMetrics, now: Timestamp, behind: &[Behind]) {
    for name in PROJECTIONS {
        let mut lag_positions = 0;
        let mut lag = SignedDuration::ZERO;
        let mut halted = HashSet::new();
        for entry in behind.iter().filter(|entry| entry.projection == *name) {
            lag_positions += entry.lag_positions;
            lag = lag.max(entry.since.map_or(SignedDuration::ZERO, |since| now.duration_since(since)));
            if entry.is_halted {
                halted.insert(entry.tenant_id);
            }
        }
        metrics.subscription_lag_positions.with_label_values(&[name]).set(lag_positions);
        metrics.subscription_lag_seconds.with_label_values(&[name]).set(lag.as_secs_f64());
        metrics.subscription_halted.with_label_values(&[name]).set(i64::try_from(halted.len()).unwrap_or(i64::MAX));
    }
}
