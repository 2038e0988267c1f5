//! All tenants of a region: woken by hints, kept honest by sweeps.

use std::time::Duration;

use eventlog::{Wakeup, Wakeups};
use regions::DatabaseRole;
use runtime::Shutdown;
use tokio::time::{Instant, sleep};
use topic::{Outage, TopicWriter};

use crate::{
    Error, RelayDeps, SUBSCRIPTION,
    relayed::Woken,
    round::{Round, round},
    status,
};

/// How often heads are compared with checkpoints.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// How long a round may go on after shutdown was asked for. What is given up is published again.
const GRACE: Duration = Duration::from_secs(2);

/// The relay of a region.
pub struct Relay {
    deps: RelayDeps,
}

impl Relay {
    /// A relay that has not begun.
    pub const fn new(deps: RelayDeps) -> Self {
        Self { deps }
    }

    /// Keeps the topic up with the log until asked to stop. Brokers that are down, or refused, are asked again and again.
    pub async fn run(self, shutdown: Shutdown) {
        let deadline = async {
            shutdown.requested().await;
            sleep(GRACE).await;
        };
        let mut work = Work { deps: self.deps, writer: None, swept_at: None };
        tokio::select! {
            () = work.until_asked(&shutdown) => {}
            () = deadline => tracing::warn!("a round was given up; what it published is published again"),
        }
        work.close().await;
    }
}

struct Work {
    deps: RelayDeps,
    writer: Option<TopicWriter>,
    swept_at: Option<Instant>,
}

impl Work {
    async fn until_asked(&mut self, shutdown: &Shutdown) {
        let mut outage = Outage::new(SUBSCRIPTION, self.deps.metrics.clone());
        let mut wakeups = None;
        while !shutdown.is_requested() {
            let wakeup = tokio::select! {
                () = shutdown.requested() => return,
                wakeup = self.wait(&mut wakeups) => wakeup,
            };
            match self.copy(&wakeup, shutdown).await {
                Ok(()) => outage.over(),
                Err(error) => {
                    // Made anew, it asks the brokers again whose they are.
                    self.close().await;
                    shutdown.sleep(outage.note(&error)).await;
                }
            }
        }
    }

    /// Until there is probably something to do. A sweep comes by when it is time, however many wake-ups there are.
    async fn wait(&self, wakeups: &mut Option<Wakeups>) -> Wakeup {
        let Some(swept_at) = self.swept_at else { return Wakeup::Sweep };
        let at_most = SWEEP_INTERVAL.saturating_sub(swept_at.elapsed());
        if at_most.is_zero() {
            return Wakeup::Sweep;
        }
        if wakeups.is_none() {
            *wakeups = Wakeups::listen(&self.deps.region, DatabaseRole::Relay)
                .await
                .inspect_err(|error| tracing::warn!(error = runtime::chain(error), "no wake-ups: sweeping only"))
                .ok();
        }
        match wakeups {
            Some(wakeups) => wakeups.changed(at_most).await,
            None => {
                sleep(at_most).await;
                Wakeup::Sweep
            }
        }
    }

    async fn copy(&mut self, wakeup: &Wakeup, shutdown: &Shutdown) -> Result<(), Error> {
        let woken = match wakeup {
            Wakeup::Tenants(tenants) => Some(tenants.as_slice()),
            Wakeup::Sweep => None,
        };
        if woken.is_none() {
            self.swept_at = Some(Instant::now());
            status::measure(&self.deps).await?;
        }
        while self.round(woken).await?.more && !shutdown.is_requested() {}
        Ok(())
    }

    async fn round(&mut self, woken: Woken<'_>) -> Result<Round, Error> {
        let writer = match &self.writer {
            Some(writer) => writer,
            None => self.writer.insert(open(&self.deps).await?),
        };
        writer.check()?;
        let mut round = round(&self.deps, writer, woken).await?;
        if let Some(error) = round.error.take() {
            return Err(error);
        }
        if round.is_limit_met {
            self.close().await;
        }
        Ok(round)
    }

    async fn close(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.close().await;
        }
    }
}

async fn open(deps: &RelayDeps) -> Result<TopicWriter, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Checkpoint)?;
    Ok(TopicWriter::open(&deps.region, &mut connection, deps.source).await?)
}
