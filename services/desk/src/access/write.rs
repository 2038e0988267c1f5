//! The append of a batch of entries: tried until it is done.
//!
//! A crash before the commit loses the batch, and after it nothing: entries have no second reader that waits for them.

use std::{collections::BTreeMap, time::Duration};

use eventlog::{Append, Expected, StreamAppend};
use regions::Resident;
use runtime::Shutdown;
use schemas::{
    Actor, Day, StreamName, TenantLogEvent, Version,
    access::{AccessEvent, AccessesRecorded},
};

use super::recorder::{Entry, Waiting};
use crate::{
    caller::provenance::Provenance,
    execute::{Decided, Failure, Issuer, seal},
    problem::render::chain,
    state::Desk,
};

/// Entries of one event: whoever reads the log holds a thousand events at a time.
const ENTRIES_OF_EVENT_MAX: usize = 64;
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
}

/// Appends the entries, however often it takes. Given up, with an error in the process's own log, only when the process ends
/// or the tenant is not at home here any more.
pub(super) async fn write(desk: &Desk, waiting: &Waiting, entries: Vec<Entry>, shutdown: &Shutdown) {
    let Some(last) = entries.last() else { return };
    let mut batch = Batch { desk, waiting, resident: last.resident.clone(), days: events(&entries) };
    let (mut pause, mut last_tries) = (PAUSE_MIN, LAST_TRIES);
    loop {
        let failure = match batch.append().await {
            Ok(()) => return,
            // Another process appended, or we do not know yet where the stream ends: at once, where it says.
            Err(Failure::Conflict { .. }) => continue,
            Err(failure) => failure,
        };
        if last_tries == 0 || (matches!(failure, Failure::NotAtHome { .. }) && !batch.is_still_at_home().await) {
            tracing::error!(tenant.id = %batch.resident.tenant_id(), entries = entries.len(), error = chain(&failure),
                "what was read is not recorded");
            return;
        }
        tracing::warn!(error = chain(&failure), "what was read is not recorded yet, to be tried again");
        if !shutdown.sleep(pause).await {
            last_tries -= 1;
            tokio::time::sleep(PAUSE_MIN).await;
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

impl Batch<'_> {
    async fn append(&self) -> Result<(), Failure> {
        let by = self.issuer();
        let streams: Vec<(StreamName, Version)> =
            self.days.keys().map(|day| (StreamName::Access(*day), self.waiting.version_of(*day))).collect();
        let places = streams.iter().zip(self.days.values());
        let decided: Vec<Decided<'_>> =
            places.map(|((stream, after), events)| Decided { stream, after: *after, events }).collect();
        let sealed = seal(self.desk, &by, &decided).await?;
        let streams = streams.into_iter().zip(sealed).map(|(place, events)| append_of(place, events)).collect();
        let Issuer { resident, command_id, idempotency, .. } = by;
        append_once(self.desk, self.waiting, Append { resident, command_id, idempotency, streams }).await?;
        for (day, events) in &self.days {
            let end = self.waiting.version_of(*day).get() + i64::try_from(events.len()).unwrap_or(i64::MAX);
            self.waiting.know(*day, Version::new(end));
        }
        Ok(())
    }

    /// Whether the tenant is at home here after all: its home may have been set anew, to the same region.
    async fn is_still_at_home(&mut self) -> bool {
        let Ok(mut connection) = self.desk.pool.acquire().await else { return true };
        let tenant = self.resident.tenant_id();
        match Resident::prove_id(&mut connection, &self.desk.region.id, tenant).await {
            Ok(Some(resident)) => self.resident = resident,
            Ok(None) => return false,
            Err(_) => {}
        }
        true
    }

    fn issuer(&self) -> Issuer {
        Issuer {
            resident: self.resident.clone(),
            actor: Actor::System,
            provenance: Provenance::system(),
            command_id: self.desk.new_command_id(),
            at: self.desk.clock.now(),
            idempotency: None,
            trace_parent: None,
            blob: None,
        }
    }
}

/// Hands the append over until its outcome is known: asked for again, the same command happens once.
async fn append_once(desk: &Desk, waiting: &Waiting, append: Append) -> Result<(), Failure> {
    loop {
        match desk.appender.append(append.clone()).await {
            Err(eventlog::Error::OutcomeUnknown { .. }) => tokio::time::sleep(PAUSE_MIN).await,
            Err(eventlog::Error::WrongExpectedVersion { stream, actual, .. }) => {
                if let StreamName::Access(day) = stream {
                    waiting.know(day, actual);
                }
                return Err(Failure::Conflict { stream });
            }
            other => return Ok(other.map(|_| ())?),
        }
    }
}

fn append_of((stream, after): (StreamName, Version), events: Vec<schemas::Sealed>) -> StreamAppend {
    let expected = if after == Version::ZERO { Expected::NoStream } else { Expected::Exact(after) };
    StreamAppend { stream, expected, events }
}

/// The entries as events, by the day they belong to: at midnight a batch has two.
fn events(entries: &[Entry]) -> BTreeMap<Day, Vec<TenantLogEvent>> {
    let mut by_day: BTreeMap<Day, Vec<_>> = BTreeMap::new();
    for entry in entries {
        by_day.entry(Day::of(entry.access.at)).or_default().push(entry.access.clone());
    }
    let event = |accesses: &[_]| AccessEvent::from(AccessesRecorded { accesses: accesses.to_vec().into() }).into();
    by_day.into_iter().map(|(day, all)| (day, all.chunks(ENTRIES_OF_EVENT_MAX).map(event).collect())).collect()
}
