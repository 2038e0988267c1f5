//! The tree head: what decides which events a generation holds.

use archive::Generation;
use eventlog::TreeHead;
use jiff::Timestamp;
use regions::Resident;
use schemas::{Position, Recorded};
use sqlx::PgConnection;

use super::standing::Standing;
use crate::{deps::ReplicatorDeps, error::Error};

/// Seals the head of a new generation, if nobody has sealed one since `standing` was found, and the log still ends its events
/// with the same one.
///
/// Two replicators that sealed different heads over the same manifest would write overlapping segments, so the head is
/// compared and moved under a lock of the tenant. It is held for three short statements.
pub(super) async fn seal(
    (deps, resident): (&ReplicatorDeps, &Resident),
    standing: &Standing,
    (generation, events): (&Generation, &[Recorded]),
    sealed_at: Timestamp,
) -> Result<(), Error> {
    let head = TreeHead {
        size: Position::new(generation.size() as i64),
        root: generation.root(),
        frontier: generation.tail.edge().frontier().peaks().to_vec(),
        note: note_of(generation),
        sealed_at,
    };
    let mut transaction = regions::begin_with(&deps.pool, "begin").await.map_err(Error::Database)?;
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('replicator ' || $1::text, 0))",
        resident.tenant_id().to_string()
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Database)?;
    let now = eventlog::tree_head(&mut transaction, resident).await.map_err(Error::Log)?;
    if now != standing.head || !holds_last(&mut transaction, resident, events).await.map_err(Error::Database)? {
        return Err(Error::Contended);
    }
    eventlog::put_tree_head(&mut transaction, resident, &head).await.map_err(Error::Log)?;
    transaction.commit().await.map_err(Error::Database)
}

/// Whether the log holds the last of these events. What was read, or vouched for, a moment ago may be of a database that was lost
/// since, with its tail; the log's own events come to these places then. Two logs that have one event have all before it.
async fn holds_last(
    connection: &mut PgConnection,
    resident: &Resident,
    events: &[Recorded],
) -> Result<bool, sqlx::Error> {
    let Some(last) = events.last() else { return Ok(true) };
    sqlx::query_scalar!(
        r#"select exists (
            select from log.event where tenant_id = $1 and position = $2 and leaf = $3
        ) as "is_there!""#,
        resident.tenant_id().get(),
        last.position.get(),
        last.sealed.leaf.as_bytes().as_slice()
    )
    .fetch_one(connection)
    .await
}

/// A generation under way must come out as it was sealed; else the log is not the one that the head was sealed over.
pub(super) fn compare(standing: &Standing, generation: &Generation) -> Result<(), Error> {
    // The note may be under the key before.
    let is_same = standing
        .head
        .as_ref()
        .is_some_and(|head| (head.size.get() as u64, head.root) == (generation.size(), generation.root()));
    let size = generation.size();
    if is_same { Ok(()) } else { Err(Error::Inconsistent { size, what: "the log's events make another tree" }) }
}

fn note_of(generation: &Generation) -> String {
    String::from_utf8_lossy(&generation.checkpoint.bytes).into_owned()
}
