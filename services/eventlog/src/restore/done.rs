//! Restores that came to their end: what is told to their tenants.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use schemas::{Position, RestoreId, TenantId, tenant::LogRestored};
use sqlx::PgConnection;

use crate::error::Error;

/// What a restore in place is noted with when it ends.
#[derive(Debug, Clone)]
pub struct Done {
    /// Which restore.
    pub id: RestoreId,
    /// How it was asked for.
    pub command: String,
    /// The last position of the archive.
    pub archived: Position,
}

/// A restore that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Restored {
    /// Whose log.
    pub tenant_id: TenantId,
    /// How it was asked for.
    pub command: String,
    /// What is told of it.
    pub told: LogRestored,
}

/// Notes the end of the restore that is under way, after the log is as it stays.
pub(super) async fn note(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    (done, at): (&Done, Timestamp),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into log.restored
            (tenant_id, restore_id, command, backup_id, archived, old_end, new_end, set_aside, restored_at)
        select r.tenant_id, $2, $3, r.backup_id, $4, coalesce(r.old_end, 0), t.position,
            (select count(*) from log.set_aside s where s.tenant_id = r.tenant_id and s.set_aside_at >= r.begun_at), $5
        from log.restore r join log.tenant t on t.tenant_id = r.tenant_id where r.tenant_id = $1",
        tenant_id.get(),
        done.id.get(),
        done.command,
        done.archived.get(),
        at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every restore in place that came to its end, oldest first.
///
/// # Errors
/// If the database fails.
pub async fn restored(connection: &mut PgConnection) -> Result<Vec<Restored>, Error> {
    let rows = sqlx::query!(
        r#"select tenant_id, restore_id, command, backup_id, archived, old_end, new_end, set_aside,
            restored_at as "restored_at: jiff_sqlx::Timestamp"
        from log.restored order by restored_at, restore_id"#
    );
    let rows = rows.fetch_all(connection).await.map_err(Error::Restore)?.into_iter();
    let restored = rows.map(|row| Restored {
        tenant_id: TenantId::new(row.tenant_id),
        command: row.command,
        told: LogRestored {
            restore: RestoreId::new(row.restore_id),
            backup: row.backup_id,
            archived: Position::new(row.archived),
            old_end: Position::new(row.old_end),
            new_end: Position::new(row.new_end),
            set_aside: row.set_aside.unsigned_abs(),
            at: row.restored_at.to_jiff(),
        },
    });
    Ok(restored.collect())
}
