//! Hints that a tenant's log has grown. The sweep over head rows is the truth; a wake-up only makes it prompt.

use std::{collections::BTreeSet, time::Duration};

use regions::{DatabaseRole, Region};
use schemas::TenantId;
use sqlx::postgres::{PgListener, PgNotification};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{appender::CHANNEL, error::Error};

/// Why a reader was woken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wakeup {
    /// The logs of these tenants have grown.
    Tenants(Vec<TenantId>),
    /// Something may have been missed, or it is time anyway: compare all heads with all checkpoints.
    Sweep,
}

/// Listens to a region's appends.
#[derive(Debug)]
pub struct Wakeups {
    listener: PgListener,
}

/// How long to wait after the listener failed, so that a database that is away is not asked in a loop.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

impl Wakeups {
    /// Begins to listen. What was appended before is not heard: sweep once afterwards.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn listen(region: &Region, role: DatabaseRole) -> Result<Self, Error> {
        let mut listener = regions::listener(region, role).await.map_err(Error::Listen)?;
        listener.listen(CHANNEL).await.map_err(Error::Subscribe)?;
        Ok(Self { listener })
    }

    /// Waits for the next change, at most this long. It may be dropped at any time without losing one.
    pub async fn changed(&mut self, at_most: Duration) -> Wakeup {
        let deadline = Instant::now() + at_most;
        match timeout_at(deadline, self.listener.try_recv()).await {
            Ok(Ok(Some(first))) => {
                let mut tenants = BTreeSet::new();
                let mut next = Some(first);
                // Bounded by what has arrived already.
                while let Some(notification) = next {
                    tenants.extend(tenants_of(&notification));
                    next = self.listener.next_buffered();
                }
                Wakeup::Tenants(tenants.into_iter().collect())
            }
            // The connection was lost, and with it whatever was sent meanwhile.
            Ok(Ok(None)) | Err(_) => Wakeup::Sweep,
            Ok(Err(error)) => {
                tracing::warn!(error = runtime::chain(&error), "cannot listen to wake-ups");
                sleep(PAUSE_AFTER_FAILURE.min(deadline.saturating_duration_since(Instant::now()))).await;
                Wakeup::Sweep
            }
        }
    }
}

fn tenants_of(notification: &PgNotification) -> impl Iterator<Item = TenantId> {
    notification.payload().split(',').filter_map(|id| id.parse().ok())
}
