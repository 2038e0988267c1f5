//! The tables of `deliveries`: how far logs were looked through, and what was noted on the way.
//!
//! Whoever moves a checkpoint holds its row, and looks under that lock whether the log was brought back since: of two desks that look
//! through the same log one goes on, and nothing that was read before a restore is noted after it.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{Position, RestoreId, TenantId, WebhookId};
use sqlx::PgConnection;

use crate::state::Desk;

/// How far a log was looked through, and of which restore that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) position: Position,
    pub(super) restore: Option<RestoreId>,
}

/// A restore that a checkpoint does not know of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Restored {
    restore: RestoreId,
    /// Where the log ended then.
    end: Position,
    /// Where it ended at its shortest since what the checkpoint knows: positions after this mean other events now, or none.
    shortest: Position,
}

/// What is to be noted of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted {
    pub(super) webhook: WebhookId,
    pub(super) position: Position,
    /// Why it is closed at once, if it is.
    pub(super) closed: Option<&'static str>,
}

/// Tenants whose logs have something new, or were brought back.
pub(super) async fn behind(desk: &Desk) -> Result<Vec<TenantId>, sqlx::Error> {
    let rows = sqlx::query_scalar!(r#"select tenant_id as "tenant_id!" from deliveries.behind()"#);
    Ok(rows.fetch_all(&desk.pool).await?.into_iter().map(TenantId::new).collect())
}

/// How far a tenant's log was looked through. Nobody else moves that until the transaction ends.
pub(super) async fn hold(conn: &mut PgConnection, resident: &Resident) -> Result<Checkpoint, sqlx::Error> {
    sqlx::query!(
        "insert into deliveries.checkpoint (tenant_id, position) values ($1, 0) on conflict do nothing",
        resident.tenant_id().get()
    )
    .execute(&mut *conn)
    .await?;
    let row = sqlx::query!(
        "select position, restore_id from deliveries.checkpoint where tenant_id = $1 for update",
        resident.tenant_id().get()
    );
    let row = row.fetch_one(conn).await?;
    Ok(Checkpoint { position: Position::new(row.position), restore: row.restore_id.map(RestoreId::new) })
}

/// Whether a tenant's log is the one that its checkpoint is about.
pub(super) async fn is_current(conn: &mut PgConnection, resident: &Resident) -> Result<bool, sqlx::Error> {
    let known = sqlx::query_scalar!(
        "select restore_id from deliveries.checkpoint where tenant_id = $1",
        resident.tenant_id().get()
    );
    let known = known.fetch_optional(&mut *conn).await?.flatten();
    Ok(restored(conn, resident, known.map(RestoreId::new)).await?.is_none())
}

/// The newest restore of a tenant's log, if it is newer than the one that is known.
pub(super) async fn restored(
    conn: &mut PgConnection,
    resident: &Resident,
    known: Option<RestoreId>,
) -> Result<Option<Restored>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select restore_id, new_end, min(new_end) over () as "shortest!" from log.restored
           where tenant_id = $1 and not exists (
               select from log.restored as known where known.tenant_id = $1 and known.restore_id = $2
               and (known.restored_at, known.restore_id) >= (restored.restored_at, restored.restore_id))
           order by restored_at desc, restore_id desc limit 1"#,
        resident.tenant_id().get(),
        known.map(RestoreId::get),
    );
    let row = row.fetch_optional(conn).await?;
    Ok(row.map(|row| Restored {
        restore: RestoreId::new(row.restore_id),
        end: Position::new(row.new_end),
        shortest: Position::new(row.shortest),
    }))
}

/// Begins anew after a restore: what is open is closed, what is gone from the log is forgotten, because its position means another event
/// now, and nothing of before is sent.
pub(super) async fn begin_anew(
    conn: &mut PgConnection,
    resident: &Resident,
    (restored, now): (Restored, Timestamp),
) -> Result<Checkpoint, sqlx::Error> {
    sqlx::query!(
        "delete from deliveries.invocation where tenant_id = $1 and position > $2",
        resident.tenant_id().get(),
        restored.shortest.get(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update deliveries.invocation set is_open = false, leased_until = null, status = 'terminated', completed_at = $2
         where tenant_id = $1 and is_open",
        resident.tenant_id().get(),
        now.to_sqlx() as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update deliveries.checkpoint set position = $2, restore_id = $3 where tenant_id = $1",
        resident.tenant_id().get(),
        restored.end.get(),
        restored.restore.get(),
    )
    .execute(conn)
    .await?;
    Ok(Checkpoint { position: restored.end, restore: Some(restored.restore) })
}

/// Moves a checkpoint that is held.
pub(super) async fn advance(
    conn: &mut PgConnection,
    resident: &Resident,
    position: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update deliveries.checkpoint set position = $2 where tenant_id = $1",
        resident.tenant_id().get(),
        position.get(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that webhooks are to be told of events, unless that is noted already.
pub(super) async fn note(
    conn: &mut PgConnection,
    resident: &Resident,
    (noted, now): (&[Noted], Timestamp),
) -> Result<(), sqlx::Error> {
    if noted.is_empty() {
        return Ok(());
    }
    let webhooks: Vec<i64> = noted.iter().map(|one| one.webhook.get()).collect();
    let invocations: Vec<i64> = noted.iter().map(|one| one.position.child(0)).collect();
    let positions: Vec<i64> = noted.iter().map(|one| one.position.get()).collect();
    let closed: Vec<String> = noted.iter().map(|one| one.closed.unwrap_or_default().to_owned()).collect();
    sqlx::query!(
        "insert into deliveries.invocation
             (tenant_id, webhook_id, invocation_id, position, is_open, attempts, due_at, status, created_at, completed_at)
         select $1, webhook_id, invocation_id, position, closed = '', 0, $6::timestamptz, nullif(closed, ''), $6,
             case when closed <> '' then $6 end
         from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) as noted (webhook_id, invocation_id, position, closed)
         on conflict do nothing",
        resident.tenant_id().get(),
        &webhooks,
        &invocations,
        &positions,
        &closed,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The webhooks of a tenant with an open breaker, and of which one more may come, to see whether it is taken.
pub(super) async fn breakers(
    conn: &mut PgConnection,
    resident: &Resident,
    now: Timestamp,
) -> Result<HashMap<WebhookId, bool>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select webhook_id, until <= $2 and not exists (
               select from deliveries.invocation as waiting
               where waiting.tenant_id = $1 and waiting.webhook_id = breaker.webhook_id and waiting.is_open) as "takes_one!"
           from deliveries.breaker where tenant_id = $1"#,
        resident.tenant_id().get(),
        now.to_sqlx() as _,
    );
    let rows = rows.fetch_all(conn).await?.into_iter();
    Ok(rows.map(|row| (WebhookId::new(row.webhook_id), row.takes_one)).collect())
}

/// How many a tenant's webhooks were to be told since a moment, and were sent by hand; those that nobody was to be sent left out.
pub(super) async fn noted_since(
    conn: &mut PgConnection,
    resident: &Resident,
    since: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select (select count(*) from deliveries.invocation
                   where tenant_id = $1 and created_at > $2
                     and (status is null or status not in ('throttled', 'circuit broken')))
               + (select count(*) from deliveries.trial where tenant_id = $1 and tried_at > $2) as "count!""#,
        resident.tenant_id().get(),
        since.to_sqlx() as _,
    )
    .fetch_one(conn)
    .await
}

/// Counts something that is sent by hand.
pub(super) async fn count_one(conn: &mut PgConnection, resident: &Resident, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into deliveries.trial (tenant_id, tried_at) values ($1, $2)",
        resident.tenant_id().get(),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
