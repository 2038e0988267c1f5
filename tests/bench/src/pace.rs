//! How long and how often is measured.

use std::time::Duration;

/// Rounds, their length, and how much data there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Turns of each figure, after one that is not counted.
    pub(crate) rounds: usize,
    /// How long each side works in a turn.
    pub(crate) round: Duration,
    /// Tickets of a history; each has [`crate::history::EVENTS_PER_TICKET`] events.
    pub(crate) tickets: i64,
    /// Tickets of a long history: a million events.
    pub(crate) many_tickets: i64,
    /// Tenants of a region with many; as many tickets are spread over the tenants of every region.
    pub(crate) tenants: usize,
    /// The larger logs that appends are measured in, in events.
    pub(crate) log_sizes: [i64; 2],
}

impl Pace {
    /// What figures are taken from.
    pub(crate) const fn full() -> Self {
        let (round, log_sizes) = (Duration::from_millis(1_500), [1_000_000, 5_000_000]);
        Self { rounds: 5, round, tickets: 4_000, many_tickets: 200_000, tenants: 10_000, log_sizes }
    }

    /// To see that everything works.
    pub(crate) const fn quick() -> Self {
        let (round, log_sizes) = (Duration::from_millis(400), [50_000, 100_000]);
        Self { rounds: 3, round, tickets: 1_000, many_tickets: 2_000, tenants: 1_000, log_sizes }
    }
}
