//! The restore of a whole region: whom it is to bring back, noted before the first, and who is in its way.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use schemas::TenantId;
use sqlx::{Connection as _, PgConnection};

use super::{Begun, Source};
use crate::error::Error;

/// What the restore of a region finds of one of its tenants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is not there, or was not brought back to the end.
    Due,
    /// It was brought back before.
    Restored,
    /// It came by itself, while the restore of the region was interrupted.
    New,
}

/// The tenants in the way of the restore of a region: those that no restore of it brought. While one is interrupted nobody is: who
/// is here and was not then has signed up since. One whose tenants were all looked at is over, also if some were refused.
///
/// # Errors
/// If the database fails.
pub async fn in_the_way(connection: &mut PgConnection, what: &str) -> Result<Vec<String>, Error> {
    let slugs = sqlx::query_scalar!(
        "select t.slug from log.tenant t
        where not exists (select from log.restore r where r.tenant_id = t.tenant_id and r.source = $1)
            and not exists (
                select from log.restore r where r.source = $1 and r.finished_at is null and r.refused_at is null
            )
        order by t.slug",
        what
    );
    slugs.fetch_all(connection).await.map_err(Error::Restore)
}

/// The restore of a region that has not brought all of its tenants back.
///
/// # Errors
/// If the database fails.
pub async fn begun(connection: &mut PgConnection, what: &str) -> Result<Option<Begun>, Error> {
    let row = sqlx::query!(
        r#"select source, backup_id, begun_at as "begun_at: jiff_sqlx::Timestamp" from log.restore
        where source = $1 and finished_at is null order by begun_at limit 1"#,
        what
    );
    let row = row.fetch_optional(connection).await.map_err(Error::Restore)?;
    Ok(row.map(|row| Begun::of(row.source, row.backup_id, row.begun_at)))
}

/// Begins the restore of a region, or goes on with one that was interrupted: notes whom it is to bring back, and from which backup.
///
/// # Errors
/// If the database fails.
pub async fn plan(
    connection: &mut PgConnection,
    tenants: &[TenantId],
    source: &Source,
    now: Timestamp,
) -> Result<(), Error> {
    let mut transaction = connection.begin().await.map_err(Error::Restore)?;
    let tenant_ids: Vec<_> = tenants.iter().map(|tenant_id| tenant_id.get()).collect();
    // Who is no longer planned, and not there, would keep it from ever being finished.
    sqlx::query!(
        "delete from log.restore r where r.source = $1 and r.finished_at is null and r.tenant_id <> all($2)
            and not exists (select from log.tenant t where t.tenant_id = r.tenant_id)",
        source.what,
        &tenant_ids
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Restore)?;
    sqlx::query!(
        "update log.restore set backup_id = $2, refused_at = null,
            begun_at = case when backup_id is distinct from $2 then $3 else begun_at end
        where source = $1 and finished_at is null",
        source.what,
        source.backup_id,
        now.to_sqlx() as _
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Restore)?;
    sqlx::query!(
        "insert into log.restore (tenant_id, source, backup_id, begun_at)
        select p.tenant_id, $2, $3, $4 from unnest($1::uuid[]) as p (tenant_id)
        where not exists (select from log.tenant t where t.tenant_id = p.tenant_id)
        on conflict do nothing",
        &tenant_ids,
        source.what,
        source.backup_id,
        now.to_sqlx() as _
    )
    .execute(&mut *transaction)
    .await
    .map_err(Error::Restore)?;
    transaction.commit().await.map_err(Error::Restore)
}

/// Notes that a region's restore could not bring a tenant back, and is over for it until it is asked for again.
///
/// # Errors
/// If the database fails.
pub async fn refuse(connection: &mut PgConnection, tenant_id: TenantId, now: Timestamp) -> Result<(), Error> {
    sqlx::query!(
        "update log.restore set refused_at = $2 where tenant_id = $1 and finished_at is null",
        tenant_id.get(),
        now.to_sqlx() as _
    )
    .execute(connection)
    .await
    .map_err(Error::Restore)?;
    Ok(())
}

/// Takes the note of a planned tenant back: it has nothing to bring, and would keep the restore of its region from ever being
/// finished.
///
/// # Errors
/// If the database fails.
pub async fn forget_planned(connection: &mut PgConnection, tenant_id: TenantId) -> Result<(), Error> {
    sqlx::query!(
        "delete from log.restore r where r.tenant_id = $1 and r.finished_at is null
            and not exists (select from log.tenant t where t.tenant_id = r.tenant_id)",
        tenant_id.get()
    )
    .execute(connection)
    .await
    .map_err(Error::Restore)?;
    Ok(())
}

/// What there is of a tenant whose region is being restored.
///
/// # Errors
/// If the database fails.
pub async fn found(connection: &mut PgConnection, tenant_id: TenantId) -> Result<Found, Error> {
    let row = sqlx::query!(
        r#"select r.tenant_id is not null as "is_noted!",
            r.finished_at is not null and t.state not in ('behind', 'restoring') as "is_finished!"
        from log.tenant t left join log.restore r on r.tenant_id = t.tenant_id where t.tenant_id = $1"#,
        tenant_id.get()
    );
    let row = row.fetch_optional(connection).await.map_err(Error::Restore)?;
    Ok(match row {
        Some(row) if !row.is_noted => Found::New,
        Some(row) if row.is_finished => Found::Restored,
        _ => Found::Due,
    })
}
