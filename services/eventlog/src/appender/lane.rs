//! One lane: takes what waits, commits it together, answers each caller.

use std::{collections::VecDeque, time::Duration};

use regions::Region;
use runtime::{RegionMetrics, Shutdown, crash};
use sqlx::{
    PgConnection,
    postgres::{PgDatabaseError, PgSeverity},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use crate::{
    append::{Append, Appended},
    appender::{
        AppenderConfig,
        batch::{self, Outcome},
        notifier::Notifier,
    },
    error::Error,
};

/// A caller in the queue.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) append: Append,
    pub(crate) arrived: Instant,
    pub(crate) answer: oneshot::Sender<Result<Appended, Error>>,
    /// Whether it was once sent on a connection that broke, so that it may have been appended.
    pub(crate) was_sent: bool,
}

pub(crate) struct Lane {
    pub(crate) region: Region,
    pub(crate) connection: PgConnection,
    pub(crate) queue: mpsc::Receiver<Waiting>,
    pub(crate) config: AppenderConfig,
    pub(crate) metrics: RegionMetrics,
    pub(crate) notifier: Notifier,
    pub(crate) shutdown: Shutdown,
}

/// Why a batch has no outcomes.
enum Failure {
    /// The database rolled it back and said so.
    RolledBack(sqlx::Error),
    /// The connection is gone, or silent. Whether it was committed is not known.
    ConnectionLost(sqlx::Error),
}

/// How long an answer may take before the connection counts as lost. Longer than the database's own patience.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a lane stays for stragglers once the process was asked to end.
const LINGER: Duration = Duration::from_secs(1);

impl Lane {
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::with_capacity(self.config.batch_size_max);
        while self.take(&mut batch).await {
            let last_batch_size = batch.len();
            if !self.work_off(VecDeque::from([std::mem::take(&mut batch)])).await {
                break;
            }
            if last_batch_size > 1 {
                // The callers just answered often append again at once. Letting them run first keeps the groups large,
                // where the lane would otherwise run off with the quickest one alone, every second time.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Waits for callers and takes all that wait. `false` when none will come.
    async fn take(&mut self, batch: &mut Vec<Waiting>) -> bool {
        let ending = self.shutdown.is_requested();
        let taken = tokio::select! {
            biased;
            taken = self.queue.recv_many(batch, self.config.batch_size_max) => taken,
            () = self.shutdown.requested(), if !ending => return Box::pin(self.take(batch)).await,
            () = tokio::time::sleep(LINGER), if ending => 0,
        };
        self.metrics.append_queue_length.sub(i64::try_from(taken).unwrap_or_default());
        // Nobody waits for these any more, and they were never sent: dropping them is as good as never having come.
        batch.retain(|waiting| !waiting.answer.is_closed());
        taken > 0
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
            batch.sort_by_key(|waiting| waiting.append.resident.tenant_id());
            match self.commit(&batch).await {
                Ok(outcomes) => self.answer(batch, outcomes),
                Err(Failure::RolledBack(error)) => {
                    parts(batch, &error).into_iter().rev().for_each(|part| batches.push_front(part));
                }
                Err(Failure::ConnectionLost(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, callers = batch.len(), "connection lost");
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
        self.notifier.wake(appended.map(|(waiting, _)| waiting.append.resident.tenant_id()));
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

impl Waiting {
    fn result(&self, outcome: &Outcome) -> Result<Appended, Error> {
        match (outcome.result(&self.append), self.was_sent) {
            // The backend that the connection was lost to may still come to its turn, and find the tenant at home again.
            (Err(Error::NotAtHome { .. }), true) => Err(Error::OutcomeUnknown { command_id: self.append.command_id }),
            (result, _) => result,
        }
    }

    fn refuse(self, error: &sqlx::Error) {
        let refusal = match error.as_database_error().and_then(|error| error.code()).as_deref() {
            _ if self.was_sent => Error::OutcomeUnknown { command_id: self.append.command_id },
            // insufficient_resources, disk_full
            Some("53000" | "53100") => Error::StoreFull,
            _ if is_out_of_patience(error) => Error::Busy { tenant_id: self.append.resident.tenant_id() },
            _ => Error::Append(sqlx::Error::Protocol(error.to_string())),
        };
        let _ = self.answer.send(Err(refusal));
    }
}

/// What to run of a batch that was rolled back: its parts, so that whoever is at fault fails alone. What has no parts is refused.
fn parts(batch: Vec<Waiting>, error: &sqlx::Error) -> Vec<Vec<Waiting>> {
    // What is held is a tenant's head row. All callers of that tenant would wait for it, each as long as this batch did.
    let by_tenant = is_out_of_patience(error);
    let mut parts: Vec<Vec<Waiting>> = Vec::new();
    for waiting in batch {
        let tenant_id = waiting.append.resident.tenant_id();
        match parts.last_mut() {
            Some(part) if by_tenant && part[0].append.resident.tenant_id() == tenant_id => part.push(waiting),
            _ => parts.push(vec![waiting]),
        }
    }
    if parts.len() == 1 {
        parts.drain(..).flatten().for_each(|waiting| waiting.refuse(error));
    } else {
        tracing::warn!(error = error as &dyn std::error::Error, parts = parts.len(), "batch rolled back");
    }
    parts
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
