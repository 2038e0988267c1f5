//! Waiting for something to come true, with a deadline.

use std::time::Duration;

use anyhow::Context;
use tokio::time::{sleep, timeout};

const PAUSE: Duration = Duration::from_millis(5);
/// Generous: what takes so long never comes.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something holds.
pub async fn until(mut holds: impl FnMut() -> bool) -> anyhow::Result<()> {
    eventually(async || Ok(holds().then_some(()))).await
}

/// Looks again and again until there is something to be seen.
pub async fn eventually<T>(mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let looking = async {
        loop {
            if let Some(seen) = look().await? {
                return Ok(seen);
            }
            sleep(PAUSE).await;
        }
    };
    timeout(PATIENCE, looking).await.context("it never came true")?
}
