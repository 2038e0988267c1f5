//! Days, in UTC: what the access log is kept by.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use crate::ids::InvalidId;

/// A day in UTC. Written as `YYYYMMDD`, so that names of days sort as the days do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(Date);

const FORMAT: &str = "%Y%m%d";

impl Day {
    /// The day a moment falls on.
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.to_zoned(TimeZone::UTC).date())
    }

    /// So many days earlier; the earliest there is, if there are not so many.
    #[must_use]
    pub fn before(self, days: u32) -> Self {
        Self(self.0.checked_sub(i64::from(days).days()).unwrap_or(Date::MIN))
    }

    /// When it begins.
    pub fn start(self) -> Timestamp {
        self.0.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |midnight| midnight.timestamp())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime(FORMAT).fmt(formatter)
    }
}

impl FromStr for Day {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let takes = "eight digits: year, month, day";
        let read = (text.len() == 8).then(|| Date::strptime(FORMAT, text).ok()).flatten();
        read.map(Self).ok_or(InvalidId { kind: "Day", takes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_utc_and_reads_back_as_itself() -> Result<(), Box<dyn std::error::Error>> {
        let last: Timestamp = "2026-11-22T23:59:59.999999Z".parse()?;
        let next: Timestamp = "2026-11-23T00:00:00Z".parse()?;
        assert_eq!((Day::of(last).to_string(), Day::of(next).to_string()), ("20261122".into(), "20261123".into()));
        assert_eq!("20261123".parse::<Day>()?, Day::of(next));
        assert_eq!(Day::of(next).start(), next);
        assert_eq!(Day::of(next).before(1), Day::of(last));
        for text in ["", "2026112", "20261322", "202611223", "2026-1-2", "yyyymmdd"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        Ok(())
    }
}
