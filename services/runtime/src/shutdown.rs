//! How a process ends: first it is asked to finish what it holds, then it is told to stop.

use std::time::Duration;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A request to stop, shared by everything a process runs, and the list of what still runs.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    requested: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Nothing asked yet, nothing running.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything to finish.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// Whether it was asked.
    pub fn is_requested(&self) -> bool {
        self.requested.is_cancelled()
    }

    /// Waits until it is asked.
    pub async fn requested(&self) {
        self.requested.cancelled().await;
    }

    /// Runs a task that [`Shutdown::drain`] waits for.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns: everything else is tracked through it")]
    pub fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(self.tasks.track_future(task))
    }

    /// Asks, then waits for every spawned task, at most `patience`. Tells whether all ended.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.request();
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }

    /// Sleeps, or returns `false` at once when asked to stop.
    pub async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            () = self.requested.cancelled() => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}
