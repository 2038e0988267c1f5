//! Who is behind: heads compared with checkpoints. Wake-ups are hints and may be lost; this is the truth.

use std::collections::{HashMap, HashSet};

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

/// A tenant and the end of its log.
type Head = (TenantId, Position);

/// Sweeps that follow one another. Most tenants have nothing new from one to the next; those whose head stands where it stood
/// when their checkpoints were found there are passed over, so that a sweep costs what has happened, and reading the heads.
#[derive(Default)]
pub struct Sweeper {
    /// Up to where tenants were found to have everything.
    settled: HashMap<TenantId, Position>,
    /// What that was found on.
    basis: String,
    /// How many sweeps have relied on it.
    sweeps: u32,
}

impl Sweeper {
    /// After so many sweeps nothing is relied on: whatever sets a checkpoint back, it is found.
    pub const RELIED_ON_MAX: u32 = 60;

    /// How many tenants are behind, counted once for each projection.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn count_behind(&mut self, deps: &ProjectorDeps) -> Result<usize, Error> {
        Ok(self.behind(deps).await?.len())
    }

    /// Every active tenant and projection where the checkpoint of the build that serves is below the head.
    pub(crate) async fn behind(&mut self, deps: &ProjectorDeps) -> Result<Vec<Behind>, Error> {
        // One snapshot of one server: what it has, and what that rests on.
        let snapshot = "begin isolation level repeatable read, read only";
        let mut snapshot = regions::begin_with(&deps.pool, snapshot).await.map_err(Error::Transaction)?;
        let basis = basis(&mut snapshot).await.map_err(Error::Sweep)?;
        self.behind_on(basis, (&mut snapshot, &deps.region.id)).await.map_err(Error::Sweep)
    }

    pub(crate) async fn behind_on(
        &mut self,
        basis: String,
        (conn, region): (&mut PgConnection, &RegionId),
    ) -> Result<Vec<Behind>, sqlx::Error> {
        self.sweeps += 1;
        if self.basis != basis || self.sweeps > Self::RELIED_ON_MAX {
            *self = Self { basis, ..Self::default() };
        }
        let mut heads = heads(conn, region).await?;
        heads.retain(|(tenant, head)| self.settled.get(tenant) != Some(head));
        if heads.is_empty() {
            return Ok(Vec::new());
        }
        let behind = behind(conn, region, &heads).await?;
        let unsettled: HashSet<_> = behind.iter().map(|entry| entry.tenant_id).collect();
        self.settled.extend(heads.into_iter().filter(|(tenant, _)| !unsettled.contains(tenant)));
        Ok(behind)
    }
}

/// What makes checkpoints stand elsewhere although nobody has moved them: a server that was restarted, or killed (it then begins
/// with a checkpoint of its own) and lost what had not reached the disk; and another build to serve.
pub(crate) async fn basis(conn: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select concat_ws(' ', pg_postmaster_start_time(), (select checkpoint_lsn from pg_control_checkpoint()),
               (select array_agg(serving order by projection, shape) from read.serving as serving)) as "basis!""#
    )
    .fetch_one(conn)
    .await
}

async fn heads(conn: &mut PgConnection, region: &RegionId) -> Result<Vec<Head>, sqlx::Error> {
    let rows = sqlx::query!(
        "select tenant_id, position from log.tenant where state = 'active' and region = $1 and position > 0",
        region.as_str(),
    );
    let rows = rows.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (TenantId::new(row.tenant_id), Position::new(row.position))).collect())
}

async fn behind(conn: &mut PgConnection, region: &RegionId, of: &[Head]) -> Result<Vec<Behind>, sqlx::Error> {
    let (names, shapes) = projections::names_and_shapes();
    let tenants: Vec<_> = of.iter().map(|(tenant, _)| tenant.get()).collect();
    let rows = sqlx::query!(
        r#"select tenant.tenant_id as "tenant_id!", known.name as "projection!",
                  coalesce(checkpoint.position, 0) as "position!",
                  tenant.position - coalesce(checkpoint.position, 0) as "lag_positions!",
                  checkpoint.halted_at_position is not null as "is_halted!",
                  next.recorded_at as "since?: jiff_sqlx::Timestamp"
           from unnest($3::uuid[]) as wanted (tenant_id)
           join log.tenant as tenant on tenant.tenant_id = wanted.tenant_id
           cross join unnest($1::text[], $4::integer[]) as known (name, shape)
           join read.serving as serving on serving.projection = known.name and serving.shape = known.shape
           left join read.checkpoint as checkpoint
             on checkpoint.tenant_id = tenant.tenant_id and checkpoint.projection = known.name
                and checkpoint.version = serving.version
           left join log.event as next
             on next.tenant_id = tenant.tenant_id and next.position = coalesce(checkpoint.position, 0) + 1
           where tenant.state = 'active' and tenant.region = $2 and tenant.position > coalesce(checkpoint.position, 0)"#,
        names as _,
        region.as_str(),
        &tenants,
        shapes,
    );
    let behind = rows.fetch_all(conn).await?.into_iter().map(|row| Behind {
        tenant_id: TenantId::new(row.tenant_id),
        projection: row.projection,
        position: Position::new(row.position),
        lag_positions: row.lag_positions,
        is_halted: row.is_halted,
        since: row.since.map(jiff_sqlx::Timestamp::to_jiff),
    });
    Ok(behind.collect())
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
