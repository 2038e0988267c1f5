//! Brings a range of the log in line with what the archive holds there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use schemas::{Position, Recorded, Sealed, TenantId};
use sqlx::{Connection as _, PgConnection};

use crate::{
    appender::batch::events::Events,
    error::Error,
    read::{Row, rows_between},
};

/// What to do about events that are sound and not the archive's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// Leave everything as it is and say so: [`Error::Forked`], [`Error::TailDamaged`].
    Refuse,
    /// Take them, and all after them, out of the log and keep them in `log.set_aside`.
    SetAside(Timestamp),
}

/// What became of a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Put {
    /// Rows that were the archive's already.
    pub same: u64,
    /// Rows that were missing.
    pub added: u64,
    /// Rows that were damaged, and are the archive's now.
    pub mended: u64,
    /// Rows of another history that were set aside.
    pub set_aside: u64,
}

impl std::ops::AddAssign for Put {
    fn add_assign(&mut self, other: Self) {
        self.same += other.same;
        self.added += other.added;
        self.mended += other.mended;
        self.set_aside += other.set_aside;
    }
}

/// Makes the log hold these archived events, which follow each other, at their positions. Damaged rows make room for them and
/// are kept in `log.set_aside`; so are, if that is asked for, sound events of another history.
///
/// # Errors
/// [`Error::Forked`], [`Error::NotBeingRestored`], or if the database fails; the log is as it was then.
pub async fn put(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    archived: &[Recorded],
    (other, now): (Other, Timestamp),
) -> Result<Put, Error> {
    let (Some(first), Some(last)) = (archived.first(), archived.last()) else { return Ok(Put::default()) };
    let mut transaction = connection.begin().await.map_err(Error::Restore)?;
    lock(&mut transaction, tenant_id).await?;
    let before = Position::new(first.position.get() - 1);
    let rows = rows_between(&mut transaction, tenant_id, (before, last.position)).await.map_err(Error::Restore)?;
    let mut found = Found::of(rows, archived);
    let mut done = Put { same: found.same, ..Put::default() };
    if let Some(fork) = found.fork {
        let events = count_from(&mut transaction, tenant_id, fork).await.map_err(Error::Restore)?;
        let Other::SetAside(at) = other else { return Err(Error::Forked { tenant_id, position: fork, events }) };
        done.set_aside = set_aside_from(&mut transaction, tenant_id, fork, at).await.map_err(Error::Restore)?;
        found.damaged.retain(|position| *position < fork.get());
        found.missing.extend(archived.iter().filter(|event| event.position >= fork));
    }
    done.mended = set_aside(&mut transaction, tenant_id, &found.damaged, now).await.map_err(Error::Restore)?;
    done.added = insert(&mut transaction, tenant_id, &found.missing).await.map_err(Error::Restore)? - done.mended;
    sqlx::query!(
        "update log.tenant set position = greatest(position, $2) where tenant_id = $1",
        tenant_id.get(),
        last.position.get()
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Restore)?;
    transaction.commit().await.map_err(Error::Restore)?;
    Ok(done)
}

/// What stands where the archived events belong.
#[derive(Default)]
struct Found<'archive> {
    same: u64,
    /// Archived events to insert, those for damaged rows included.
    missing: Vec<&'archive Recorded>,
    damaged: Vec<i64>,
    /// Where another history begins.
    fork: Option<Position>,
}

impl<'archive> Found<'archive> {
    fn of(rows: Vec<Row>, archived: &'archive [Recorded]) -> Self {
        let mut rows: BTreeMap<i64, Row> = rows.into_iter().map(|row| (row.position, row)).collect();
        let mut found = Self::default();
        for event in archived {
            match rows.remove(&event.position.get()).map(Row::into_recorded) {
                None => found.missing.push(event),
                Some(Ok(row)) if row == *event => found.same += 1,
                Some(Ok(row)) if is_sound(&row.sealed) => {
                    found.fork = Some(event.position);
                    break;
                }
                Some(_) => {
                    found.damaged.push(event.position.get());
                    found.missing.push(event);
                }
            }
        }
        found
    }
}

/// Whether an event is what its leaf says.
pub(super) fn is_sound(sealed: &Sealed) -> bool {
    Sealed::new(sealed.envelope.clone(), sealed.payload.clone()).leaf == sealed.leaf
}

/// Nobody but this restore is at the log, and the tenant is closed.
pub(super) async fn lock(connection: &mut PgConnection, tenant_id: TenantId) -> Result<(), Error> {
    let locked = sqlx::query_scalar!(
        r#"select true as "locked!" from log.tenant where tenant_id = $1 and state = 'restoring' for update"#,
        tenant_id.get()
    );
    let locked = locked.fetch_optional(connection).await.map_err(Error::Restore)?;
    locked.map(|_| ()).ok_or(Error::NotBeingRestored { tenant_id })
}

pub(super) async fn count_from(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    first: Position,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from log.event where tenant_id = $1 and position >= $2"#,
        tenant_id.get(),
        first.get()
    )
    .fetch_one(connection)
    .await
}

/// Takes everything from a position on out of the log, and with it what requests were told of it.
pub(super) async fn set_aside_from(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    first: Position,
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let positions = sqlx::query_scalar!(
        "select position from log.event where tenant_id = $1 and position >= $2",
        tenant_id.get(),
        first.get()
    );
    let positions = positions.fetch_all(&mut *connection).await?;
    sqlx::query!(
        "delete from log.idempotency where tenant_id = $1 and position + event_count > $2",
        tenant_id.get(),
        first.get()
    )
    .execute(&mut *connection)
    .await?;
    let before = first.get() - 1;
    sqlx::query!("update log.tenant set position = $2 where tenant_id = $1", tenant_id.get(), before)
        .execute(&mut *connection)
        .await?;
    set_aside(connection, tenant_id, &positions, now).await
}

/// Moves rows from the log to `log.set_aside`, and notes that a projection may have read what is not there any more. Two of one
/// position set aside at the same moment are the same row.
async fn set_aside(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    positions: &[i64],
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    if positions.is_empty() {
        return Ok(0);
    }
    sqlx::query!("update log.restore set has_changed = true where tenant_id = $1", tenant_id.get())
        .execute(&mut *connection)
        .await?;
    let moved = sqlx::query!(
        "with gone as (
            delete from log.event where tenant_id = $1 and position = any($2)
            returning tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at, actor,
                command_id, causation_id, trace_parent, key_id, blob, payload, leaf
        )
        insert into log.set_aside (
            tenant_id, set_aside_at, position, stream, version, event_id, event_type, schema_version, recorded_at, actor,
            command_id, causation_id, trace_parent, key_id, blob, payload, leaf
        )
        select
            tenant_id, $3, position, stream, version, event_id, event_type, schema_version, recorded_at, actor, command_id,
            causation_id, trace_parent, key_id, blob, payload, leaf
        from gone",
        tenant_id.get(),
        positions,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected())
}

async fn insert(connection: &mut PgConnection, tenant_id: TenantId, events: &[&Recorded]) -> Result<u64, sqlx::Error> {
    if events.is_empty() {
        return Ok(0);
    }
    let streams: Vec<String> = events.iter().map(|event| event.sealed.envelope.stream.to_string()).collect();
    let positions: Vec<i64> = events.iter().map(|event| event.position.get()).collect();
    let mut columns = Events::default();
    for (event, stream) in events.iter().zip(&streams) {
        columns.push(&event.sealed, stream);
    }
    let inserted = sqlx::query!(
        "insert into log.event (
            tenant_id, position, stream, version, event_id, event_type, schema_version, recorded_at, actor, command_id,
            causation_id, trace_parent, key_id, blob, payload, leaf
        )
        select $1, e.* from unnest(
            $2::bigint[], $3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::smallint[], $8::timestamptz[], $9::text[],
            $10::uuid[], $11::uuid[], $12::text[], $13::uuid[], $14::bytea[], $15::bytea[], $16::bytea[]
        ) as e",
        tenant_id.get(),
        &positions,
        &columns.streams as _,
        &columns.versions,
        &columns.event_ids,
        &columns.event_types as _,
        &columns.schema_versions,
        &columns.recorded_ats as _,
        &columns.actors,
        &columns.command_ids,
        &columns.causation_ids as _,
        &columns.trace_parents as _,
        &columns.key_ids,
        &columns.blobs as _,
        &columns.payloads as _,
        &columns.leaves as _
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected())
}
