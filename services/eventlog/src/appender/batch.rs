//! The call of `log.append`: a batch as flat arrays, and its outcomes. One event alone takes the shorter way of [`alone`].

mod alone;
#[cfg(test)]
mod model;

use std::collections::HashMap;

use jiff_sqlx::ToSqlx as _;
use schemas::{Position, Sealed, TenantId, Version};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    append::{Append, Appended, Expected, StreamAppend},
    error::Error,
};

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
    streams: Streams,
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
struct Streams {
    tenant_ids: Vec<Uuid>,
    names: Vec<String>,
    expected_versions: Vec<i64>,
    event_counts: Vec<i32>,
    /// Where in these arrays, counted from 1, an earlier caller names the same stream; 0 for nowhere.
    earlier: Vec<i32>,
}

#[derive(Default)]
struct Events<'a> {
    tenant_ids: Vec<Uuid>,
    streams: Vec<String>,
    versions: Vec<i64>,
    event_ids: Vec<Uuid>,
    event_types: Vec<&'a str>,
    schema_versions: Vec<i16>,
    recorded_ats: Vec<jiff_sqlx::Timestamp>,
    actors: Vec<String>,
    command_ids: Vec<Uuid>,
    causation_ids: Vec<Option<Uuid>>,
    trace_parents: Vec<Option<&'a str>>,
    key_ids: Vec<Uuid>,
    blobs: Vec<Option<&'a [u8]>>,
    payloads: Vec<&'a [u8]>,
    leaves: Vec<&'a [u8]>,
}

/// Runs the batch as one transaction in one round trip. `appends` are sorted by tenant. One outcome each, in order.
pub(crate) async fn append(connection: &mut PgConnection, appends: &[&Append]) -> Result<Vec<Outcome>, sqlx::Error> {
    if let [append] = appends
        && let Some(position) = alone::append(connection, append).await?
    {
        return Ok(vec![Outcome::of_one(position)]);
    }
    append_all(connection, appends).await
}

async fn append_all(connection: &mut PgConnection, appends: &[&Append]) -> Result<Vec<Outcome>, sqlx::Error> {
    let Arrays { callers, streams, events } = Arrays::of(appends);
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
        &streams.names,
        &streams.expected_versions,
        &streams.event_counts,
        &streams.earlier,
        &events.tenant_ids,
        &events.streams,
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

impl<'a> Arrays<'a> {
    fn of(appends: &[&'a Append]) -> Self {
        let mut arrays = Self::default();
        let mut places = HashMap::new();
        for append in appends {
            arrays.callers.push(append);
            let tenant_id = append.resident.tenant_id();
            for stream in &append.streams {
                arrays.streams.push(tenant_id, stream);
                let place = count(arrays.streams.names.len());
                arrays.streams.earlier.push(places.insert((tenant_id, &stream.stream), place).unwrap_or_default());
                for event in &stream.events {
                    arrays.events.push(event, arrays.streams.names.last().expect("it was pushed above"));
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

impl Streams {
    fn push(&mut self, tenant_id: TenantId, append: &StreamAppend) {
        self.tenant_ids.push(tenant_id.get());
        self.names.push(append.stream.to_string());
        self.expected_versions.push(append.expected.version().get());
        self.event_counts.push(count(append.events.len()));
    }
}

impl<'a> Events<'a> {
    fn push(&mut self, event: &'a Sealed, stream: &str) {
        let Sealed { envelope, payload, leaf } = event;
        self.tenant_ids.push(envelope.tenant_id.get());
        self.streams.push(stream.to_owned());
        self.versions.push(envelope.version.get());
        self.event_ids.push(envelope.event_id.get());
        self.event_types.push(&envelope.event_type);
        self.schema_versions.push(i16::try_from(envelope.schema_version).expect("a schema version is a small number"));
        self.recorded_ats.push(envelope.recorded_at.to_sqlx());
        self.actors.push(envelope.actor.to_string());
        self.command_ids.push(envelope.command_id.get());
        self.causation_ids.push(envelope.causation_id.map(schemas::EventId::get));
        self.trace_parents.push(envelope.trace_parent.as_deref());
        self.key_ids.push(envelope.key_id.get());
        self.blobs.push(envelope.blob.as_ref().map(|blob| blob.as_bytes().as_slice()));
        self.payloads.push(payload);
        self.leaves.push(leaf.as_bytes());
    }
}

impl Outcome {
    fn of_one(position: i64) -> Self {
        let position = Some(position);
        let (first_position, last_position) = (position, position);
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
