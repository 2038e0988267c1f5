//! The loop that keeps every tenant's archive close behind its log.
//!
//! It asks the database, again and again, whose archive is behind: no message can be lost that way, and a restart needs no
//! state. A tenant that was just archived rests for a few intervals unless it has filled a tile meanwhile, because every
//! generation also writes the tree's partial tiles anew. A turn is one generation, so a long backlog holds up nobody.

mod ages;
mod cosigning;
mod paces;
mod proving;
mod renewing;
mod resigning;
mod verifying;

use std::{pin::pin, time::Duration};

use futures::{FutureExt, StreamExt, future, stream};
use jiff::Timestamp;
use runtime::Shutdown;
use tokio::time::Instant;

use self::paces::Paces;
use crate::{
    archive_tenant::take_turn, backup::scheduled, delivery::Delivery, deps::ReplicatorDeps, error::Error, lag,
    lag::Behind,
};

/// Tenants that are archived at the same time.
const TENANTS_AT_ONCE: usize = 4;
/// How often the bucket is asked where it is.
const LOCATION_EVERY: Duration = Duration::from_secs(300);

/// The replication worker of one region.
pub struct Replicator {
    deps: ReplicatorDeps,
}

impl Replicator {
    /// A worker that is not running yet.
    pub fn new(deps: ReplicatorDeps) -> Self {
        Self { deps }
    }

    /// Runs until asked to stop; what is under way then is finished. A store that does not answer is asked again.
    ///
    /// # Errors
    /// If the bucket is not where the region's data must stay. Nothing is written then.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), Error> {
        while !self.is_located(&shutdown).await? {
            if !shutdown.sleep(self.deps.interval).await {
                return Ok(());
            }
        }
        let (deps, shutdown) = (&self.deps, &shutdown);
        let looking_after = future::join5(
            verifying::run(deps, shutdown),
            ages::run(deps, shutdown),
            scheduled::run(deps, shutdown),
            resigning::run(deps, shutdown),
            renewing::run(deps, shutdown),
        );
        // Witnesses are asked beside all this, so that one that is down holds up nothing.
        let cosigning = cosigning::run(deps, shutdown);
        let (archived, _, ()) = future::join3(self.archive(shutdown), looking_after, cosigning).await;
        archived
    }

    /// Asks the bucket where it is. It may not answer, which says nothing.
    async fn is_located(&self, shutdown: &Shutdown) -> Result<bool, Error> {
        match self.deps.bucket.check_location().await {
            Ok(()) => Ok(true),
            // Data would leave its region: stop here, whoever supervises the process sees why.
            Err(error @ regions::Error::AnotherLocation { .. }) => {
                shutdown.request();
                Err(Error::Bucket(error))
            }
            Err(error) => {
                warn(&error, "cannot ask the bucket where it is");
                Ok(false)
            }
        }
    }

    async fn archive(&self, shutdown: &Shutdown) -> Result<(), Error> {
        let (mut paces, delivery) = (Paces::new(self.deps.interval), Delivery::start(&self.deps, shutdown));
        let mut location_checked_at = Instant::now();
        loop {
            if location_checked_at.elapsed() >= LOCATION_EVERY && self.is_located(shutdown).await? {
                location_checked_at = Instant::now();
            }
            let is_backlog_left = self.sweep((&mut paces, &delivery), shutdown).await.unwrap_or_else(|error| {
                warn(&error, "cannot compare heads with archives");
                false
            });
            let wait = if is_backlog_left { Duration::ZERO } else { self.deps.interval };
            if shutdown.is_requested() || !shutdown.sleep(wait).await {
                return Ok(());
            }
        }
    }

    /// Gives every tenant that is due one turn. Whether one of them could go on at once.
    async fn sweep(&self, (paces, delivery): (&mut Paces, &Delivery), shutdown: &Shutdown) -> Result<bool, Error> {
        let behind = self.behind().await?;
        self.measure(&behind);
        let now = Instant::now();
        paces.keep_only(&behind, now);
        delivery.note(&behind);
        let due: Vec<_> =
            behind.into_iter().filter(|tenant| delivery.is_mine(tenant) && paces.is_due(tenant, now)).collect();
        let archive = |tenant: Behind| async move { (tenant, self.archive_one(&tenant, delivery).await) }.boxed();
        let due: Vec<_> = due.into_iter().map(archive).collect();
        let done = stream::iter(due).take_until(shutdown.requested()).buffer_unordered(TENANTS_AT_ONCE);
        let mut done = pin!(done);
        while let Some((tenant, result)) = done.next().await {
            if let Err(error) = &result {
                report(&tenant, error);
            }
            paces.note(tenant.tenant_id, &result, Instant::now());
        }
        let halted = paces.halted() + self.held().await?;
        self.deps.metrics.subscription_halted.with_label_values(&["archive"]).set(halted);
        let behind = self.behind().await?;
        self.measure(&behind);
        Ok(behind.iter().any(|tenant| delivery.is_mine(tenant) && paces.has_backlog(tenant, Instant::now())))
    }

    async fn archive_one(&self, tenant: &Behind, delivery: &Delivery) -> Result<(), Error> {
        let tenant_id = tenant.tenant_id;
        let resident = self.deps.resident(tenant_id).await?;
        let turn = take_turn(&self.deps, &resident, delivery).await;
        if let Err(Error::PublishedAhead { .. }) = &turn {
            // A database that was put back while this process ran: no further event may be told to anybody as kept.
            let mut connection = self.deps.pool.acquire().await.map_err(Error::Database)?;
            eventlog::hold_behind(&mut connection, tenant_id).await.map_err(Error::Log)?;
        }
        turn
    }

    async fn behind(&self) -> Result<Vec<Behind>, Error> {
        let mut connection = self.deps.pool.acquire().await.map_err(Error::Database)?;
        lag::behind(&mut connection).await.map_err(Error::Database)
    }

    /// Tenants that are closed until somebody restores them.
    async fn held(&self) -> Result<i64, Error> {
        let mut connection = self.deps.pool.acquire().await.map_err(Error::Database)?;
        lag::held(&mut connection).await.map_err(Error::Database)
    }

    fn measure(&self, behind: &[Behind]) {
        let metrics = &self.deps.metrics;
        let now = self.deps.clock.now();
        let age = behind.first().map_or(0.0, |tenant| seconds_since(tenant.oldest, now));
        metrics.mark_age_seconds.with_label_values(&["archived"]).set(age);
        metrics.subscription_lag_seconds.with_label_values(&["archive"]).set(age);
        let positions = behind.iter().map(Behind::positions).sum();
        metrics.subscription_lag_positions.with_label_values(&["archive"]).set(positions);
    }
}

fn seconds_since(then: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(then).as_secs_f64().max(0.0)
}

fn report(tenant: &Behind, error: &Error) {
    let line = runtime::chain(error);
    if error.is_transient() {
        tracing::warn!(tenant.id = %tenant.tenant_id, error = line, "archiving a tenant failed, and is tried again");
    } else {
        tracing::error!(tenant.id = %tenant.tenant_id, error = line, "the archive of a tenant is halted");
    }
}

fn warn(error: &(dyn std::error::Error + 'static), what: &'static str) {
    tracing::warn!(error = runtime::chain(error), "{what}");
}
