//! The access log, straight from the streams of its days: what was appended can be read, and what is erased cannot.
//!
//! There is no read model. A day's stream is in order, so a page costs what is on it; a filter costs what it passes over, and
//! gives up after [`LOOKED_AT_MAX`] entries with a place to go on from.

use eventlog::{stream_version, streams_between};
use jiff::Timestamp;
use regions::Resident;
use schemas::{
    Day, StreamName, TenantLogEvent, Version,
    access::{Access, AccessEvent},
};

use super::log::{self, Error, Logged};
use crate::state::Desk;

/// Events read at a time.
const EVENTS: i64 = 16;
/// Entries looked at for one page.
const LOOKED_AT_MAX: usize = 50_000;

/// Where an entry is: in an event of a day's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) day: Day,
    pub(crate) version: i64,
    pub(crate) index: u32,
}

/// An entry of the log, or what is left of an event whose key was destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) at: Timestamp,
    pub(crate) access: Option<Access>,
}

/// Which way a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Oldest first.
    Onward,
    /// Newest first.
    Back,
}

/// What is wanted.
pub(crate) struct Wanted<'a> {
    /// From this moment on.
    pub(crate) from: Option<Timestamp>,
    /// Up to this moment.
    pub(crate) to: Option<Timestamp>,
    /// Beyond this place, in the direction of travel.
    pub(crate) beyond: Option<Place>,
    pub(crate) way: Way,
    /// At most this many.
    pub(crate) limit: usize,
    /// Which entries besides.
    pub(crate) passes: &'a (dyn Fn(&Entry) -> bool + Sync),
}

/// Entries in the direction of travel.
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// Where looking ended before the end of the log: the place to go on from, whether or not it was among the wanted.
    pub(crate) stopped_at: Option<Place>,
}

/// The entries wanted.
pub(crate) async fn find(desk: &Desk, resident: &Resident, wanted: &Wanted<'_>) -> Result<Found, Error> {
    let mut found = Found { entries: Vec::new(), stopped_at: None };
    let mut looked_at = 0;
    for day in days(desk, resident, wanted).await? {
        let mut walk = Walk::of(desk, resident, (day, wanted)).await?;
        while let Some(entries) = walk.next(desk, resident).await? {
            for entry in entries {
                if wanted.is_past(&entry) {
                    continue;
                }
                if found.entries.len() == wanted.limit || looked_at == LOOKED_AT_MAX {
                    return Ok(found);
                }
                looked_at += 1;
                found.stopped_at = Some(entry.place);
                if wanted.takes(&entry) {
                    found.entries.push(entry);
                }
            }
        }
    }
    found.stopped_at = None;
    Ok(found)
}

/// The days to look at, in the direction of travel.
async fn days(desk: &Desk, resident: &Resident, wanted: &Wanted<'_>) -> Result<Vec<Day>, Error> {
    let beyond = |way| wanted.beyond.filter(|_| wanted.way == way).map(|place| place.day);
    let first = wanted.from.map(Day::of).max(beyond(Way::Onward)).unwrap_or(Day::of(Timestamp::UNIX_EPOCH));
    // A flush at midnight and a clock that is a little ahead are of tomorrow at most.
    let today = Day::of(desk.clock.now() + jiff::SignedDuration::from_hours(24));
    let last = [wanted.to.map(Day::of), beyond(Way::Back), Some(today)].into_iter().flatten().min().unwrap_or(today);
    let mut transaction = regions::begin(&desk.pool, resident).await.map_err(Error::Begin)?;
    let between = (&StreamName::Access(first), &StreamName::Access(last));
    let streams = streams_between(&mut transaction, resident, between).await.map_err(Error::Read)?;
    let days = streams.into_iter().filter_map(|stream| match stream {
        StreamName::Access(day) => Some(day),
        _ => None,
    });
    let mut days: Vec<Day> = days.collect();
    if wanted.way == Way::Back {
        days.reverse();
    }
    Ok(days)
}

/// A walk through one day's stream.
struct Walk {
    day: Day,
    way: Way,
    /// The next events are those after this version, or up to it.
    version: i64,
}

impl Walk {
    async fn of(desk: &Desk, resident: &Resident, (day, wanted): (Day, &Wanted<'_>)) -> Result<Self, Error> {
        let begin = wanted.beyond.filter(|place| place.day == day).map(|place| place.version);
        let version = match (wanted.way, begin) {
            (Way::Onward, begin) => begin.map_or(0, |version| version - 1),
            (Way::Back, Some(version)) => version,
            (Way::Back, None) => {
                let mut transaction = regions::begin(&desk.pool, resident).await.map_err(Error::Begin)?;
                let end = stream_version(&mut transaction, resident, &StreamName::Access(day)).await;
                end.map_err(Error::Read)?.get()
            }
        };
        Ok(Self { day, way: wanted.way, version })
    }

    /// The next entries in the direction of travel; none at the end.
    async fn next(&mut self, desk: &Desk, resident: &Resident) -> Result<Option<Vec<Entry>>, Error> {
        let (after, limit) = match self.way {
            Way::Onward => (self.version, EVENTS),
            Way::Back => ((self.version - EVENTS).max(0), EVENTS.min(self.version)),
        };
        if limit == 0 {
            return Ok(None);
        }
        let logged = log::stream(desk, resident, &StreamName::Access(self.day), (Version::new(after), limit)).await?;
        let Some(last) = logged.last() else { return Ok(None) };
        self.version = if self.way == Way::Onward { last.envelope.version.get() } else { after };
        let mut entries: Vec<Entry> = logged.into_iter().flat_map(|logged| entries_of(self.day, logged)).collect();
        if self.way == Way::Back {
            entries.reverse();
        }
        Ok(Some(entries))
    }
}

fn entries_of(day: Day, logged: Logged) -> Vec<Entry> {
    let version = logged.envelope.version.get();
    let place = |index| Place { day, version, index };
    match logged.event {
        Some(TenantLogEvent::Access(AccessEvent::AccessesRecorded(recorded))) => (0..)
            .zip(recorded.accesses.into_inner())
            .map(|(index, access)| Entry { place: place(index), at: access.at, access: Some(access) })
            .collect(),
        // What was read that day is gone; that something was is not.
        _ => vec![Entry { place: place(0), at: logged.envelope.recorded_at, access: None }],
    }
}

impl Wanted<'_> {
    /// Whether an entry lies on this side of the place that is to be gone beyond.
    fn is_past(&self, entry: &Entry) -> bool {
        self.beyond.is_some_and(|beyond| match self.way {
            Way::Onward => entry.place <= beyond,
            Way::Back => entry.place >= beyond,
        })
    }

    fn takes(&self, entry: &Entry) -> bool {
        self.from.is_none_or(|from| entry.at >= from) && self.to.is_none_or(|to| entry.at <= to) && (self.passes)(entry)
    }
}
