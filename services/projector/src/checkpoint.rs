//! How far each projection has handled a tenant: rows of `read.checkpoint`.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{Position, TenantId};
use sqlx::PgConnection;

use crate::{PROJECTIONS, projections::Projection, step::Refusal};

/// What to do about a checkpoint somebody else holds: another projector, or a rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Wait for it.
    Wait,
    /// Leave it; a later sweep comes back.
    Leave,
}

/// Makes the rows a tenant lacks.
pub(crate) async fn prepare(conn: &mut PgConnection, tenant: TenantId, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into read.checkpoint (tenant_id, projection, position, updated_at)
         select $1, name, 0, $3 from unnest($2::text[]) as known (name)
         on conflict do nothing",
        tenant.get(),
        PROJECTIONS as _,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Where each of a tenant's checkpoints stands.
pub(crate) async fn all(conn: &mut PgConnection, tenant: TenantId) -> Result<Vec<(String, Position)>, sqlx::Error> {
    let rows = sqlx::query!("select projection, position from read.checkpoint where tenant_id = $1", tenant.get())
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.projection, Position::new(row.position))).collect())
}

/// Locks a checkpoint until the transaction ends and tells where it stands. `None`: somebody else holds it.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    tenant: TenantId,
    projection: &Projection,
    patience: Patience,
) -> Result<Option<Position>, sqlx::Error> {
    let position =
        match patience {
            Patience::Wait => {
                sqlx::query_scalar!(
                    "select position from read.checkpoint where tenant_id = $1 and projection = $2 for update",
                    tenant.get(),
                    projection.name,
                )
                .fetch_optional(conn)
                .await?
            }
            Patience::Leave => sqlx::query_scalar!(
                "select position from read.checkpoint where tenant_id = $1 and projection = $2 for update skip locked",
                tenant.get(),
                projection.name,
            )
            .fetch_optional(conn)
            .await?,
        };
    Ok(position.map(Position::new))
}

/// Moves a checkpoint, in the transaction that locked it and changed the tables. A halt is over with that.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    tenant: TenantId,
    projection: &Projection,
    to: Position,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update read.checkpoint
         set position = $3, updated_at = $4, halted_at_position = null, halted_event_type = null, halted_error = null
         where tenant_id = $1 and projection = $2",
        tenant.get(),
        projection.name,
        to.get(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves the checkpoints of projections that want nothing of what lies between: no rows, so one statement for all.
/// Tells which ones moved; those that somebody else holds, or has moved, did not.
pub(crate) async fn advance_idle(
    conn: &mut PgConnection,
    tenant: TenantId,
    projections: &[&str],
    (from, to): (Position, Position),
    now: Timestamp,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "with free as (
             select projection from read.checkpoint
             where tenant_id = $1 and projection = any($2) and position = $3
             for update skip locked
         )
         update read.checkpoint as checkpoint
         set position = $4, updated_at = $5, halted_at_position = null, halted_event_type = null, halted_error = null
         from free where checkpoint.tenant_id = $1 and checkpoint.projection = free.projection
         returning checkpoint.projection",
        tenant.get(),
        projections as _,
        from.get(),
        to.get(),
        now.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await
}

/// Records that a tenant waits at an event, unless somebody has got past it meanwhile.
pub(crate) async fn halt(
    conn: &mut PgConnection,
    tenant: TenantId,
    projection: &Projection,
    refusal: &Refusal,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update read.checkpoint set halted_at_position = $3, halted_event_type = $4, halted_error = $5
         where tenant_id = $1 and projection = $2 and position < $3",
        tenant.get(),
        projection.name,
        refusal.position.get(),
        refusal.event_type,
        refusal.reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}
