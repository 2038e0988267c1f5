//! The call of `log.append_alone`: one event of one caller, in half the time of a batch.

use jiff_sqlx::ToSqlx as _;
use schemas::Sealed;
use sqlx::PgConnection;

use crate::append::{Append, StreamAppend};

/// The event of an append that is no more than one event.
pub(super) fn event_of(append: &Append) -> Option<&Sealed> {
    match (append.streams.as_slice(), &append.idempotency) {
        ([StreamAppend { events, .. }], None) if events.len() == 1 => events.first(),
        _ => None,
    }
}

/// Appends and gives the position. `None` if the append must be refused: nothing was appended then, and the long way tells why.
pub(super) async fn append(
    connection: &mut PgConnection,
    append: &Append,
    Sealed { envelope, payload, leaf }: &Sealed,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select log.append_alone($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        envelope.tenant_id.get(),
        append.resident.epoch().get(),
        envelope.stream.to_string(),
        // The event follows the version that is expected, or `Append::check` had refused it.
        envelope.version.get() - 1,
        envelope.event_id.get(),
        envelope.event_type,
        i16::try_from(envelope.schema_version).expect("a schema version is a small number"),
        envelope.recorded_at.to_sqlx() as _,
        envelope.actor.to_string(),
        envelope.command_id.get(),
        envelope.causation_id.map(schemas::EventId::get),
        envelope.trace_parent,
        envelope.key_id.get(),
        envelope.blob.as_ref().map(|blob| blob.as_bytes().as_slice()),
        payload,
        leaf.as_bytes().as_slice(),
    )
    .fetch_one(connection)
    .await
}
