//! The memory that bodies fill together, and what bounds that of answers which are made while they are sent.
//!
//! One body is bounded by its own limit; a hundred of them at once are bounded here. Place is taken as the bytes arrive, not
//! as a header announces them, so that nobody holds what they do not send.

use std::{sync::Arc, time::Duration};

use runtime::{QueueMeter, RegionMetrics};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::ApiError;

/// What all bodies of a desk may fill.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// What every body may fill without asking: requests of ordinary size never wait for uploads.
const BYTES_FREE: usize = 64 * 1024;
/// How long a body waits for others to go.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many bundles are made at the same time. Each holds a few of an archive's objects, of some megabytes.
pub(crate) const BUNDLES_MAX: usize = 4;
/// When a place for a bundle may be free again: nobody knows.
const BUNDLE_RETRY_AFTER_S: i64 = 30;

/// The room.
pub(crate) struct Room {
    bytes: Arc<Semaphore>,
    patience: Duration,
    /// Which bodies wait for room.
    meter: QueueMeter,
    bundles: Arc<Semaphore>,
}

/// A body's place in the room, given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<OwnedSemaphorePermit>);

impl Room {
    pub(crate) fn new(metrics: &RegionMetrics) -> Self {
        Self::with(BYTES_MAX, PATIENCE, metrics)
    }

    pub(super) fn with(bytes: usize, patience: Duration, metrics: &RegionMetrics) -> Self {
        let [bytes, bundles] = [bytes, BUNDLES_MAX].map(|places| Arc::new(Semaphore::new(places)));
        Self { bytes, patience, meter: metrics.queue("desk_bodies"), bundles }
    }

    /// A place for a bundle that is made while it is sent; 429 when there is none.
    pub(crate) fn bundle(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let place = Arc::clone(&self.bundles).try_acquire_owned();
        place.map_err(|_| ApiError::too_many_requests(BUNDLE_RETRY_AFTER_S))
    }

    /// Makes `place` large enough for a body that has grown to `length` bytes; 503 when the room stays full.
    pub(super) async fn grow(&self, place: &mut Place, length: usize) -> Result<(), ApiError> {
        let held = place.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = length.saturating_sub(BYTES_FREE).saturating_sub(held);
        if more == 0 {
            return Ok(());
        }
        let more = self.bytes.clone().acquire_many_owned(u32::try_from(more).map_err(ApiError::internal)?);
        let _waits = self.meter.enter();
        let more = tokio::time::timeout(self.patience, more).await.map_err(|late| {
            self.meter.refused();
            ApiError::unavailable(late)
        })?;
        let more = more.expect("the room is never closed");
        match &mut place.0 {
            Some(held) => held.merge(more),
            None => place.0 = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{HeaderMap, Request},
    };

    use super::*;
    use crate::body::{Limit, Read, read, read_of};

    const LIMIT: Limit = Limit { bytes: 1024 * 1024, patience: Duration::from_secs(20) };

    async fn sent(room: &Room, length: usize) -> Result<Read, ApiError> {
        read(room, &HeaderMap::new(), Body::from(vec![b'x'; length]), LIMIT).await
    }

    #[tokio::test]
    async fn large_bodies_share_one_room_and_small_ones_need_none() -> Result<(), ApiError> {
        let room = Room::with(BYTES_FREE, Duration::from_millis(50), &RegionMetrics::new("eu"));
        let first = sent(&room, BYTES_FREE * 3 / 2).await?;
        let second = sent(&room, BYTES_FREE * 3 / 2).await?;
        let refused = sent(&room, BYTES_FREE + 1).await;
        assert_eq!(refused.err().map(|error| error.status().as_u16()), Some(503));
        sent(&room, BYTES_FREE).await?;
        drop(first);
        sent(&room, BYTES_FREE + 1).await?;
        drop(second);
        assert_eq!(room.bytes.available_permits(), BYTES_FREE, "everything was given back");
        Ok(())
    }

    #[tokio::test]
    async fn a_body_that_is_read_again_keeps_its_one_place() -> Result<(), ApiError> {
        let room = Room::with(BYTES_FREE, Duration::from_millis(50), &RegionMetrics::new("eu"));
        let (mut parts, ()) = Request::new(()).into_parts();
        let (bytes, kept) = sent(&room, BYTES_FREE * 2).await?.into_kept();
        parts.extensions.insert(kept);
        assert_eq!(room.bytes.available_permits(), 0, "it is held between");
        let again = read_of(&room, &parts, Body::from(bytes), LIMIT).await?;
        drop(parts);
        assert_eq!((again.bytes.len(), room.bytes.available_permits()), (BYTES_FREE * 2, 0));
        drop(again);
        assert_eq!(room.bytes.available_permits(), BYTES_FREE);
        Ok(())
    }

    #[tokio::test]
    async fn a_body_waits_for_the_one_before_it() -> Result<(), ApiError> {
        let room = Room::with(BYTES_FREE, LIMIT.patience, &RegionMetrics::new("eu"));
        let first = sent(&room, BYTES_FREE * 2).await?;
        let (second, ()) = tokio::join!(sent(&room, BYTES_FREE * 2), async { drop(first) });
        assert_eq!(second?.bytes.len(), BYTES_FREE * 2);
        Ok(())
    }
}
