//! The tables of `deliveries`: what is due, what became of it, and whom the breaker keeps from being asked.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{Position, TenantId, WebhookId};
use serde_json::Value;
use sqlx::PgConnection;

use super::attempt::Ended;
use crate::state::Desk;

/// How much of an answer's body is kept, in bytes.
const BODY_BYTES_MAX: usize = 4096;
/// How many of its headers, and how many bytes of them.
const HEADERS_MAX: usize = 32;
const HEADERS_BYTES_MAX: usize = 8192;

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

/// What a webhook was answered lately.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lately {
    pub(super) attempts: i64,
    pub(super) failures: i64,
    /// Whether its breaker is.
    pub(super) is_open: bool,
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

/// Closes what waits since before a moment, so much at a time. How much that was.
pub(super) async fn give_up(
    desk: &Desk,
    (now, before): (Timestamp, Timestamp),
    at_a_time: i32,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select deliveries.give_up($1, $2, $3) as "count!""#,
        now.to_sqlx() as _,
        before.to_sqlx() as _,
        at_a_time
    )
    .fetch_one(&desk.pool)
    .await
}

/// Deletes what was told before a moment, and what was answered before it, so much at a time. How much that was, of what there was most.
pub(super) async fn forget(desk: &Desk, before: Timestamp, at_a_time: i32) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select deliveries.forget($1, $2) as "count!""#, before.to_sqlx() as _, at_a_time)
        .fetch_one(&desk.pool)
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

/// What a webhook was answered since a moment, and whether its breaker is open.
pub(super) async fn lately(conn: &mut PgConnection, key: Key, since: Timestamp) -> Result<Lately, sqlx::Error> {
    sqlx::query_as!(
        Lately,
        r#"select count(*) as "attempts!", count(*) filter (where status <> 'success') as "failures!",
               exists (select from deliveries.breaker where tenant_id = $1 and webhook_id = $2) as "is_open!"
           from deliveries.attempt
           where tenant_id = $1 and webhook_id = $2 and completed_at > $3 and status in ('success', 'failed')"#,
        key.tenant.get(),
        key.webhook.get(),
        since.to_sqlx() as _,
    )
    .fetch_one(conn)
    .await
}

/// Opens a webhook's breaker until a moment.
pub(super) async fn open_breaker(conn: &mut PgConnection, key: Key, until: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into deliveries.breaker (tenant_id, webhook_id, until) values ($1, $2, $3)
         on conflict (tenant_id, webhook_id) do update set until = greatest(breaker.until, excluded.until)",
        key.tenant.get(),
        key.webhook.get(),
        until.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes it: an attempt was taken.
pub(super) async fn close_breaker(conn: &mut PgConnection, key: Key) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from deliveries.breaker where tenant_id = $1 and webhook_id = $2",
        key.tenant.get(),
        key.webhook.get(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records what became of an attempt, and when the next one may begin. Whoever has it no more, because its while was over, records the
/// attempt and leaves the rest to who has it now; of what went with a log that was brought back, nothing is recorded.
pub(super) async fn record(
    conn: &mut PgConnection,
    (key, lease): (Key, Lease),
    (ended, next): (&Ended, Option<Timestamp>),
) -> Result<(), sqlx::Error> {
    let at = ended.at.to_sqlx();
    sqlx::query!(
        "insert into deliveries.attempt
             (tenant_id, webhook_id, invocation_id, number, status, status_code, detail, policy_version, headers, body, sent_at,
              completed_at)
         select tenant_id, webhook_id, invocation_id, $4, $5, $6, $7, $8, $9, $10, $11, $12 from deliveries.invocation
         where tenant_id = $1 and webhook_id = $2 and invocation_id = $3 and attempts >= $4 and created_at = $13
         on conflict do nothing",
        key.tenant.get(),
        key.webhook.get(),
        key.invocation,
        lease.number,
        ended.status,
        ended.status_code.map(i32::from),
        ended.detail,
        i32::try_from(ended.policy_version).unwrap_or(i32::MAX),
        headers(&ended.headers),
        beginning(&ended.body),
        ended.sent_at.map(ToSqlx::to_sqlx) as _,
        at as _,
        lease.created_at.to_sqlx() as _,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update deliveries.invocation
         set is_open = $5::timestamptz is not null, due_at = coalesce($5, due_at), leased_until = null, status = $6,
             status_code = $7, completed_at = $8
         where tenant_id = $1 and webhook_id = $2 and invocation_id = $3 and attempts = $4 and is_open and created_at = $9",
        key.tenant.get(),
        key.webhook.get(),
        key.invocation,
        lease.number,
        next.map(ToSqlx::to_sqlx) as _,
        ended.status,
        ended.status_code.map(i32::from),
        at as _,
        lease.created_at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// As much of an answer as is kept.
fn beginning(body: &str) -> String {
    body[..body.floor_char_boundary(BODY_BYTES_MAX)].replace('\0', "\u{fffd}")
}

/// As many of its headers: the first, until they are too many or too long together.
fn headers(headers: &HeaderMap) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    let mut left = HEADERS_BYTES_MAX;
    let fits = |(name, value): &(&HeaderName, &HeaderValue)| {
        let rest = left.checked_sub(name.as_str().len() + value.len());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    let kept = headers.iter().take(HEADERS_MAX).take_while(fits);
    kept.map(|(name, value)| serde_json::json!({"key": name.as_str(), "value": text(value.as_bytes())})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_only_the_beginning_is_kept() {
        assert_eq!(beginning(&"x".repeat(100_000)).len(), BODY_BYTES_MAX);
        assert_eq!(beginning(&"é".repeat(100_000)).len(), BODY_BYTES_MAX, "in whole letters");
        assert_eq!(beginning(&format!("x{}", "é".repeat(100_000))).len(), BODY_BYTES_MAX - 1);
        let many = |count: usize, length: usize| {
            let header = |number: usize| {
                let name: HeaderName = format!("x-{number}").parse().expect("a name");
                (name, HeaderValue::from_str(&"v".repeat(length)).expect("a value"))
            };
            headers(&(0..count).map(header).collect()).as_array().map(Vec::len)
        };
        assert_eq!((many(3, 10), many(90, 10)), (Some(3), Some(HEADERS_MAX)));
        assert_eq!((many(9, 2000), many(2, 60_000)), (Some(4), Some(0)), "and 8 KiB of them");
    }
}
