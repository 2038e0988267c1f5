//! The only place that waits: looks again and again until something is so, or a deadline has passed.

use std::time::Duration;

use tokio::time::Instant;

/// Longer than anything takes on a busy machine. Reached only when a test fails.
pub const PATIENCE: Duration = Duration::from_secs(90);

const PAUSE: Duration = Duration::from_millis(25);

/// Looks until there is something, and gives it. After [`PATIENCE`] the error says what was waited for.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    until_within(PATIENCE, what, look).await
}

/// The same with a patience of the caller's.
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        anyhow::ensure!(Instant::now() < deadline, "waited {} s in vain: {what}", patience.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
}
