//! Turns: how many searches are asked of the database at a time.
//!
//! A search may read many texts. Those that wait hold no connection, so that searches never take all there are from whoever opens a
//! ticket.

use std::{sync::Arc, time::Duration};

use runtime::{QueueMeter, RegionMetrics};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::ApiError;

/// Searches at a time: a quarter of a desk's connections.
pub(crate) const AT_ONCE: usize = 4;
/// How long one waits for others.
const PATIENCE: Duration = Duration::from_secs(5);

/// The turns of a desk.
pub(crate) struct Turns {
    places: Arc<Semaphore>,
    patience: Duration,
    /// Which searches wait.
    meter: QueueMeter,
}

impl Turns {
    pub(crate) fn new(metrics: &RegionMetrics) -> Self {
        Self::with(AT_ONCE, PATIENCE, metrics)
    }

    fn with(at_once: usize, patience: Duration, metrics: &RegionMetrics) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once)), patience, meter: metrics.queue("desk_searches") }
    }

    /// A turn, after those that came before, given up when it is dropped; 503 if none ends for long.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let _waits = self.meter.enter();
        let place = tokio::time::timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|late| {
            self.meter.refused();
            ApiError::unavailable(late)
        })?;
        Ok(place.expect("turns are never closed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_search_waits_for_those_before_it_and_not_for_ever() -> Result<(), ApiError> {
        let turns = Turns::with(2, Duration::from_millis(20), &RegionMetrics::new("eu"));
        let (first, _second) = (turns.turn().await?, turns.turn().await?);
        assert_eq!(turns.turn().await.err().map(|error| error.status().as_u16()), Some(503));
        drop(first);
        drop(turns.turn().await?);
        Ok(())
    }
}
