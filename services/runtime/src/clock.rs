//! The clock, as a value. It is read once a command, and that instant stamps all the command's events.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};

/// Tells the time in whole microseconds, which is what the stores keep.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let now = whole_microseconds(Timestamp::now());
        now.checked_add(SignedDuration::from_secs(step::seconds())).unwrap_or(now)
    }
}

/// Steps of the clock, for tests of what happens when a machine's clock is set: `DOMICILE_CLOCK_OFFSET_FILE` names a file with
/// the seconds to add, read at every look at the clock. Release builds hold none of this.
#[cfg(debug_assertions)]
mod step {
    use std::{path::PathBuf, sync::LazyLock};

    #[expect(clippy::disallowed_methods, reason = "read once, in debug builds only, to find the file")]
    static FILE: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var("DOMICILE_CLOCK_OFFSET_FILE").ok().map(PathBuf::from));

    pub(super) fn seconds() -> i64 {
        let Some(file) = FILE.as_ref() else { return 0 };
        std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
mod step {
    pub(super) const fn seconds() -> i64 {
        0
    }
}

/// A clock that stands still until it is moved. For tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(Mutex::new(whole_microseconds(start)))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn whole_microseconds(time: Timestamp) -> Timestamp {
    time.round(TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc)).unwrap_or(time)
}
