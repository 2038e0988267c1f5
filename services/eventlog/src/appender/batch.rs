//! A batch: the call that appends it, and its outcomes.
//!
//! `log.append` can answer anything, and here is its call. Two shorter ways are tried before: [`alone`] for one event of one
//! caller, [`together`] for a batch in which nothing is out of the ordinary. They append everything, or nothing and say so.

mod alone;
pub(crate) mod events;
#[cfg(test)]
mod model;
mod together;

use std::collections::{HashMap, HashSet};

use schemas::{Position, TenantId, Version};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    append::{Append, Appended, Expected, StreamAppend},
    error::Error,
};
use events::{Events, stream_names};

/// What the function says of one caller.
#[derive(Debug)]
pub(crate) struct Outcome {
    outcome: String,
    first_position: Option<i64>,
    last_position: Option<i64>,
    stream_index: Option<i32>,
    actual_version: Option<i64>,
}

/// The function's arguments. Flat: per caller, per stream of each caller in turn, per event of each stream in turn.
#[derive(Default)]
struct Arrays<'a> {
    callers: Callers<'a>,
    streams: Streams<'a>,
    event_tenant_ids: Vec<Uuid>,
    events: Events<'a>,
}

#[derive(Default)]
struct Callers<'a> {
    tenant_ids: Vec<Uuid>,
    epochs: Vec<i64>,
    command_ids: Vec<Uuid>,
    stream_counts: Vec<i32>,
    event_counts: Vec<i32>,
    idempotency_keys: Vec<Option<&'a str>>,
    fingerprints: Vec<Option<&'a [u8]>>,
}

#[derive(Default)]
struct Streams<'a> {
    tenant_ids: Vec<Uuid>,
    names: Vec<&'a str>,
    expected_versions: Vec<i64>,
    event_counts: Vec<i32>,
    /// Where in these arrays, counted from 1, an earlier caller names the same stream; 0 for nowhere.
    earlier: Vec<i32>,
}

/// Runs the batch as one transaction in one round trip. `appends` are sorted by tenant. One outcome each, in order.
pub(crate) async fn append(connection: &mut PgConnection, appends: &[&Append]) -> Result<Vec<Outcome>, sqlx::Error> {
    if let [append] = appends
        && let Some(event) = alone::event_of(append)
    {
        if let Some(position) = alone::append(connection, append, event).await? {
            return Ok(vec![Outcome::appended_at(position, position)]);
        }
    } else if let Some(outcomes) = together::append(connection, appends).await? {
        return Ok(outcomes);
    }
    append_all(connection, appends).await
}

async fn append_all(connection: &mut PgConnection, appends: &[&Append]) -> Result<Vec<Outcome>, sqlx::Error> {
    let names = stream_names(appends);
    let Arrays { callers, streams, event_tenant_ids, events } = Arrays::of(appends, &names);
    let outcomes = sqlx::query_as!(
        Outcome,
        r#"select outcome as "outcome!", first_position, last_position, stream_index, actual_version from log.append(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
            $26, $27)"#,
        &callers.tenant_ids,
        &callers.epochs,
        &callers.command_ids,
        &callers.stream_counts,
        &callers.event_counts,
        &callers.idempotency_keys as &[Option<&str>],
        &callers.fingerprints as &[Option<&[u8]>],
        &streams.tenant_ids,
        &streams.names as &[&str],
        &streams.expected_versions,
        &streams.event_counts,
        &streams.earlier,
        &event_tenant_ids,
        &events.streams as &[&str],
        &events.versions,
        &events.event_ids,
        &events.event_types as &[&str],
        &events.schema_versions,
        &events.recorded_ats as &[jiff_sqlx::Timestamp],
        &events.actors,
        &events.command_ids,
        &events.causation_ids as &[Option<Uuid>],
        &events.trace_parents as &[Option<&str>],
        &events.key_ids,
        &events.blobs as &[Option<&[u8]>],
        &events.payloads as &[&[u8]],
        &events.leaves as &[&[u8]],
    )
    .fetch_all(connection)
    .await?;
    if outcomes.len() == appends.len() {
        Ok(outcomes)
    } else {
        // Answering the wrong caller would be worse than answering none.
        Err(sqlx::Error::Protocol(format!("{} outcomes for {} callers", outcomes.len(), appends.len())))
    }
}

/// Those of the tenants whose head row nobody holds at this moment.
pub(crate) async fn free_tenants(
    connection: &mut PgConnection,
    tenants: &HashSet<TenantId>,
) -> Result<Vec<TenantId>, sqlx::Error> {
    let tenants: Vec<_> = tenants.iter().map(|tenant_id| tenant_id.get()).collect();
    let free = sqlx::query_scalar!(r#"select log.free_tenants($1) as "free!""#, &tenants).fetch_one(connection).await?;
    Ok(free.into_iter().map(TenantId::new).collect())
}

impl<'a> Arrays<'a> {
    fn of(appends: &[&'a Append], names: &'a [String]) -> Self {
        let mut arrays = Self::default();
        let mut names = names.iter();
        let mut places = HashMap::new();
        for append in appends {
            arrays.callers.push(append);
            let tenant_id = append.resident.tenant_id();
            for (stream, name) in append.streams.iter().zip(names.by_ref()) {
                arrays.streams.push(tenant_id, stream, name);
                let place = count(arrays.streams.names.len());
                arrays.streams.earlier.push(places.insert((tenant_id, &stream.stream), place).unwrap_or_default());
                for event in &stream.events {
                    arrays.event_tenant_ids.push(tenant_id.get());
                    arrays.events.push(event, name);
                }
            }
        }
        arrays
    }
}

impl<'a> Callers<'a> {
    fn push(&mut self, append: &'a Append) {
        self.tenant_ids.push(append.resident.tenant_id().get());
        self.epochs.push(append.resident.epoch().get());
        self.command_ids.push(append.command_id.get());
        self.stream_counts.push(count(append.streams.len()));
        self.event_counts.push(count(append.event_count()));
        self.idempotency_keys.push(append.idempotency.as_ref().map(|sent| sent.key.as_str()));
        self.fingerprints.push(append.idempotency.as_ref().map(|sent| sent.fingerprint.as_bytes().as_slice()));
    }
}

impl<'a> Streams<'a> {
    fn push(&mut self, tenant_id: TenantId, append: &StreamAppend, name: &'a str) {
        self.tenant_ids.push(tenant_id.get());
        self.names.push(name);
        self.expected_versions.push(append.expected.version().get());
        self.event_counts.push(count(append.events.len()));
    }
}

impl Outcome {
    fn appended_at(first: i64, last: i64) -> Self {
        let (first_position, last_position) = (Some(first), Some(last));
        Self { outcome: "appended".to_owned(), first_position, last_position, stream_index: None, actual_version: None }
    }

    /// Whether readers have something new to see.
    pub(crate) fn is_new(&self) -> bool {
        self.outcome == "appended"
    }

    /// What it means for the caller it belongs to.
    pub(crate) fn result(&self, append: &Append) -> Result<Appended, Error> {
        match self.outcome.as_str() {
            "appended" | "had_been_appended" => Ok(self.appended(false)),
            "replayed" => Ok(self.appended(true)),
            "key_reused" => Err(Error::IdempotencyKeyReused),
            "wrong_expected_version" => Err(self.wrong_expected_version(append)),
            "not_at_home" => Err(Error::NotAtHome { tenant_id: append.resident.tenant_id() }),
            unknown => unreachable!("log.append and this program come from one commit, yet it says {unknown}"),
        }
    }

    fn appended(&self, replayed: bool) -> Appended {
        let position = |position: Option<i64>| Position::new(position.expect("log.append tells where an append lies"));
        Appended { first: position(self.first_position), last: position(self.last_position), replayed }
    }

    fn wrong_expected_version(&self, append: &Append) -> Error {
        let index = self.stream_index.and_then(|index| usize::try_from(index).ok());
        let StreamAppend { stream, expected, .. } =
            index.and_then(|index| append.streams.get(index)).expect("log.append names a stream of this caller");
        let actual = Version::new(self.actual_version.expect("log.append gives the version it found"));
        Error::WrongExpectedVersion { stream: stream.clone(), expected: Expected::clone(expected), actual }
    }
}

fn count(length: usize) -> i32 {
    i32::try_from(length).expect("batches, streams and events are bounded far below")
}
