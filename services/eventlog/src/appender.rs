//! The one writer of a process: lanes that commit in groups.
//!
//! A lane is a task with a connection of its own. Tenants are spread over the lanes by a hash of their id, so that lanes of a
//! process never wait for one another's row locks. A lane takes all appends that wait, runs them in one call and one commit,
//! and answers each caller. While it waits for the disk, the next group gathers; so the busier it is, the larger the groups,
//! and nobody waits for a timer.
//!
//! Reading order: this file, [`lane`], [`batch`] (the call), [`outage`] (a lost connection), [`notifier`].

mod batch;
mod lane;
mod notifier;
mod outage;

use std::{sync::Arc, time::Duration};

use regions::{DatabaseRole, Patience, Region};
use runtime::{RegionMetrics, Shutdown};
use schemas::{RegionId, TenantId};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::Instant,
};
use tracing::{Span, field};

use crate::{
    append::{Append, Appended},
    error::Error,
};
use lane::{Lane, Waiting};
pub(crate) use notifier::CHANNEL;
use notifier::Notifier;

/// How an appender works.
#[derive(Debug, Clone, Copy)]
pub struct AppenderConfig {
    /// How many connections append side by side.
    pub lanes: usize,
    /// The most callers one commit takes.
    pub batch_size_max: usize,
    /// The most callers that may wait for one lane; more are refused.
    pub queue_length_max: usize,
    /// How long the database lets a batch wait for tenants that others hold. Shorter in all than a lane waits for an answer (30
    /// seconds), so that the database gives up first: it then says that nothing happened, and no backend is left behind.
    pub patience: Patience,
    /// How long after it came an append may still be sent, or sent again.
    pub sent_within: Duration,
}

impl Default for AppenderConfig {
    fn default() -> Self {
        Self {
            lanes: 2,
            batch_size_max: 64,
            queue_length_max: 1024,
            patience: Patience::DESK,
            sent_within: Duration::from_secs(30),
        }
    }
}

/// Appends to the logs of the tenants of one region. Cheap to clone.
///
/// Its lanes end when the last clone is dropped, or when the process is asked to end and nobody has appended for a moment.
#[derive(Debug, Clone)]
pub struct Appender {
    lanes: Arc<[mpsc::Sender<Waiting>]>,
    region: RegionId,
    metrics: RegionMetrics,
}

impl Appender {
    /// Connects the lanes and runs them.
    ///
    /// # Errors
    /// If the database cannot be reached, or is not this region's.
    pub async fn start(
        config: AppenderConfig,
        region: &Region,
        metrics: RegionMetrics,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let notifier = Notifier::start(region, shutdown);
        let mut lanes = Vec::new();
        for _ in 0..config.lanes.max(1) {
            let connection = regions::connection_with(region, DatabaseRole::Desk, config.patience).await;
            let connection = connection.map_err(Error::Connect)?;
            let (lane, queue) = mpsc::channel(config.queue_length_max.max(1));
            lanes.push(lane);
            let lane = Lane {
                region: region.clone(),
                connection,
                queue,
                config: AppenderConfig { batch_size_max: config.batch_size_max.max(1), ..config },
                metrics: metrics.clone(),
                notifier: notifier.clone(),
                shutdown: shutdown.clone(),
            };
            shutdown.spawn(lane.run());
        }
        Ok(Self { lanes: lanes.into(), region: region.id.clone(), metrics })
    }

    /// Appends, and returns when the events are durable.
    ///
    /// Dropping the future does not take the append back: it may still happen.
    ///
    /// # Errors
    /// As [`Error`] says; nothing was appended unless it is [`Error::OutcomeUnknown`].
    #[tracing::instrument(
        name = "eventlog.append",
        skip_all,
        fields(
            tenant.id = %append.resident.tenant_id(),
            region = %self.region,
            command.id = %append.command_id,
            stream = field::Empty,
            version = field::Empty,
            event.type = field::Empty,
            position = field::Empty,
        )
    )]
    pub async fn append(&self, append: Append) -> Result<Appended, Error> {
        let result = self.hand_over(append).await;
        match &result {
            Ok(appended) => {
                Span::current().record("position", appended.last.get());
            }
            Err(error) => self.metrics.append_refusals.with_label_values(&[error.reason()]).inc(),
        }
        result
    }

    async fn hand_over(&self, append: Append) -> Result<Appended, Error> {
        append.check()?;
        if *append.resident.region() != self.region {
            return Err(Error::NotAtHome { tenant_id: append.resident.tenant_id() });
        }
        record_first_event(&append);
        let command_id = append.command_id;
        let lane = &self.lanes[lane_of(append.resident.tenant_id(), self.lanes.len())];
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { append, arrived: Instant::now(), answer, was_sent: false };
        // Before it is sent: the lane may take it at once.
        self.metrics.append_queue_length.inc();
        if let Err(error) = lane.try_send(waiting) {
            self.metrics.append_queue_length.dec();
            return Err(match error {
                TrySendError::Full(_) => Error::Overloaded,
                TrySendError::Closed(_) => Error::Unavailable,
            });
        }
        // A lane answers everything it takes, unless it panics or the runtime ends under it.
        answered.await.unwrap_or(Err(Error::OutcomeUnknown { command_id }))
    }
}

fn record_first_event(append: &Append) {
    let span = Span::current();
    if let Some((stream, first)) = append.streams.first().and_then(|stream| Some((stream, stream.events.first()?))) {
        span.record("stream", field::display(&stream.stream));
        span.record("version", first.envelope.version.get());
        span.record("event.type", first.envelope.event_type.as_str());
    }
}

/// The low half of an id is random (UUIDv4, UUIDv7), so it spreads by itself.
fn lane_of(tenant_id: TenantId, lane_count: usize) -> usize {
    let (_, random) = tenant_id.get().as_u64_pair();
    usize::try_from(random % lane_count as u64).expect("the remainder is smaller than a usize")
}
