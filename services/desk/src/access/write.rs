//! The append of a batch of entries: tried until it is done.
//!
//! A crash before the commit loses the batch, and after it nothing: entries have no second reader that waits for them.

use std::{collections::BTreeMap, time::Duration};

use eventlog::{Append, Expected, StreamAppend};
use regions::Resident;
use runtime::Shutdown;
use schemas::{
    Day, StreamName, TenantLogEvent, Version,
    access::{Access, AccessEvent, AccessesRecorded},
};

use super::recorder::{Answered, Waiting};
use crate::{
    caller::provenance::Provenance,
    execute::{Decided, Failure, Issuer, seal},
    home::{Home, home},
    state::Desk,
};

/// Entries of one event: whoever reads the log holds a thousand events at a time.
const ENTRIES_OF_EVENT_MAX: usize = 64;
/// About the most bytes of entries in one event, unless one entry alone has more.
const EVENT_BYTES_MAX: usize = 32 * 1024;
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// How often a batch is tried again once the process is ending.
const LAST_TRIES: u32 = 20;

/// A batch of one tenant's entries on its way into the log.
struct Batch<'a> {
    desk: &'a Desk,
    waiting: &'a Waiting,
    resident: Resident,
    days: BTreeMap<Day, Vec<TenantLogEvent>>,
    /// An append that was sent and perhaps happened. Until that is known it is sent again as it is, never made anew: the log
    /// recognises a command at its place.
    doubtful: Option<Append>,
}

/// Appends the entries, however often it takes. Given up, counted, and with an error in the process's own log, only when the
/// process ends or the tenant is at home elsewhere.
pub(super) async fn write(desk: &Desk, waiting: &Waiting, mut answered: Vec<Answered>, shutdown: &Shutdown) {
    let Some(last) = answered.last() else { return };
    let resident = last.resident.clone();
    let entries: usize = answered.iter().map(|answered| answered.accesses.len()).sum();
    let mut batch = Batch { desk, waiting, resident, days: events(&mut answered), doubtful: None };
    let (mut pause, mut last_tries) = (PAUSE_MIN, LAST_TRIES);
    loop {
        let failure = match batch.append().await {
            Ok(()) => return,
            // Another process appended, or we do not know yet where the stream ends: at once, where it says.
            Err(Failure::Conflict { .. }) => continue,
            Err(failure) => failure,
        };
        if last_tries == 0 || (matches!(failure, Failure::NotAtHome { .. }) && !batch.find_home().await) {
            desk.metrics.accesses_lost.inc_by(entries as u64);
            tracing::error!(tenant.id = %batch.resident.tenant_id(), entries, error = runtime::chain(&failure),
                "what was read is not recorded");
            return;
        }
        tracing::warn!(error = runtime::chain(&failure), "what was read is not recorded yet, to be tried again");
        if !shutdown.sleep(pause).await {
            last_tries -= 1;
            tokio::time::sleep(PAUSE_MIN).await;
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

impl Batch<'_> {
    async fn append(&mut self) -> Result<(), Failure> {
        let (append, was_doubtful) = match self.doubtful.take() {
            Some(append) => (Append { resident: self.resident.clone(), ..append }, true),
            None => (self.sealed().await?, false),
        };
        match self.desk.appender.append(append.clone()).await {
            Ok(_) => {
                append.streams.iter().for_each(|stream| self.appended(stream));
                Ok(())
            }
            // The log would have recognised the command at its place: it did not happen.
            Err(eventlog::Error::WrongExpectedVersion { stream, actual, .. }) => {
                if let StreamName::Access(day) = stream {
                    self.waiting.know(day, actual);
                }
                Err(Failure::Conflict { stream })
            }
            Err(error) => {
                let is_doubtful = was_doubtful || matches!(error, eventlog::Error::OutcomeUnknown { .. });
                self.doubtful = is_doubtful.then_some(append);
                Err(error.into())
            }
        }
    }

    /// The batch as a command of its own, where the streams were last found to end.
    async fn sealed(&self) -> Result<Append, Failure> {
        let by = Issuer::system(self.desk, &self.resident, Provenance::system());
        let streams: Vec<(StreamName, Version)> =
            self.days.keys().map(|day| (StreamName::Access(*day), self.waiting.version_of(*day))).collect();
        let places = streams.iter().zip(self.days.values());
        let decided: Vec<Decided<'_>> =
            places.map(|((stream, after), events)| Decided { stream, after: *after, events }).collect();
        let sealed = seal(self.desk, &by, &decided).await?;
        let streams = streams.into_iter().zip(sealed).map(|(place, events)| append_of(place, events)).collect();
        let Issuer { resident, command_id, idempotency, .. } = by;
        Ok(Append { resident, command_id, idempotency, streams })
    }

    fn appended(&self, stream: &StreamAppend) {
        let StreamName::Access(day) = stream.stream else { return };
        let end = stream.expected.version().get() + i64::try_from(stream.events.len()).unwrap_or(i64::MAX);
        self.waiting.know(day, Version::new(end));
    }

    /// Whether the tenant is still one of ours: open under whatever epoch, or closed, in which case it is waited for.
    async fn find_home(&mut self) -> bool {
        match home(self.desk, self.resident.tenant_id()).await {
            Ok(Home::Open(resident)) => self.resident = resident,
            Ok(Home::Elsewhere) => return false,
            // Whoever reads meanwhile is refused, so that no more waits than did when it was closed.
            Ok(Home::Closed) | Err(_) => {}
        }
        true
    }
}

fn append_of((stream, after): (StreamName, Version), events: Vec<schemas::Sealed>) -> StreamAppend {
    let expected = if after == Version::ZERO { Expected::NoStream } else { Expected::Exact(after) };
    StreamAppend { stream, expected, events }
}

/// The entries, taken out of their answers, as events by the day they belong to: at midnight a batch has two.
fn events(answered: &mut [Answered]) -> BTreeMap<Day, Vec<TenantLogEvent>> {
    let mut by_day: BTreeMap<Day, Vec<Access>> = BTreeMap::new();
    for access in answered.iter_mut().flat_map(|answered| std::mem::take(&mut answered.accesses)) {
        by_day.entry(Day::of(access.at)).or_default().push(access);
    }
    let event = |accesses: Vec<Access>| AccessEvent::from(AccessesRecorded { accesses: accesses.into() }).into();
    by_day.into_iter().map(|(day, all)| (day, pieces(all).into_iter().map(event).collect())).collect()
}

/// What each event takes: so many entries, or so many bytes of them.
fn pieces(all: Vec<Access>) -> Vec<Vec<Access>> {
    let mut pieces: Vec<Vec<Access>> = Vec::new();
    let mut bytes = 0;
    for access in all {
        let more = length(&access);
        match pieces.last_mut() {
            Some(piece) if piece.len() < ENTRIES_OF_EVENT_MAX && bytes + more <= EVENT_BYTES_MAX => {
                bytes += more;
                piece.push(access);
            }
            _ => {
                bytes = more;
                pieces.push(vec![access]);
            }
        }
    }
    pieces
}

/// About how many bytes an entry takes: what of it may be long, and what the rest takes.
fn length(access: &Access) -> usize {
    const REST: usize = 128;
    const ID: usize = 12;
    let texts = [access.client.as_ref(), access.referer.as_ref(), access.reason.as_ref(), Some(&access.url)];
    REST + ID * access.ids.len() + texts.into_iter().flatten().map(String::len).sum::<usize>()
}

/// Writes what waits of a tenant as [`write`] does when the first answer was lost.
#[cfg(test)]
pub(super) async fn answered_too_late(desk: &Desk, resident: &Resident) {
    let (waiting, mut answered) = desk.recorder().take_of(resident.tenant_id());
    let resident = resident.clone();
    let mut batch = Batch { desk, waiting: &waiting, resident, days: events(&mut answered), doubtful: None };
    let sealed = batch.sealed().await.expect("there are keys");
    desk.appender.append(sealed.clone()).await.expect("the log takes it");
    batch.doubtful = Some(sealed);
    batch.append().await.expect("the log recognises it");
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use schemas::values::{Means, ReadKind};

    use super::*;

    fn read_of(url_length: usize) -> Access {
        Access {
            at: Timestamp::UNIX_EPOCH,
            actor: None,
            means: Means::Link,
            token: None,
            address: None,
            client: None,
            referer: None,
            method: "GET".to_owned(),
            url: "x".repeat(url_length),
            kind: ReadKind::Ticket,
            ids: Vec::new(),
            status: 200,
            bytes_sent: None,
            reason: None,
        }
    }

    #[test]
    fn an_event_holds_so_many_entries_or_so_many_bytes() {
        let lengths = |all: Vec<Access>| pieces(all).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(vec![read_of(10); 130]), [64, 64, 2]);
        assert_eq!(lengths(vec![read_of(2000); 40]), [15, 15, 10]);
        assert_eq!(lengths(vec![read_of(40_000); 2]), [1, 1], "one that is longer has an event of its own");
        assert_eq!(lengths(Vec::new()), [0; 0]);
    }
}
