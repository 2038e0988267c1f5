//! The events of a generation, from the log, or from the topic where the log vouches for it.

use archive::segment::{BYTES_MAX, EVENTS_MAX};
use regions::Resident;
use schemas::{Position, Recorded};

use crate::{delivery::Delivery, deps::ReplicatorDeps, error::Error};

/// Events read in one statement.
const PAGE: i64 = 1_000;
/// What an envelope adds to its payload, about.
const ENVELOPE_BYTES: usize = 500;

/// How many events a generation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// As a tree head says that was sealed already.
    Exactly(Position),
    /// As many as one segment holds, at most up to here.
    AtMost(Position),
}

/// The events after a position.
pub(super) async fn read(
    deps: &ReplicatorDeps,
    resident: &Resident,
    (after, until): (Position, Until),
    delivery: &Delivery,
) -> Result<Vec<Recorded>, Error> {
    let (end, events_max, bytes_max) = match until {
        Until::Exactly(end) => (end, usize::MAX, usize::MAX),
        Until::AtMost(end) => (end, EVENTS_MAX, BYTES_MAX),
    };
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let mut events: Vec<Recorded> = Vec::new();
    let mut bytes = 0;
    loop {
        let last = events.last().map_or(after, |event| event.position);
        if last >= end || events.len() >= events_max || bytes >= bytes_max {
            return Ok(events);
        }
        let limit = PAGE.min(end.get() - last.get());
        let mut page = delivery.after(&mut connection, resident, (last, end)).await?;
        if page.is_empty() {
            page = eventlog::read_log(&mut connection, resident, last, limit).await.map_err(Error::Log)?;
        }
        if page.is_empty() {
            return Err(Error::Inconsistent { size: end.get() as u64, what: "the log has fewer events" });
        }
        for event in page {
            if events.len() < events_max && bytes < bytes_max {
                bytes += event.sealed.payload.len() + ENVELOPE_BYTES;
                events.push(event);
            }
        }
    }
}
