//! Shows how old the oldest event is that the marks "sealed" and "verified" have not reached, so that somebody is alarmed when
//! they age. The loop that archives shows "archived"; "acked" is reached by the append itself.

use runtime::Shutdown;

use super::seconds_since;
use crate::{deps::ReplicatorDeps, error::Error, lag};

/// Intervals from one look to the next: each asks for one event of every tenant.
const INTERVALS: u32 = 30;

pub(super) async fn run(deps: &ReplicatorDeps, shutdown: &Shutdown) {
    loop {
        if let Err(error) = measure(deps).await {
            tracing::warn!(error = runtime::chain(&error), "cannot ask how old the marks are");
        }
        if !shutdown.sleep(deps.interval * INTERVALS).await {
            return;
        }
    }
}

async fn measure(deps: &ReplicatorDeps) -> Result<(), Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let oldest = lag::oldest_beyond(&mut connection).await.map_err(Error::Database)?;
    let now = deps.clock.now();
    for (mark, oldest) in [("sealed", oldest.sealed), ("verified", oldest.verified)] {
        let age = oldest.map_or(0.0, |then| seconds_since(then, now));
        deps.metrics.mark_age_seconds.with_label_values(&[mark]).set(age);
    }
    Ok(())
}
