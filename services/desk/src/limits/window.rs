//! What was asked of one endpoint in the window that runs.

use jiff::{SignedDuration, Timestamp};
use regions::EndpointLimit;

use super::{Left, remembered::Ends, seconds_until};

/// A window of time that begins with its first request.
#[derive(Debug)]
pub(super) struct Window {
    ends: Timestamp,
    used: u32,
}

impl Window {
    pub(super) fn new(now: Timestamp, limit: EndpointLimit) -> Self {
        Self { ends: now + SignedDuration::from_secs(limit.seconds.into()), used: 0 }
    }

    /// Counts a request, unless it is refused.
    pub(super) fn count(&mut self, now: Timestamp, limit: EndpointLimit) -> Left {
        if now >= self.ends {
            *self = Self::new(now, limit);
        }
        let is_refused = self.used >= limit.most;
        self.used += u32::from(!is_refused);
        Left {
            limit: limit.most,
            remaining: limit.most - self.used,
            resets_s: seconds_until(self.ends, now),
            is_refused,
        }
    }
}

impl Ends for Window {
    fn ends(&self) -> Timestamp {
        self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_so_many_and_begins_anew() {
        let (limit, start) = (EndpointLimit { most: 2, seconds: 600 }, Timestamp::UNIX_EPOCH);
        let mut window = Window::new(start, limit);
        let at = |seconds: i64| start + SignedDuration::from_secs(seconds);
        let left = [0, 9, 599, 600].map(|seconds| {
            let left = window.count(at(seconds), limit);
            (left.remaining, left.resets_s, left.is_refused)
        });
        assert_eq!(left, [(1, 600, false), (0, 591, false), (0, 1, true), (1, 600, false)]);
    }
}
