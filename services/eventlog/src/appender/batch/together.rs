//! The call of `log.append_together`: many callers in a few statements, as long as nothing is out of the ordinary.

use std::collections::{HashMap, HashSet};

use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Outcome, count,
    events::{Events, sparse, stream_names},
};
use crate::append::{Append, StreamAppend};

/// The function's arguments but the events' columns.
#[derive(Default)]
struct Arrays<'a> {
    tenant_ids: Vec<Uuid>,
    epochs: Vec<i64>,
    event_counts: Vec<i64>,
    stream_slots: Vec<i32>,
    streams: Vec<&'a str>,
    expected_versions: Vec<i64>,
    event_slots: Vec<i32>,
    events: Events<'a>,
    keys: Keys<'a>,
    /// Where the streams of the batch will be, by slot and name.
    versions: HashMap<(i32, &'a str), i64>,
}

/// The idempotency keys, of those callers that sent one.
#[derive(Default)]
struct Keys<'a> {
    slots: Vec<i32>,
    keys: Vec<&'a str>,
    fingerprints: Vec<&'a [u8]>,
    command_ids: Vec<Uuid>,
    /// How many events of the batch lie before the caller's in its tenant's log.
    events_before: Vec<i64>,
    event_counts: Vec<i32>,
    recorded_ats: Vec<jiff_sqlx::Timestamp>,
    known: HashSet<(i32, &'a str)>,
}

/// Appends all, sorted by tenant, and tells each where. `None` if somebody has to be refused, or told what became of the key
/// before: nothing was appended then, and the long way tells whom and why.
pub(super) async fn append(
    connection: &mut PgConnection,
    appends: &[&Append],
) -> Result<Option<Vec<Outcome>>, sqlx::Error> {
    let names = stream_names(appends);
    let Some(arrays) = Arrays::of(appends, &names) else { return Ok(None) };
    let (events, keys) = (&arrays.events, &arrays.keys);
    let heads = sqlx::query_scalar!(
        "select log.append_together($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            $22, $23, $24, $25, $26, $27, $28)",
        &arrays.tenant_ids,
        &arrays.epochs,
        &arrays.event_counts,
        &arrays.stream_slots,
        &arrays.streams as &[&str],
        &arrays.expected_versions,
        &arrays.event_slots,
        &events.streams as &[&str],
        &events.versions,
        &events.event_ids,
        &events.event_types as &[&str],
        &events.schema_versions,
        &events.recorded_ats as &[jiff_sqlx::Timestamp],
        &events.actors,
        &events.command_ids,
        sparse(&events.causation_ids) as &[Option<Uuid>],
        sparse(&events.trace_parents) as &[Option<&str>],
        &events.key_ids,
        sparse(&events.blobs) as &[Option<&[u8]>],
        &events.payloads as &[&[u8]],
        &events.leaves as &[&[u8]],
        &keys.slots,
        &keys.keys as &[&str],
        &keys.fingerprints as &[&[u8]],
        &keys.command_ids,
        &keys.events_before,
        &keys.event_counts,
        &keys.recorded_ats as &[jiff_sqlx::Timestamp],
    )
    .fetch_one(connection)
    .await?;
    Ok(heads.map(|heads| outcomes(appends, &heads)))
}

/// Positions follow one another within a tenant, from its head.
fn outcomes(appends: &[&Append], heads: &[i64]) -> Vec<Outcome> {
    let mut heads = heads.iter();
    let (mut tenant_id, mut last) = (None, 0);
    let outcome = |append: &&Append| {
        if tenant_id.replace(append.resident.tenant_id()) != Some(append.resident.tenant_id()) {
            last = *heads.next().expect("log.append_together gives a head for every tenant it was sent");
        }
        let first = last + 1;
        last += i64::from(count(append.event_count()));
        Outcome::appended_at(first, last)
    };
    appends.iter().map(outcome).collect()
}

impl<'a> Arrays<'a> {
    /// `None` for what the function does not take.
    fn of(appends: &[&'a Append], names: &'a [String]) -> Option<Self> {
        let mut arrays = Self::default();
        let mut names = names.iter();
        for append in appends {
            let slot = arrays.slot(append);
            arrays.keys.push((slot, *arrays.event_counts.last()?), append)?;
            for (stream, name) in append.streams.iter().zip(names.by_ref()) {
                arrays.push(slot, stream, name)?;
            }
        }
        Some(arrays)
    }

    /// The place of the caller's tenant, which is new or the one of the caller before. Another epoch is another tenant here:
    /// one of the two is refused then.
    fn slot(&mut self, append: &Append) -> i32 {
        let (tenant_id, epoch) = (append.resident.tenant_id().get(), append.resident.epoch().get());
        if self.tenant_ids.last() != Some(&tenant_id) || self.epochs.last() != Some(&epoch) {
            self.tenant_ids.push(tenant_id);
            self.epochs.push(epoch);
            self.event_counts.push(0);
        }
        count(self.tenant_ids.len())
    }

    fn push(&mut self, slot: i32, stream: &'a StreamAppend, name: &'a str) -> Option<()> {
        let expected = stream.expected.version().get();
        let length = i64::from(count(stream.events.len()));
        match self.versions.insert((slot, name), expected + length) {
            None => {
                self.stream_slots.push(slot);
                self.streams.push(name);
                self.expected_versions.push(expected);
            }
            // An earlier caller of this very batch moves the stream to where this one expects it.
            Some(version) if version == expected => {}
            Some(_) => return None,
        }
        *self.event_counts.last_mut()? += length;
        for event in &stream.events {
            self.event_slots.push(slot);
            self.events.push(event, name);
        }
        Some(())
    }
}

impl<'a> Keys<'a> {
    /// `None` for a key that came twice, and for one without an event, whose time is the server's.
    fn push(&mut self, (slot, events_before): (i32, i64), append: &'a Append) -> Option<()> {
        let Some(sent) = &append.idempotency else { return Some(()) };
        let first = append.streams.iter().flat_map(|stream| &stream.events).next()?;
        if !self.known.insert((slot, &sent.key)) {
            return None;
        }
        self.slots.push(slot);
        self.keys.push(&sent.key);
        self.fingerprints.push(sent.fingerprint.as_bytes());
        self.command_ids.push(append.command_id.get());
        self.events_before.push(events_before);
        self.event_counts.push(count(append.event_count()));
        self.recorded_ats.push(first.envelope.recorded_at.to_sqlx());
        Some(())
    }
}
