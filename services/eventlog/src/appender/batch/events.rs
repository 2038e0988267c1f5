//! The columns of a batch's events, as the stored functions take them.

use jiff_sqlx::ToSqlx as _;
use schemas::Sealed;
use uuid::Uuid;

use crate::append::Append;

/// One element per event, in the order of the callers and their streams.
#[derive(Default)]
pub(crate) struct Events<'a> {
    pub(crate) streams: Vec<&'a str>,
    pub(crate) versions: Vec<i64>,
    pub(crate) event_ids: Vec<Uuid>,
    pub(crate) event_types: Vec<&'a str>,
    pub(crate) schema_versions: Vec<i16>,
    pub(crate) recorded_ats: Vec<jiff_sqlx::Timestamp>,
    pub(crate) actors: Vec<String>,
    pub(crate) command_ids: Vec<Uuid>,
    pub(crate) causation_ids: Vec<Option<Uuid>>,
    pub(crate) trace_parents: Vec<Option<&'a str>>,
    pub(crate) key_ids: Vec<Uuid>,
    pub(crate) blobs: Vec<Option<&'a [u8]>>,
    pub(crate) payloads: Vec<&'a [u8]>,
    pub(crate) leaves: Vec<&'a [u8]>,
}

/// The names of all streams of a batch in turn, for the arrays to borrow from.
pub(crate) fn stream_names(appends: &[&Append]) -> Vec<String> {
    appends.iter().flat_map(|append| &append.streams).map(|stream| stream.stream.to_string()).collect()
}

/// A column that is null in every event is sent empty: the functions that unpack it fill it up with nulls.
pub(crate) fn sparse<T>(column: &[Option<T>]) -> &[Option<T>] {
    if column.iter().all(Option::is_none) { &[] } else { column }
}

impl<'a> Events<'a> {
    pub(crate) fn push(&mut self, event: &'a Sealed, stream: &'a str) {
        let Sealed { envelope, payload, leaf } = event;
        self.streams.push(stream);
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
