//! One lane: takes what waits, commits it together, answers each caller.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
    time::Duration,
};

use regions::Region;
use runtime::{RegionMetrics, Shutdown, crash};
use sqlx::{
    PgConnection,
    postgres::{PgDatabaseError, PgSeverity},
};
use tokio::time::timeout;

use crate::appender::{
    AppenderConfig,
    batch::{self, Outcome},
    notifier::Notifier,
    queue::Queue,
    siding::Siding,
    waiting::Waiting,
};

pub(crate) struct Lane {
    pub(crate) region: Region,
    pub(crate) connection: PgConnection,
    pub(crate) track: Track,
    pub(crate) config: AppenderConfig,
    pub(crate) metrics: RegionMetrics,
    pub(crate) notifier: Notifier,
    pub(crate) shutdown: Shutdown,
    /// Held by the appender, and by whoever needs the lane to the end.
    pub(crate) kept_open: Weak<()>,
}

/// Whom a lane serves.
pub(crate) enum Track {
    /// Some of the tenants, all of them together, and whom it hands over when somebody holds their head row.
    Main { queue: Arc<Queue>, siding: Arc<Siding> },
    /// Those that were handed over, each alone.
    Siding(Arc<Siding>),
}

/// Why a batch has no outcomes.
enum Failure {
    /// The database rolled it back and said so.
    RolledBack(sqlx::Error),
    /// The connection is gone, or silent. Whether it was committed is not known.
    ConnectionLost(sqlx::Error),
}

/// How long an answer may take before the connection counts as lost. Longer than the database's own patience.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a lane stays for stragglers once the process was asked to end.
const LINGER: Duration = Duration::from_secs(1);

impl Lane {
    pub(crate) async fn run(mut self) {
        while let Some(batch) = self.take().await {
            let last_batch_size = batch.len();
            if !self.work_off(VecDeque::from([batch])).await {
                break;
            }
            if last_batch_size > 1 {
                // The callers just answered often append again at once. Letting them run first keeps the groups large,
                // where the lane would otherwise run off with the quickest one alone, every second time.
                tokio::task::yield_now().await;
            }
        }
    }

    pub(crate) fn queue(&self) -> &Queue {
        match &self.track {
            Track::Main { queue, .. } => queue,
            Track::Siding(siding) => &siding.queue,
        }
    }

    /// Waits for callers and takes a batch of them. `None` when none will come.
    async fn take(&self) -> Option<Vec<Waiting>> {
        loop {
            let mut batch = match &self.track {
                Track::Main { queue, .. } => queue.take(),
                Track::Siding(siding) => siding.queue.take_of_one(),
            };
            if !batch.is_empty() {
                // Nobody waits for these any more: not sending them is as good as never having come.
                batch.retain(|waiting| !waiting.answer.is_closed());
                return Some(batch);
            }
            if self.queue().is_closed() || !self.wait().await {
                return None;
            }
        }
    }

    /// Waits until callers may have come. `false` if the process ends and none came for a moment, nor will. The siding ends after the
    /// lanes, when its queue is closed.
    async fn wait(&self) -> bool {
        let is_main = matches!(self.track, Track::Main { .. });
        let is_ending = self.shutdown.is_requested();
        tokio::select! {
            biased;
            () = self.queue().arrived() => true,
            () = self.shutdown.requested(), if is_main && !is_ending => true,
            () = tokio::time::sleep(LINGER), if is_main && is_ending => self.kept_open.strong_count() > 1,
        }
    }

    /// Runs batches until each caller is answered. `false` if the process ended over a database that is away.
    async fn work_off(&mut self, mut batches: VecDeque<Vec<Waiting>>) -> bool {
        while let Some(mut batch) = batches.pop_front() {
            // However often a batch comes back, its callers do not wait for ever.
            let sent_within = self.config.sent_within;
            batch.extract_if(.., |waiting| waiting.arrived.elapsed() > sent_within).for_each(Waiting::give_up);
            if batch.is_empty() {
                continue;
            }
            // All batches lock their tenants in this order. The sort is stable: callers of one tenant stay in theirs.
            batch.sort_by_key(Waiting::tenant_id);
            match self.commit(&batch).await {
                Ok(outcomes) => self.answer(batch, outcomes),
                Err(Failure::RolledBack(error)) if is_out_of_patience(&error) => {
                    self.blocked(batch, &mut batches, &error).await;
                }
                Err(Failure::RolledBack(error)) => {
                    parts(batch, &error).into_iter().rev().for_each(|part| batches.push_front(part));
                }
                Err(Failure::ConnectionLost(error)) => {
                    tracing::warn!(error = runtime::chain(&error), callers = batch.len(), "connection lost");
                    batch.iter_mut().for_each(|waiting| waiting.was_sent = true);
                    batches.push_front(batch);
                    if !self.reconnect(&mut batches).await {
                        return false;
                    }
                }
            }
        }
        true
    }

    async fn commit(&mut self, batch: &[Waiting]) -> Result<Vec<Outcome>, Failure> {
        let appends: Vec<_> = batch.iter().map(|waiting| &waiting.append).collect();
        match timeout(ANSWER_TIMEOUT, batch::append(&mut self.connection, &appends)).await {
            Ok(Ok(outcomes)) => Ok(outcomes),
            Ok(Err(error)) if was_rolled_back(&error) => Err(Failure::RolledBack(error)),
            Ok(Err(error)) => Err(Failure::ConnectionLost(error)),
            Err(_) => Err(Failure::ConnectionLost(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))),
        }
    }

    /// The batch is durable. A crash from here on loses answers, not events: a client that asks again with its idempotency key
    /// learns the positions, and readers find the events by their sweep even if no wake-up is ever sent.
    fn answer(&self, batch: Vec<Waiting>, outcomes: Vec<Outcome>) {
        crash::point("eventlog.committed");
        self.metrics.append_batch_size.observe(batch.len() as f64);
        let appended = batch.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_new());
        self.notifier.wake(appended.map(|(waiting, _)| waiting.tenant_id()));
        if let (Track::Siding(siding), Some(first)) = (&self.track, batch.first()) {
            siding.release(first.tenant_id());
        }
        for (waiting, outcome) in batch.into_iter().zip(outcomes) {
            let result = waiting.result(&outcome);
            if result.is_ok() {
                self.metrics.append_seconds.observe(waiting.arrived.elapsed().as_secs_f64());
            }
            // A caller that went away is no concern of its neighbours.
            let _ = waiting.answer.send(result);
        }
    }
}

impl Drop for Lane {
    /// However a lane ends, nobody waits for it.
    fn drop(&mut self) {
        self.queue().close();
        self.queue().drain().into_iter().for_each(Waiting::give_up);
        if let Track::Main { siding, .. } = &self.track {
            siding.lane_ended();
        }
    }
}

/// What to run of a batch that was rolled back: its callers, so that whoever is at fault fails alone. One alone is refused.
fn parts(mut batch: Vec<Waiting>, error: &sqlx::Error) -> Vec<Vec<Waiting>> {
    if batch.len() == 1 {
        batch.drain(..).for_each(|waiting| waiting.refuse(error));
    } else {
        tracing::warn!(error = runtime::chain(error), callers = batch.len(), "batch rolled back");
    }
    batch.into_iter().map(|waiting| vec![waiting]).collect()
}

/// lock_not_available, query_canceled: the database gave up, and rolled back.
fn is_out_of_patience(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("55P03" | "57014"))
}

/// Whether the database itself says that the statement failed. A fatal error ends the session and says nothing of the
/// statement: a backend that is terminated while it waits for a standby has committed already.
fn was_rolled_back(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| error.severity() == PgSeverity::Error)
        }
        _ => false,
    }
}
