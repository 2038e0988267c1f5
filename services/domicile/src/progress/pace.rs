//! How fast work goes, told from what was done lately: its parts are not equally fast.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long ago lately is. What is told less often than that is told from the last two times.
const LATELY: Duration = Duration::from_secs(20);
/// The shortest time between two counts that are kept.
const BETWEEN: Duration = Duration::from_millis(200);

/// Counts, each with its moment, the oldest first.
#[derive(Debug)]
pub(super) struct Pace {
    counts: VecDeque<(Instant, u64)>,
    done: u64,
}

impl Pace {
    /// From here on.
    pub(super) fn from(now: Instant, done: u64) -> Self {
        Self { counts: [(now, done)].into(), done }
    }

    /// So much is done by now.
    pub(super) fn take(&mut self, now: Instant, done: u64) {
        self.done = done;
        if self.counts.back().is_none_or(|(last, _)| now.duration_since(*last) >= BETWEEN) {
            self.counts.push_back((now, done));
        }
        // One that is older than lately stays: the time in between is what is looked at.
        while self.counts.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= LATELY) {
            self.counts.pop_front();
        }
    }

    /// Steps a second; nothing before any time has gone by.
    pub(super) fn per_second(&self, now: Instant) -> Option<f64> {
        let (since, before) = self.counts.front()?;
        let seconds = now.duration_since(*since).as_secs_f64();
        (seconds > 0.0).then(|| self.done.saturating_sub(*before) as f64 / seconds)
    }
}
