//! Restore drills: tenants are restored from their archives into databases of their own, and compared with the living ones: the
//! roots over the events, the keys, and the rows of the read models at equal positions. What was found is signed and kept.
//!
//! What a drill shows is what a disaster would ask for: that objects, keys and this very code bring a tenant back. The scratch is
//! dropped when it was compared, and what a process that died has left of it by the next one that looks.

mod compare;
mod results;

use std::time::Duration;

use archive::{
    DrillReport,
    drill::{self, TenantDrill},
};
use eventlog::restore::Claim;
use jiff::{SignedDuration, Timestamp};
use runtime::Shutdown;
use schemas::TenantId;

use self::results::Results;
use crate::{
    beside::database::{self, SCRATCH},
    deps::RestorerDeps,
    error::Error,
};

/// Tenants of a drill that nobody asked for.
const SAMPLE: usize = 3;
/// How often to look whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// What two drills of a region would both do.
const DRILL: &str = "a drill";

/// Drills these tenants, one after another, and publishes what was found. `progress` is told how many events were restored.
///
/// # Errors
/// [`Error::UnderWay`], or if a store does not answer: there is no report then. What goes wrong with a tenant is in the report.
pub async fn drill(
    deps: &RestorerDeps,
    tenants: &[TenantId],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<DrillReport, Error> {
    let claim = database::claim(deps, DRILL).await?;
    let drilled = drill_claimed(deps, tenants, progress).await;
    claim.release().await;
    drilled
}

async fn drill_claimed(
    deps: &RestorerDeps,
    tenants: &[TenantId],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<DrillReport, Error> {
    let begun_at = deps.replicator.clock.now();
    sweep(deps).await?;
    let mut drilled = Vec::with_capacity(tenants.len());
    for tenant_id in tenants {
        drilled.push(compare::tenant(deps, *tenant_id, progress).await?);
    }
    let report = DrillReport {
        format: drill::FORMAT,
        drill_id: String::new(),
        region: deps.region().id.clone(),
        begun_at,
        completed_at: deps.replicator.clock.now(),
        tenants: drilled,
        verifier: String::new(),
    };
    Ok(replicator::publish_drill(&deps.replicator, report).await?)
}

/// The tenants whose last drill is longest ago, or that never had one.
///
/// # Errors
/// If a store does not answer.
pub async fn sample(deps: &RestorerDeps) -> Result<Vec<TenantId>, Error> {
    let mut results = Results::default();
    results.refresh(deps).await?;
    Ok(results.longest_ago(living(deps).await?.tenants, SAMPLE))
}

/// Drills by the clock, as often as the region's file says, and shows how old the newest drill is and what is wrong. Whether one
/// is due is asked of the bucket; of several processes one does it.
pub struct Worker {
    deps: RestorerDeps,
    results: Results,
}

impl Worker {
    /// One that has not looked yet.
    pub fn new(deps: RestorerDeps) -> Self {
        Self { deps, results: Results::default() }
    }

    /// Works until shutdown.
    pub async fn run(mut self, shutdown: Shutdown) {
        if let Err(error) = sweep_unless_under_way(&self.deps).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "scratch of a drill may be left");
        }
        while shutdown.sleep(LOOK_EVERY).await {
            let round = tokio::select! {
                round = self.round() => round,
                // What it leaves behind is swept at the next start.
                () = shutdown.requested() => return,
            };
            if let Err(error) = round {
                tracing::warn!(error = &error as &dyn std::error::Error, "a restore drill was not done");
            }
        }
    }

    /// Looks once, and drills if it is time.
    ///
    /// # Errors
    /// If a store does not answer.
    pub async fn round(&mut self) -> Result<(), Error> {
        let living = self.look().await?;
        if !self.is_due(&living) {
            return Ok(());
        }
        let claim = match database::claim(&self.deps, DRILL).await {
            Err(Error::UnderWay { .. }) => return Ok(()),
            claim => claim?,
        };
        let drilled = self.drill_if_due().await;
        claim.release().await;
        drilled?;
        self.look().await?;
        Ok(())
    }

    /// Asked again under the claim: another process may just have done it.
    async fn drill_if_due(&mut self) -> Result<(), Error> {
        let living = self.look().await?;
        if !self.is_due(&living) {
            return Ok(());
        }
        let sample = self.results.longest_ago(living.tenants, SAMPLE);
        let report = drill_claimed(&self.deps, &sample, &|_| ()).await?;
        for TenantDrill { tenant_id, finding, .. } in &report.tenants {
            if let Some(finding) = finding {
                tracing::error!(tenant.id = %tenant_id, finding, "a tenant was not restored as it lives");
            }
        }
        tracing::info!(drill.id = %report.drill_id, tenants = report.tenants.len(), "a restore drill is done");
        Ok(())
    }

    /// Reads what was found lately, and shows it.
    async fn look(&mut self) -> Result<Living, Error> {
        self.results.refresh(&self.deps).await?;
        let living = living(&self.deps).await?;
        let metrics = &self.deps.replicator.metrics;
        metrics.drill_age_seconds.set(self.age(&living).as_secs_f64().max(0.0));
        metrics.drill_interval_seconds.set(self.deps.region().drill_every.unwrap_or_default().as_secs_f64());
        metrics.drill_wrong_tenants.set(self.results.wrong(&living.tenants) as i64);
        Ok(living)
    }

    fn is_due(&self, living: &Living) -> bool {
        self.deps.region().drill_every.is_some_and(|every| !living.tenants.is_empty() && self.age(living) >= every)
    }

    /// How long ago the newest drill was. Before the first one it is as old as the first tenant.
    fn age(&self, living: &Living) -> SignedDuration {
        let since = self.results.newest_at().or(living.since);
        since.map_or(SignedDuration::ZERO, |since| self.deps.replicator.clock.now().duration_since(since))
    }
}

/// The tenants that have something to restore.
struct Living {
    tenants: Vec<TenantId>,
    /// When the first of them came.
    since: Option<Timestamp>,
}

async fn living(deps: &RestorerDeps) -> Result<Living, Error> {
    let rows = sqlx::query!(
        r#"select tenant_id, created_at as "created_at: jiff_sqlx::Timestamp" from log.tenant
        where state = 'active' and position > 0 order by tenant_id"#
    );
    let rows = rows.fetch_all(&deps.replicator.pool).await.map_err(Error::Tenants)?;
    let since = rows.iter().map(|row| row.created_at.to_jiff()).min();
    Ok(Living { tenants: rows.into_iter().map(|row| TenantId::new(row.tenant_id)).collect(), since })
}

async fn sweep_unless_under_way(deps: &RestorerDeps) -> Result<(), Error> {
    let claim: Claim = match database::claim(deps, DRILL).await {
        Err(Error::UnderWay { .. }) => return Ok(()),
        claim => claim?,
    };
    let swept = sweep(deps).await;
    claim.release().await;
    swept
}

/// Drops the scratch of drills that died. Whoever calls it has the claim, so nobody is at work on any.
async fn sweep(deps: &RestorerDeps) -> Result<(), Error> {
    let mut owner = deps.owner().await?;
    for name in database::names(&mut owner, deps, SCRATCH).await? {
        database::remove(&mut owner, deps, &name).await?;
    }
    Ok(())
}
