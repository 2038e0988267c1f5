//! A tenant's log brought back from its archive: the same events in the same places.
//!
//! The second way, beside the append, that events get into the log, and the owner's alone: no role of a service may insert one
//! at a position of its choice. Where it differs from an append is that nothing is decided: position, version, time and leaf
//! are those of the archive.
//!
//! A restore is a row of `log.restore` and a tenant in state `restoring`, in which nobody appends and nobody reads. Each step
//! is a transaction, and each can be taken again: [`begin`] closes the tenant, [`put`] brings the log's rows in line with a
//! range of archived events, [`check_tail`] looks at what stands beyond them, [`finish`] writes what follows from the log and
//! opens the tenant. A crash between any two leaves a closed tenant, and the same restore, asked for again, goes on.

mod claim;
mod done;
mod put;
pub mod region;
mod tail;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use schemas::{Hash, Position, Slug, TenantId};
use sqlx::{Connection as _, PgConnection};

use crate::{
    error::Error,
    tenant::{NewTenant, insert_head},
    tree_head::TreeHead,
};

pub use self::{
    claim::{Claim, is_claimed, place},
    done::{Done, Restored, restored},
    put::{Other, Put, put},
    tail::{Tail, check_tail},
};

/// What follows from a restored log.
#[derive(Debug, Clone)]
pub struct Finish {
    /// The tree head to store; nothing where the stored one holds.
    pub tree_head: Option<TreeHead>,
    /// The mark "archived": how far the newest manifest reaches.
    pub archived: Option<(Position, Timestamp)>,
    /// The first ticket number that was never given, as far as the log tells. Never lowers what is stored.
    pub next_ticket: i64,
    /// The first small id that was never given, as far as the log tells. Never lowers what is stored.
    pub next_id: i64,
    /// What is told to the tenant.
    pub done: Done,
    /// Now.
    pub at: Timestamp,
}

/// What a restore is of. Asked for once more from the same source, one that was interrupted goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A region, a tenant in its place, or a copy, and of which moment.
    pub what: String,
    /// The backup that said what must be there.
    pub backup_id: Option<String>,
}

impl Source {
    /// Something that no backup says more of.
    pub fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), backup_id: None }
    }
}

/// A restore that was begun and has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// What it is of.
    pub source: Source,
    /// When it was begun.
    pub at: Timestamp,
}

impl Begun {
    fn of(what: String, backup_id: Option<String>, at: jiff_sqlx::Timestamp) -> Self {
        Self { source: Source { what, backup_id }, at: at.to_jiff() }
    }
}

/// The restore of a tenant that has not come to its end.
///
/// # Errors
/// If the database fails.
pub async fn begun(connection: &mut PgConnection, tenant_id: TenantId) -> Result<Option<Begun>, Error> {
    let row = sqlx::query!(
        r#"select source, backup_id, begun_at as "begun_at: jiff_sqlx::Timestamp" from log.restore
        where tenant_id = $1 and finished_at is null"#,
        tenant_id.get()
    );
    let row = row.fetch_optional(connection).await.map_err(Error::Restore)?;
    Ok(row.map(|row| Begun::of(row.source, row.backup_id, row.begun_at)))
}

/// Whether an interrupted restore, or this one, has taken rows out of the log that a projection may have read.
///
/// # Errors
/// If the database fails.
pub async fn has_changed(connection: &mut PgConnection, tenant_id: TenantId) -> Result<bool, Error> {
    sqlx::query_scalar!("select has_changed from log.restore where tenant_id = $1", tenant_id.get())
        .fetch_optional(connection)
        .await
        .map(Option::unwrap_or_default)
        .map_err(Error::Restore)
}

/// A copy of a tenant, as the restore that made it is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Whose.
    pub tenant_id: TenantId,
    /// The name in its address.
    pub slug: Slug,
    /// The last position of the log.
    pub position: Position,
    /// What was asked for.
    pub source: String,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Whether it came to its end.
    pub is_finished: bool,
}

/// The newest restore into this database; nothing where there was none, or no schema yet to note it in.
///
/// # Errors
/// If the database fails.
pub async fn newest(connection: &mut PgConnection) -> Result<Option<Noted>, Error> {
    let has_schema = sqlx::query_scalar!(r#"select to_regclass('log.restore') is not null as "has!""#);
    if !has_schema.fetch_one(&mut *connection).await.map_err(Error::Restore)? {
        return Ok(None);
    }
    let row = sqlx::query!(
        r#"select t.tenant_id, t.slug, t.position, r.source, r.begun_at as "begun_at: jiff_sqlx::Timestamp",
            r.finished_at is not null as "is_finished!"
        from log.restore r join log.tenant t on t.tenant_id = r.tenant_id order by r.begun_at desc limit 1"#
    );
    let Some(row) = row.fetch_optional(connection).await.map_err(Error::Restore)? else { return Ok(None) };
    let slug = row.slug.parse().map_err(|error| Error::Restore(sqlx::Error::Decode(Box::new(error))))?;
    Ok(Some(Noted {
        tenant_id: TenantId::new(row.tenant_id),
        slug,
        position: Position::new(row.position),
        source: row.source,
        begun_at: row.begun_at.to_jiff(),
        is_finished: row.is_finished,
    }))
}

/// Closes a tenant for its restore, and makes its head row where it has none. From here on nobody appends.
///
/// # Errors
/// [`Error::NameTaken`], or if the database fails.
pub async fn begin(
    connection: &mut PgConnection,
    tenant: &NewTenant,
    source: &Source,
    now: Timestamp,
) -> Result<(), Error> {
    let mut transaction = connection.begin().await.map_err(Error::Restore)?;
    insert_head(&mut transaction, tenant, "restoring").await.map_err(Error::Restore)?;
    let tenant_id = tenant.tenant_id.get();
    let found = sqlx::query!("select state, position from log.tenant where tenant_id = $1 for update", tenant_id);
    let found = found.fetch_optional(&mut *transaction).await.map_err(Error::Restore)?;
    let taken = || Error::NameTaken { tenant_id: tenant.tenant_id, slug: tenant.slug.clone() };
    let found = found.ok_or_else(taken)?;
    // In a state that only a restore ends, what the tenant was before is in the row of the one that was interrupted.
    let opens_as = Some(found.state).filter(|state| !["behind", "restoring"].contains(&state.as_str()));
    sqlx::query!(
        "insert into log.restore (tenant_id, source, begun_at, opens_as, backup_id, old_end)
        values ($1, $2, $3, coalesce($4, 'active'), $5, $6)
        on conflict (tenant_id) do update set source = excluded.source, backup_id = excluded.backup_id,
            finished_at = null, refused_at = null,
            old_end = case when restore.finished_at is null then coalesce(restore.old_end, excluded.old_end)
                else excluded.old_end end,
            begun_at = case when restore.finished_at is null then restore.begun_at else excluded.begun_at end,
            opens_as = coalesce($4, case when restore.finished_at is null then restore.opens_as else 'active' end),
            has_changed = restore.has_changed and restore.finished_at is null",
        tenant_id,
        source.what,
        now.to_sqlx() as _,
        opens_as,
        source.backup_id,
        found.position
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Restore)?;
    // A head row that is there may be wrong too. Its epoch never goes back: it is the fence of a move.
    sqlx::query!(
        "update log.tenant set state = 'restoring', region = $2, epoch = greatest(epoch, $3) where tenant_id = $1",
        tenant_id,
        tenant.region.as_str(),
        tenant.epoch.get()
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Restore)?;
    transaction.commit().await.map_err(Error::Restore)
}

/// Leaves a tenant closed as one that is behind its archive: its restore was refused.
///
/// # Errors
/// If the database fails.
pub async fn give_up(connection: &mut PgConnection, tenant_id: TenantId) -> Result<(), Error> {
    sqlx::query!(
        "update log.tenant set state = 'behind' where tenant_id = $1 and state = 'restoring'",
        tenant_id.get()
    )
    .execute(connection)
    .await
    .map_err(Error::Restore)?;
    Ok(())
}

/// Size and root of the stored tree head, if there is one that can be read.
///
/// # Errors
/// If the database fails.
pub async fn stored_head(connection: &mut PgConnection, tenant_id: TenantId) -> Result<Option<(u64, Hash)>, Error> {
    let row = sqlx::query!("select size, root from log.tree_head where tenant_id = $1", tenant_id.get());
    let row = row.fetch_optional(connection).await.map_err(Error::Restore)?;
    Ok(row.and_then(|row| Some((row.size.unsigned_abs(), Hash::try_from(row.root.as_slice()).ok()?))))
}

/// Writes what follows from the log, and opens the tenant; one that was closed or moving is so again.
///
/// # Errors
/// [`Error::NotBeingRestored`], or if the database fails; nothing is written then.
pub async fn finish(connection: &mut PgConnection, tenant_id: TenantId, finish: &Finish) -> Result<(), Error> {
    let mut transaction = connection.begin().await.map_err(Error::Restore)?;
    let opened = sqlx::query!(
        "update log.tenant t
        set state = r.opens_as, next_ticket = greatest(t.next_ticket, $2), next_id = greatest(t.next_id, $3),
            position = coalesce((select max(e.position) from log.event e where e.tenant_id = t.tenant_id), 0)
        from log.restore r
        where t.tenant_id = $1 and t.state = 'restoring' and r.tenant_id = t.tenant_id",
        tenant_id.get(),
        finish.next_ticket,
        finish.next_id
    );
    if opened.execute(&mut *transaction).await.map_err(Error::Restore)?.rows_affected() == 0 {
        return Err(Error::NotBeingRestored { tenant_id });
    }
    if let Some(head) = &finish.tree_head {
        put_head(&mut transaction, tenant_id, head).await.map_err(Error::Restore)?;
    }
    put_marks(&mut transaction, tenant_id, finish.archived).await.map_err(Error::Restore)?;
    done::note(&mut transaction, tenant_id, (&finish.done, finish.at)).await.map_err(Error::Restore)?;
    sqlx::query!(
        "update log.restore set finished_at = $2 where tenant_id = $1",
        tenant_id.get(),
        finish.at.to_sqlx() as _
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Restore)?;
    transaction.commit().await.map_err(Error::Restore)
}

/// Ends the restore of a copy: the tenant is closed in it, so nobody appends to it and no desk takes it for the living one.
///
/// # Errors
/// [`Error::NotBeingRestored`], or if the database fails.
pub async fn finish_closed(connection: &mut PgConnection, tenant_id: TenantId, at: Timestamp) -> Result<(), Error> {
    let closed = sqlx::query!(
        "with closed as (
            update log.tenant set state = 'closed' where tenant_id = $1 and state = 'restoring' returning tenant_id
        )
        update log.restore r set finished_at = $2 from closed c where r.tenant_id = c.tenant_id",
        tenant_id.get(),
        at.to_sqlx() as _
    );
    match closed.execute(connection).await.map_err(Error::Restore)?.rows_affected() {
        0 => Err(Error::NotBeingRestored { tenant_id }),
        _ => Ok(()),
    }
}

/// In the place of whatever head is stored: that one is of another history, or there is none.
async fn put_head(connection: &mut PgConnection, tenant_id: TenantId, head: &TreeHead) -> Result<(), sqlx::Error> {
    let frontier: Vec<_> = head.frontier.iter().map(|root| root.as_bytes().to_vec()).collect();
    sqlx::query!(
        "insert into log.tree_head (tenant_id, size, root, frontier, note, sealed_at) values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id) do update
            set size = excluded.size, root = excluded.root, frontier = excluded.frontier, note = excluded.note,
                sealed_at = excluded.sealed_at",
        tenant_id.get(),
        head.size.get(),
        head.root.as_bytes().as_slice(),
        &frontier,
        head.note,
        head.sealed_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A mark past what the archive holds says what is not so.
async fn put_marks(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    archived: Option<(Position, Timestamp)>,
) -> Result<(), sqlx::Error> {
    let position = archived.map_or(0, |(position, _)| position.get());
    sqlx::query!(
        "delete from log.mark where tenant_id = $1 and (mark = 'archived' or position > $2)",
        tenant_id.get(),
        position
    )
    .execute(&mut *connection)
    .await?;
    let Some((position, at)) = archived else { return Ok(()) };
    sqlx::query!(
        "insert into log.mark (tenant_id, mark, position, reached_at) values ($1, 'archived', $2, $3)",
        tenant_id.get(),
        position.get(),
        at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
