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

mod put;
mod tail;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use schemas::{Hash, Position, TenantId};
use sqlx::{Connection as _, PgConnection};

use crate::{error::Error, tenant::NewTenant, tree_head::TreeHead};

pub use self::{
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
    /// Now.
    pub at: Timestamp,
}

/// Tenants that keep a region from being restored: those that are here and are not part of the restore from `source`.
///
/// # Errors
/// If the database fails.
pub async fn in_the_way(connection: &mut PgConnection, source: &str) -> Result<Vec<String>, Error> {
    sqlx::query_scalar!(
        "select t.slug from log.tenant t
        where not exists (select from log.restore r where r.tenant_id = t.tenant_id and r.source = $1)
        order by t.slug",
        source
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Restore)
}

/// Whether the restore of a tenant from `source` came to its end, and the tenant is open.
///
/// # Errors
/// If the database fails.
pub async fn is_finished(connection: &mut PgConnection, tenant_id: TenantId, source: &str) -> Result<bool, Error> {
    sqlx::query_scalar!(
        r#"select exists (
            select from log.restore r join log.tenant t on t.tenant_id = r.tenant_id
            where r.tenant_id = $1 and r.source = $2 and r.finished_at is not null and t.state = 'active'
        ) as "is_finished!""#,
        tenant_id.get(),
        source
    )
    .fetch_one(connection)
    .await
    .map_err(Error::Restore)
}

/// Closes a tenant for its restore, and makes its head row where it has none. From here on nobody appends.
///
/// # Errors
/// [`Error::NameTaken`], or if the database fails.
pub async fn begin(
    connection: &mut PgConnection,
    tenant: &NewTenant,
    source: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let mut transaction = connection.begin().await.map_err(Error::Restore)?;
    sqlx::query!(
        "insert into log.tenant (tenant_id, slug, region, epoch, state, created_at)
        values ($1, $2, $3, $4, 'restoring', $5)
        on conflict do nothing",
        tenant.tenant_id.get(),
        tenant.slug.as_str(),
        tenant.region.as_str(),
        tenant.epoch.get(),
        tenant.created_at.to_sqlx() as _
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Restore)?;
    // A head row that is there may be wrong too. Its epoch never goes back: it is the fence of a move.
    let closed = sqlx::query_scalar!(
        "update log.tenant set state = 'restoring', region = $2, epoch = greatest(epoch, $3)
        where tenant_id = $1 returning position",
        tenant.tenant_id.get(),
        tenant.region.as_str(),
        tenant.epoch.get()
    );
    let closed = closed.fetch_optional(&mut *transaction).await.map_err(Error::Restore)?;
    let taken = || Error::NameTaken { tenant_id: tenant.tenant_id, slug: tenant.slug.clone() };
    closed.ok_or_else(taken)?;
    sqlx::query!(
        "insert into log.restore (tenant_id, source, begun_at) values ($1, $2, $3)
        on conflict (tenant_id) do update set source = excluded.source, finished_at = null,
            begun_at = case when restore.finished_at is null then restore.begun_at else excluded.begun_at end",
        tenant.tenant_id.get(),
        source,
        now.to_sqlx() as _
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

/// Writes what follows from the log, and opens the tenant.
///
/// # Errors
/// [`Error::NotBeingRestored`], or if the database fails; nothing is written then.
pub async fn finish(connection: &mut PgConnection, tenant_id: TenantId, finish: &Finish) -> Result<(), Error> {
    let mut transaction = connection.begin().await.map_err(Error::Restore)?;
    let opened = sqlx::query!(
        "update log.tenant t set state = 'active', next_ticket = greatest(t.next_ticket, $2), next_id = greatest(t.next_id, $3),
            position = coalesce((select max(e.position) from log.event e where e.tenant_id = t.tenant_id), 0)
        where t.tenant_id = $1 and t.state = 'restoring'",
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
