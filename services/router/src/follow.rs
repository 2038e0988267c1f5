//! Keeps the table up to date: follows the directory, and asks at once when a name is missing.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use runtime::Shutdown;
use schemas::Position;
use tokio::{sync::Mutex, time::Instant};

use crate::{metrics::Metrics, table::Table};

/// How long the directory may hold a request while nothing changes.
const LONG_POLL: Duration = Duration::from_secs(20);
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// After the directory failed, unknown names are answered at once for so long.
const NEWS_PAUSE: Duration = Duration::from_secs(1);

/// What became of a request for the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fetched {
    /// There is a newer one, and it is in use.
    Taken,
    /// There is none.
    Unchanged,
    /// There is one, and it is not used.
    Refused,
}

/// Brings maps from the directory into the table.
#[derive(Debug)]
pub(crate) struct Follower {
    directory: directory::Client,
    table: Arc<Table>,
    metrics: Metrics,
    news: Mutex<News>,
}

#[derive(Debug, Default)]
struct News {
    asked_at: Option<Instant>,
    failed_at: Option<Instant>,
}

impl Follower {
    pub(crate) fn new(directory: directory::Client, table: Arc<Table>, metrics: Metrics) -> Self {
        Self { directory, table, metrics, news: Mutex::default() }
    }

    /// Starts from the map on disk. A file that was changed is refused and left for somebody to look at; the next good map
    /// replaces it.
    pub(crate) fn load(&self) {
        match self.table.cached() {
            Ok(Some(bytes)) => {
                self.offer(bytes, "cache");
            }
            Ok(None) => tracing::info!("no map is cached yet"),
            Err(error) => tracing::warn!(%error, "the cached map cannot be read"),
        }
    }

    /// Follows the directory until asked to stop. Without the directory the table stays as it is.
    pub(crate) async fn follow(&self, shutdown: &Shutdown) {
        let mut pause = RETRY_FIRST;
        while !shutdown.is_requested() {
            let fetched = tokio::select! {
                fetched = self.fetch(LONG_POLL) => fetched,
                () = shutdown.requested() => return,
            };
            if let Err(error) = &fetched {
                self.metrics.directory_failures.inc();
                tracing::warn!(
                    error = runtime::chain(error),
                    "the directory does not answer; routing by the map at hand"
                );
            }
            pause = match fetched {
                Ok(Fetched::Taken) => {
                    pause = RETRY_FIRST;
                    continue;
                }
                // A directory that does not hold the request must not be asked in a loop.
                Ok(Fetched::Unchanged) => RETRY_FIRST,
                Ok(Fetched::Refused) | Err(_) => (pause * 2).min(RETRY_MAX),
            };
            shutdown.sleep(pause).await;
        }
    }

    /// Asks the directory for news now, because a name is missing: a tenant that signed up a moment ago may not have
    /// arrived here yet. Those who wait share one request; when it fails or takes too long, the table stays as it is.
    pub(crate) async fn ask_for_news(&self, patience: Duration) {
        let missed_at = Instant::now();
        let ask = async {
            let mut news = self.news.lock().await;
            let is_answered = news.asked_at.is_some_and(|asked_at| asked_at >= missed_at);
            let is_hopeless = news.failed_at.is_some_and(|failed_at| failed_at.elapsed() < NEWS_PAUSE);
            if is_answered || is_hopeless {
                return;
            }
            // Written before the answer, so that a request that is given up counts as failed.
            let asked_at = Instant::now();
            news.failed_at = Some(asked_at);
            if self.fetch(Duration::ZERO).await.is_ok() {
                *news = News { asked_at: Some(asked_at), failed_at: None };
            }
        };
        let _ = tokio::time::timeout(patience, ask).await;
    }

    async fn fetch(&self, wait: Duration) -> Result<Fetched, directory::client::Error> {
        let routes = self.table.routes();
        let fetched = self.directory.map(routes.version, routes.etag.as_deref(), wait).await?;
        Ok(match fetched {
            None => Fetched::Unchanged,
            Some(bytes) => {
                if self.offer(bytes, "directory") {
                    Fetched::Taken
                } else {
                    Fetched::Refused
                }
            }
        })
    }

    /// Whether the map is in use now.
    fn offer(&self, bytes: Bytes, origin: &'static str) -> bool {
        match self.table.offer(bytes) {
            Ok(()) => {
                let version = self.table.routes().version.map_or(0, Position::get);
                self.metrics.map_version.set(version);
                tracing::debug!(origin, version, "map in use");
                true
            }
            Err(refused) => {
                self.metrics.map_refusals.with_label_values(&[refused.reason()]).inc();
                tracing::error!(origin, error = runtime::chain(&refused), "map refused");
                false
            }
        }
    }
}
