//! Wakes readers after commits, with one `NOTIFY` per few milliseconds for all tenants that moved.
//!
//! A `NOTIFY` takes a lock of the whole database until its transaction ends. Inside the append's transaction it would hold that
//! over the flush to disk and serialise all lanes, so it has a connection and transactions of its own, which wait for no disk.
//! A wake-up is a hint: one that is lost costs a reader the time until its next sweep.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use regions::{DatabaseRole, Region};
use runtime::{QueueMeter, RegionMetrics, Shutdown};
use schemas::TenantId;
use sqlx::PgConnection;
use tokio::sync::Notify;

/// The channel readers listen on.
pub(crate) const CHANNEL: &str = "log_appended";

const COALESCE_FOR: Duration = Duration::from_millis(2);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A payload takes fewer than 8000 bytes; an id and a comma take 37.
const TENANTS_PER_PAYLOAD: usize = 200;

/// Collects the tenants that moved. Bounded by their number: the queue `append_wakeups`.
#[derive(Debug, Clone)]
pub(crate) struct Notifier(Arc<Moved>);

#[derive(Debug)]
struct Moved {
    tenants: Mutex<BTreeSet<TenantId>>,
    changed: Notify,
    meter: QueueMeter,
}

impl Notifier {
    /// Runs it until the process is to end.
    pub(crate) fn start(region: &Region, metrics: &RegionMetrics, shutdown: &Shutdown) -> Self {
        let meter = metrics.queue("append_wakeups");
        let notifier = Self(Arc::new(Moved { tenants: Mutex::default(), changed: Notify::new(), meter }));
        shutdown.spawn(send(Arc::clone(&notifier.0), region.clone(), shutdown.clone()));
        notifier
    }

    /// Wakes the readers of these tenants, soon.
    pub(crate) fn wake(&self, tenants: impl Iterator<Item = TenantId>) {
        let mut moved = self.0.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        moved.extend(tenants);
        self.0.meter.holds(moved.len());
        drop(moved);
        self.0.changed.notify_one();
    }
}

async fn send(moved: Arc<Moved>, region: Region, shutdown: Shutdown) {
    let mut connection = None;
    loop {
        tokio::select! {
            () = moved.changed.notified() => {}
            () = shutdown.requested() => return,
        }
        if !shutdown.sleep(COALESCE_FOR).await {
            return;
        }
        let tenants = std::mem::take(&mut *moved.tenants.lock().unwrap_or_else(PoisonError::into_inner));
        moved.meter.holds(0);
        let tenants: Vec<_> = tenants.into_iter().collect();
        if let Err(error) = notify(&mut connection, &region, &tenants).await {
            connection = None;
            tracing::warn!(error, region = %region.id, "readers were not woken; their sweep will find the events");
            shutdown.sleep(RETRY_AFTER).await;
        }
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn notify(connection: &mut Option<PgConnection>, region: &Region, tenants: &[TenantId]) -> Result<(), AnyError> {
    let connection = match connection {
        Some(connection) => connection,
        none => none.insert(connect(region).await?),
    };
    for tenants in tenants.chunks(TENANTS_PER_PAYLOAD) {
        let payload = tenants.iter().map(TenantId::to_string).collect::<Vec<_>>().join(",");
        sqlx::query!("select pg_notify($1, $2)", CHANNEL, payload).fetch_one(&mut *connection).await?;
    }
    Ok(())
}

async fn connect(region: &Region) -> Result<PgConnection, AnyError> {
    let mut connection = regions::connection(region, DatabaseRole::Desk).await?;
    sqlx::query!("select set_config('synchronous_commit', 'off', false) as ignored").fetch_one(&mut connection).await?;
    Ok(connection)
}
