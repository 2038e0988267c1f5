//! The one writer of a process: lanes that commit in groups.
//!
//! A lane is a task with a connection of its own. Tenants are spread over the lanes by a hash of their id, so that lanes of a
//! process never wait for one another's row locks. A lane takes all appends that wait, runs them in one call and one commit,
//! and answers each caller. While it waits for the disk, the next group gathers; so the busier it is, the larger the groups,
//! and nobody waits for a timer. Within a lane each tenant has a queue of its own, and a fair share of each batch.
//!
//! Reading order: this file, [`queue`] (who is next), [`lane`], [`batch`] (the call), [`siding`] (tenants that somebody holds),
//! [`outage`] (a lost connection), [`notifier`].

pub(crate) mod batch;
mod lane;
mod notifier;
mod outage;
mod queue;
mod siding;
mod waiting;

use std::{sync::Arc, time::Duration};

use regions::{DatabaseRole, Patience, Region};
use runtime::{RegionMetrics, Shutdown};
use schemas::{RegionId, TenantId};
use sqlx::PgConnection;
use tokio::{sync::oneshot, time::Instant};
use tracing::{Span, field};

use crate::{
    append::{Append, Appended},
    error::Error,
};
use lane::{Lane, Track};
pub(crate) use notifier::CHANNEL;
use notifier::Notifier;
use queue::{Limits, Queue};
use siding::Siding;
use waiting::Waiting;

/// How an appender works.
#[derive(Debug, Clone, Copy)]
pub struct AppenderConfig {
    /// How many connections append side by side.
    pub lanes: usize,
    /// The most events one commit takes, unless one caller alone has more.
    pub batch_size_max: usize,
    /// The most events one commit takes of one tenant, unless one caller alone has more: what a neighbour may have to wait for.
    pub tenant_share_max: usize,
    /// The most callers that may wait for one lane; more are refused.
    pub queue_length_max: usize,
    /// The most callers of one tenant that may wait; more are refused.
    pub tenant_queue_length_max: usize,
    /// How long callers wait for a tenant whose head row others hold (`lock`), and how long the database may work on a batch
    /// (`statement`). Shorter than a lane waits for an answer (30 seconds), so that the database gives up first: it then says
    /// that nothing happened, and no backend is left behind.
    pub patience: Patience,
    /// After what time of waiting for it a tenant is taken out of its lane. Longer than another process usually holds a
    /// tenant, which is for one batch and its flush.
    pub stuck_after: Duration,
    /// How long after it came an append may still be sent, or sent again.
    pub sent_within: Duration,
}

impl Default for AppenderConfig {
    fn default() -> Self {
        Self {
            lanes: 2,
            batch_size_max: 64,
            tenant_share_max: 16,
            queue_length_max: 1024,
            tenant_queue_length_max: 128,
            patience: Patience::DESK,
            stuck_after: Duration::from_millis(100),
            sent_within: Duration::from_secs(30),
        }
    }
}

impl AppenderConfig {
    fn limits(&self) -> Limits {
        Limits {
            length_max: self.queue_length_max.max(1),
            tenant_length_max: self.tenant_queue_length_max.max(1),
            batch_size_max: self.batch_size_max.max(1),
            tenant_share_max: self.tenant_share_max.max(1),
        }
    }

    async fn connect(&self, region: &Region) -> Result<PgConnection, regions::Error> {
        let patience = Patience { lock: self.stuck_after.min(self.patience.lock), ..self.patience };
        regions::connection_with(region, DatabaseRole::Desk, patience).await
    }
}

/// Appends to the logs of the tenants of one region. Cheap to clone.
///
/// Its lanes end when the last clone is dropped, or when the process is asked to end and nobody has appended for a moment.
#[derive(Debug, Clone)]
pub struct Appender {
    tracks: Arc<Tracks>,
    region: RegionId,
    metrics: RegionMetrics,
}

/// Where callers wait.
#[derive(Debug)]
struct Tracks {
    lanes: Vec<Arc<Queue>>,
    siding: Arc<Siding>,
    /// Shared with every lane.
    kept_open: Arc<()>,
}

/// While it lives, the lanes stay although the process is ending.
#[derive(Debug)]
#[must_use]
pub struct KeptOpen {
    _kept: Arc<()>,
}

impl Tracks {
    fn queue(&self, tenant_id: TenantId) -> &Queue {
        if self.siding.has(tenant_id) { &self.siding.queue } else { &self.lanes[lane_of(tenant_id, self.lanes.len())] }
    }
}

impl Drop for Tracks {
    fn drop(&mut self) {
        self.lanes.iter().for_each(|queue| queue.close());
    }
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
        let queue = |name| Queue::new(name, config.limits(), &metrics);
        let lanes: Vec<_> = (0..config.lanes.max(1)).map(|_| Arc::new(queue("append"))).collect();
        let siding = Siding::new(queue("append_siding"), lanes.len());
        let kept_open = Arc::new(());
        let tracks = Tracks { lanes, siding, kept_open };
        let notifier = Notifier::start(region, &metrics, shutdown);
        let on_main = |queue| Track::Main { queue: Arc::clone(queue), siding: Arc::clone(&tracks.siding) };
        let all = tracks.lanes.iter().map(on_main).chain([Track::Siding(Arc::clone(&tracks.siding))]);
        let mut lanes = Vec::new();
        for track in all {
            lanes.push(Lane {
                region: region.clone(),
                connection: config.connect(region).await.map_err(Error::Connect)?,
                track,
                config,
                metrics: metrics.clone(),
                notifier: notifier.clone(),
                shutdown: shutdown.clone(),
                kept_open: Arc::downgrade(&tracks.kept_open),
            });
        }
        lanes.into_iter().for_each(|lane| _ = shutdown.spawn(lane.run()));
        Ok(Self { tracks: Arc::new(tracks), region: region.id.clone(), metrics })
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

    /// Keeps the lanes for somebody who appends later than a moment after the process was asked to end.
    pub fn keep_open(&self) -> KeptOpen {
        KeptOpen { _kept: Arc::clone(&self.tracks.kept_open) }
    }

    async fn hand_over(&self, append: Append) -> Result<Appended, Error> {
        append.check()?;
        if *append.resident.region() != self.region {
            return Err(Error::NotAtHome { tenant_id: append.resident.tenant_id() });
        }
        record_first_event(&append);
        let (command_id, tenant_id) = (append.command_id, append.resident.tenant_id());
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { append, arrived: Instant::now(), answer, was_sent: false };
        self.tracks.queue(tenant_id).push(waiting)?;
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
