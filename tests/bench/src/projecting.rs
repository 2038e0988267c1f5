//! A projector that works beside what is measured, as in production.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use projector::{Projector, ProjectorDeps, Sweeper};
use regions::Resident;
use runtime::Shutdown;
use tokio::task::JoinHandle;

use crate::ground::Store;

/// How long the read models may take to come to the heads.
const PATIENCE: Duration = Duration::from_secs(120);
/// As many tenants as the projector serves at the same time.
const AT_ONCE: usize = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// A projector, until it is stopped.
pub(crate) struct Projecting {
    deps: ProjectorDeps,
    shutdown: Shutdown,
    running: JoinHandle<()>,
}

impl Projecting {
    /// Brings the read models to where they would be, at the heads, and starts it.
    pub(crate) async fn start<'a>(
        store: &Store,
        residents: impl IntoIterator<Item = &'a Resident>,
    ) -> anyhow::Result<Self> {
        let (deps, shutdown) = (store.projector().await?, Shutdown::new());
        let caught_up = residents.into_iter().map(|resident| projector::catch_up(&deps, resident));
        stream::iter(caught_up).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
        let running = shutdown.spawn(Projector::new(deps.clone()).run(shutdown.clone()));
        let projecting = Self { deps, shutdown, running };
        projecting.wait().await?;
        Ok(projecting)
    }

    /// Waits until nobody is behind.
    pub(crate) async fn wait(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        loop {
            let behind = Sweeper::default().count_behind(&self.deps).await?;
            if behind == 0 {
                return Ok(());
            }
            anyhow::ensure!(since.elapsed() < PATIENCE, "{behind} read models are behind");
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.request();
        self.running.await?;
        self.deps.pool.close().await;
        Ok(())
    }
}
