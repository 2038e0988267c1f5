//! The tables of `deliveries`: how far logs were looked through, what is to be told, and what became of it.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{Position, RestoreId, TenantId, WebhookId};
use serde_json::Value;
use sqlx::PgConnection;

use super::attempt::Ended;
use crate::state::Desk;

/// How many rows are deleted at a time.
const FORGOTTEN_AT_A_TIME: i32 = 10_000;

/// An invocation, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) tenant: TenantId,
    pub(super) webhook: WebhookId,
    pub(super) invocation: i64,
}

/// One that was taken: nobody else has it for a while.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) position: Position,
    /// Which attempt this is, from 1.
    pub(super) number: i32,
    pub(super) created_at: Timestamp,
}

/// How far a log was looked through, and of which restore that is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) position: i64,
    pub(super) restore: Option<RestoreId>,
}

/// What a webhook was answered lately.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lately {
    pub(super) attempts: i64,
    pub(super) failures: i64,
    pub(super) last_at: Option<Timestamp>,
    pub(super) has_last_failed: bool,
    pub(super) running: i64,
}

/// Tenants whose logs have something new.
pub(super) async fn behind(desk: &Desk) -> Result<Vec<TenantId>, sqlx::Error> {
    let rows = sqlx::query_scalar!(r#"select tenant_id as "tenant_id!" from deliveries.behind()"#);
    Ok(rows.fetch_all(&desk.pool).await?.into_iter().map(TenantId::new).collect())
}

/// What may be sent now.
pub(super) async fn due(
    desk: &Desk,
    (at_most, of_webhook, of_tenant): (i32, i32, i32),
) -> Result<Vec<Key>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", webhook_id as "webhook_id!", invocation_id as "invocation_id!"
           from deliveries.due($1, $2, $3, $4)"#,
        desk.clock.now().to_sqlx() as _,
        at_most,
        of_webhook,
        of_tenant,
    );
    let rows = rows.fetch_all(&desk.pool).await?.into_iter();
    Ok(rows
        .map(|row| Key {
            tenant: TenantId::new(row.tenant_id),
            webhook: WebhookId::new(row.webhook_id),
            invocation: row.invocation_id,
        })
        .collect())
}

/// Deletes what was told before a moment.
pub(super) async fn forget(desk: &Desk, before: Timestamp) -> Result<(), sqlx::Error> {
    let forgotten = sqlx::query_scalar!("select deliveries.forget($1, $2)", before.to_sqlx() as _, FORGOTTEN_AT_A_TIME);
    forgotten.fetch_one(&desk.pool).await.map(drop)
}

/// How far a tenant's log was looked through.
pub(super) async fn checkpoint(
    conn: &mut PgConnection,
    resident: &Resident,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let row = sqlx::query!(
        "select position, restore_id from deliveries.checkpoint where tenant_id = $1",
        resident.tenant_id().get()
    );
    let row = row.fetch_optional(conn).await?;
    Ok(row.map(|row| Checkpoint { position: row.position, restore: row.restore_id.map(RestoreId::new) }))
}

/// The newest restore of a tenant's log, and where the log ended then.
pub(super) async fn restored(conn: &mut PgConnection, resident: &Resident) -> Result<Option<Checkpoint>, sqlx::Error> {
    let row = sqlx::query!(
        "select restore_id, new_end from log.restored where tenant_id = $1 order by restored_at desc, restore_id desc limit 1",
        resident.tenant_id().get()
    );
    let row = row.fetch_optional(conn).await?;
    Ok(row.map(|row| Checkpoint { position: row.new_end, restore: Some(RestoreId::new(row.restore_id)) }))
}

/// Begins anew after a restore: what is open is closed, and nothing of before is sent.
pub(super) async fn begin_anew(
    conn: &mut PgConnection,
    resident: &Resident,
    (at, now): (Checkpoint, Timestamp),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update deliveries.invocation set is_open = false, status = 'terminated', completed_at = $2
         where tenant_id = $1 and is_open",
        resident.tenant_id().get(),
        now.to_sqlx() as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into deliveries.checkpoint (tenant_id, position, restore_id) values ($1, $2, $3)
         on conflict (tenant_id) do update set position = excluded.position, restore_id = excluded.restore_id",
        resident.tenant_id().get(),
        at.position,
        at.restore.map(RestoreId::get),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves the checkpoint forward, never back: two desks may look through the same log.
pub(super) async fn advance(
    conn: &mut PgConnection,
    resident: &Resident,
    position: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into deliveries.checkpoint (tenant_id, position) values ($1, $2)
         on conflict (tenant_id) do update set position = excluded.position
         where checkpoint.position < excluded.position",
        resident.tenant_id().get(),
        position.get(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a webhook is to be told of the event at a position, unless that is noted already. `throttled`: it is one too many, and closed.
pub(super) async fn note(
    conn: &mut PgConnection,
    resident: &Resident,
    (webhook, position): (WebhookId, Position),
    (now, is_throttled): (Timestamp, bool),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into deliveries.invocation
             (tenant_id, webhook_id, invocation_id, position, is_open, attempts, due_at, status, created_at, completed_at)
         values ($1, $2, $3, $4, not $6::boolean, 0, $5::timestamptz, case when $6 then 'throttled' end, $5, case when $6 then $5 end)
         on conflict do nothing",
        resident.tenant_id().get(),
        webhook.get(),
        position.child(0),
        position.get(),
        now.to_sqlx() as _,
        is_throttled,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many a tenant's webhooks were to be told since a moment, those that were too many left out.
pub(super) async fn noted_since(
    conn: &mut PgConnection,
    resident: &Resident,
    since: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from deliveries.invocation
           where tenant_id = $1 and created_at > $2 and status is distinct from 'throttled'"#,
        resident.tenant_id().get(),
        since.to_sqlx() as _,
    )
    .fetch_one(conn)
    .await
}

/// Takes an invocation for a while, if nobody has it.
pub(super) async fn lease(
    conn: &mut PgConnection,
    key: Key,
    (now, until): (Timestamp, Timestamp),
) -> Result<Option<Lease>, sqlx::Error> {
    let row = sqlx::query!(
        r#"update deliveries.invocation set leased_until = $5, attempts = attempts + 1
           where tenant_id = $1 and webhook_id = $2 and invocation_id = $3 and is_open and due_at <= $4
             and (leased_until is null or leased_until <= $4)
           returning position, attempts, created_at as "created_at: jiff_sqlx::Timestamp""#,
        key.tenant.get(),
        key.webhook.get(),
        key.invocation,
        now.to_sqlx() as _,
        until.to_sqlx() as _,
    );
    let row = row.fetch_optional(conn).await?;
    Ok(row.map(|row| Lease {
        position: Position::new(row.position),
        number: row.attempts,
        created_at: row.created_at.to_jiff(),
    }))
}

/// Puts off what is due, without an attempt.
pub(super) async fn put_off(conn: &mut PgConnection, key: Key, due_at: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update deliveries.invocation set due_at = $4
         where tenant_id = $1 and webhook_id = $2 and invocation_id = $3 and is_open",
        key.tenant.get(),
        key.webhook.get(),
        key.invocation,
        due_at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a webhook was answered since a moment.
pub(super) async fn lately(
    conn: &mut PgConnection,
    key: Key,
    (since, now): (Timestamp, Timestamp),
) -> Result<Lately, sqlx::Error> {
    let row = sqlx::query!(
        r#"select count(*) as "attempts!", count(*) filter (where status <> 'success') as "failures!",
               max(completed_at) as "last_at: jiff_sqlx::Timestamp",
               coalesce((array_agg(status order by completed_at desc, invocation_id desc, number desc))[1] <> 'success', false)
                   as "has_last_failed!",
               (select count(*) from deliveries.invocation
                where tenant_id = $1 and webhook_id = $2 and is_open and leased_until > $4) as "running!"
           from deliveries.attempt
           where tenant_id = $1 and webhook_id = $2 and completed_at > $3 and status in ('success', 'failed')"#,
        key.tenant.get(),
        key.webhook.get(),
        since.to_sqlx() as _,
        now.to_sqlx() as _,
    );
    let row = row.fetch_one(conn).await?;
    Ok(Lately {
        attempts: row.attempts,
        failures: row.failures,
        last_at: row.last_at.map(jiff_sqlx::Timestamp::to_jiff),
        has_last_failed: row.has_last_failed,
        running: row.running,
    })
}

/// Records what became of an attempt, and when the next one may begin. Whoever has it no more, because its while was over, records the
/// attempt and leaves the rest to who has it now.
pub(super) async fn record(
    conn: &mut PgConnection,
    (key, number): (Key, i32),
    (ended, next): (&Ended, Option<Timestamp>),
) -> Result<(), sqlx::Error> {
    let at = ended.at.to_sqlx();
    sqlx::query!(
        "insert into deliveries.attempt
             (tenant_id, webhook_id, invocation_id, number, status, status_code, detail, policy_version, headers, body, completed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
        key.tenant.get(),
        key.webhook.get(),
        key.invocation,
        number,
        ended.status,
        ended.status_code.map(i32::from),
        ended.detail,
        i32::try_from(ended.policy_version).unwrap_or(i32::MAX),
        headers(ended),
        ended.body.replace('\0', "\u{fffd}"),
        at as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update deliveries.invocation
         set is_open = $5::timestamptz is not null, due_at = coalesce($5, due_at), leased_until = null, status = $6,
             status_code = $7, completed_at = $8
         where tenant_id = $1 and webhook_id = $2 and invocation_id = $3 and attempts = $4 and is_open",
        key.tenant.get(),
        key.webhook.get(),
        key.invocation,
        number,
        next.map(ToSqlx::to_sqlx) as _,
        ended.status,
        ended.status_code.map(i32::from),
        at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn headers(ended: &Ended) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    let pairs = ended.headers.iter();
    pairs.map(|(name, value)| serde_json::json!({"key": name.as_str(), "value": text(value.as_bytes())})).collect()
}
