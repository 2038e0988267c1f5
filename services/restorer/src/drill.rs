//! Restore drills: tenants are restored from their archives into databases of their own, and compared with the living ones: the
//! roots over the events, the keys, and the rows of the read models at equal positions. What was found is signed and kept.
//!
//! What a drill shows is what a disaster would ask for: that objects, keys and this very code bring a tenant back. Nobody is woken
//! by a first look: what is found is looked for once more, after a pause. The scratch is dropped when it was compared, and what a
//! process that died has left of it by the next one that looks: when it begins, in every round, and when it ends.

mod compare;
mod results;

use std::{collections::BTreeMap, time::Duration};

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
    progress::{Meter, RestoreProgress, Step},
};

/// How often to look whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Looks at a tenant before something is found, and the replicator's intervals from one to the next.
const LOOKS: u32 = 2;
const LOOK_INTERVALS: u32 = 5;
/// How often, at the end, scratch is swept that somebody still seems to be at work on: the server may not have noticed yet that the
/// connections of an interrupted drill are gone.
const SWEEPS_MAX: u32 = 20;
const SWEEP_AGAIN: Duration = Duration::from_millis(100);
/// What two drills of a region would both do.
const DRILL: &str = "a drill";

/// Drills these tenants, one after another, and publishes what was found. `progress` is told how far it is; it stands
/// still while a tenant is looked at for the second time. Who has
/// moved away meanwhile, or was closed, is not in the report.
///
/// # Errors
/// [`Error::UnderWay`], [`Error::NotOpen`] if none of them lives here, or if a store does not answer: there is no report then.
/// What goes wrong with a tenant is in the report.
pub async fn drill(
    deps: &RestorerDeps,
    tenants: &[TenantId],
    progress: &(dyn Fn(RestoreProgress) + Sync),
) -> Result<DrillReport, Error> {
    let claim = database::claim(deps, DRILL).await?;
    let drilled = drill_claimed(deps, tenants, progress).await;
    claim.release().await;
    drilled
}

async fn drill_claimed(
    deps: &RestorerDeps,
    tenants: &[TenantId],
    progress: &(dyn Fn(RestoreProgress) + Sync),
) -> Result<DrillReport, Error> {
    let begun_at = deps.replicator.clock.now();
    sweep(deps).await?;
    let meter = Meter::new(progress, Step::DRILL, sizes(deps, tenants).await?, &[]);
    let mut drilled = Vec::with_capacity(tenants.len());
    for tenant_id in tenants {
        drilled.extend(one(deps, *tenant_id, &meter).await?);
        meter.end(*tenant_id);
    }
    // A report of nobody would pass for a drill that found nothing wrong.
    if let (true, Some(tenant_id)) = (drilled.is_empty(), tenants.first()) {
        return Err(Error::NotOpen { tenant_id: *tenant_id, region: deps.region().id.clone() });
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

/// How many events the tenants have: each is archived to its end before it is restored.
async fn sizes(deps: &RestorerDeps, tenants: &[TenantId]) -> Result<BTreeMap<TenantId, u64>, Error> {
    let ids: Vec<_> = tenants.iter().map(|tenant_id| tenant_id.get()).collect();
    let rows = sqlx::query!("select tenant_id, position from log.tenant where tenant_id = any($1)", &ids);
    let rows = rows.fetch_all(&deps.replicator.pool).await.map_err(Error::Tenants)?;
    let mut sizes: BTreeMap<_, _> = tenants.iter().map(|tenant_id| (*tenant_id, 0)).collect();
    sizes.extend(rows.into_iter().map(|row| (TenantId::new(row.tenant_id), row.position.unsigned_abs())));
    Ok(sizes)
}

/// One tenant: what is wrong with it is still wrong after a pause. Nothing, if it does not live here any more.
async fn one(deps: &RestorerDeps, tenant_id: TenantId, meter: &Meter<'_>) -> Result<Option<TenantDrill>, Error> {
    let mut looks_left = LOOKS;
    loop {
        let drilled = compare::tenant(deps, tenant_id, meter).await?;
        looks_left -= 1;
        let Some(finding) = &drilled.finding else { return Ok(Some(drilled)) };
        match deps.resident(tenant_id).await {
            Err(Error::NotOpen { .. }) => return Ok(None),
            living => living?,
        };
        if looks_left == 0 {
            return Ok(Some(drilled));
        }
        tracing::info!(tenant.id = %tenant_id, finding, "a tenant was not restored as it lives, and is looked at once more");
        tokio::time::sleep(deps.replicator.interval * LOOK_INTERVALS).await;
    }
}

/// So many tenants: those whose last drill is longest ago, or that never had one.
///
/// # Errors
/// If a store does not answer.
pub async fn sample(deps: &RestorerDeps, count: u32) -> Result<Vec<TenantId>, Error> {
    let mut results = Results::default();
    results.refresh(deps).await?;
    Ok(results.longest_ago(living(deps).await?.came.into_keys(), count))
}

/// Drills by the clock, as often as the region's file says, and shows how old the newest drill is, how long the tenant waits that was
/// drilled longest ago, and what is wrong. Whether one
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
        tidy(&self.deps).await;
        while shutdown.sleep(LOOK_EVERY).await {
            let round = tokio::select! {
                round = self.round() => round,
                () = shutdown.requested() => break,
            };
            if let Err(error) = round {
                tracing::warn!(error = runtime::chain(&error), "a restore drill was not done");
            }
        }
        tidy(&self.deps).await;
    }

    /// Sweeps, looks once, and drills if it is time.
    ///
    /// # Errors
    /// If a store does not answer.
    pub async fn round(&mut self) -> Result<(), Error> {
        is_swept(&self.deps).await?;
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
        let sample = self.results.longest_ago(living.came.into_keys(), self.deps.region().drill_sample);
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
        let oldest = self.age_of(self.results.oldest_at(&living.came));
        metrics.drill_oldest_age_seconds.set(oldest.as_secs_f64().max(0.0));
        metrics.drill_interval_seconds.set(self.deps.region().drill_every.unwrap_or_default().as_secs_f64());
        metrics.drill_wrong_tenants.set(self.results.wrong(living.came.keys()) as i64);
        Ok(living)
    }

    fn is_due(&self, living: &Living) -> bool {
        self.deps.region().drill_every.is_some_and(|every| !living.came.is_empty() && self.age(living) >= every)
    }

    /// How long ago the newest drill was. Before the first one it is as old as the first tenant.
    fn age(&self, living: &Living) -> SignedDuration {
        self.age_of(self.results.newest_at().or_else(|| living.came.values().min().copied()))
    }

    fn age_of(&self, since: Option<Timestamp>) -> SignedDuration {
        since.map_or(SignedDuration::ZERO, |since| self.deps.replicator.clock.now().duration_since(since))
    }
}

/// The tenants that have something to restore.
struct Living {
    /// When each of them came.
    came: BTreeMap<TenantId, Timestamp>,
}

async fn living(deps: &RestorerDeps) -> Result<Living, Error> {
    let rows = sqlx::query!(
        r#"select tenant_id, created_at as "created_at: jiff_sqlx::Timestamp" from log.tenant
        where state = 'active' and position > 0 order by tenant_id"#
    );
    let rows = rows.fetch_all(&deps.replicator.pool).await.map_err(Error::Tenants)?;
    let came = rows.into_iter().map(|row| (TenantId::new(row.tenant_id), row.created_at.to_jiff())).collect();
    Ok(Living { came })
}

/// Drops the scratch of drills that were interrupted, unless somebody is at work on one.
pub async fn tidy(deps: &RestorerDeps) {
    for _ in 0..SWEEPS_MAX {
        match is_swept(deps).await {
            Ok(true) => return,
            Ok(false) => tokio::time::sleep(SWEEP_AGAIN).await,
            Err(error) => {
                tracing::warn!(error = runtime::chain(&error), "scratch of a drill may be left");
                return;
            }
        }
    }
}

/// Whether no scratch is left, by now; if somebody is at work on a drill, it is theirs.
async fn is_swept(deps: &RestorerDeps) -> Result<bool, Error> {
    if database::names(&mut deps.maker().await?, deps, SCRATCH).await?.is_empty() {
        return Ok(true);
    }
    let claim: Claim = match database::claim(deps, DRILL).await {
        Err(Error::UnderWay { .. }) => return Ok(false),
        claim => claim?,
    };
    let swept = sweep(deps).await;
    claim.release().await;
    swept.map(|()| true)
}

/// Drops the scratch of drills that died. Whoever calls it has the claim, so nobody is at work on any.
async fn sweep(deps: &RestorerDeps) -> Result<(), Error> {
    let mut maker = deps.maker().await?;
    for name in database::names(&mut maker, deps, SCRATCH).await? {
        database::remove(&mut maker, deps, &name).await?;
    }
    Ok(())
}
