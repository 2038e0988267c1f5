//! Audits, from the projection `audits`.

use jiff::Timestamp;
use regions::Resident;
use schemas::{Position, TicketId};
use sqlx::PgConnection;

use super::Window;

/// One audit: what one command changed on one ticket.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Audit {
    pub(crate) audit_id: i64,
    pub(crate) ticket_id: i64,
    pub(crate) author_id: Option<i64>,
    pub(crate) channel: String,
    pub(crate) events: serde_json::Value,
    pub(crate) created_at: Timestamp,
}

/// The ids of a window of a ticket's audits, oldest first.
pub(crate) async fn ids(
    conn: &mut PgConnection,
    resident: &Resident,
    ticket: TicketId,
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select audit_id as "audit_id!" from (
               (select audit_id from audit
                where tenant_id = $1 and ticket_id = $2 and $4::bigint is null and audit_id > $3
                order by audit_id limit $5 offset $6)
               union all
               (select audit_id from audit
                where tenant_id = $1 and ticket_id = $2 and audit_id < $4
                order by audit_id desc limit $5)
           ) as page order by audit_id"#,
        resident.tenant_id().get(),
        ticket.get(),
        window.after,
        window.before,
        window.limit,
        window.offset,
    )
    .fetch_all(conn)
    .await
}

/// How many audits a ticket has.
pub(crate) async fn count(conn: &mut PgConnection, resident: &Resident, ticket: TicketId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from audit where tenant_id = $1 and ticket_id = $2"#,
        resident.tenant_id().get(),
        ticket.get(),
    )
    .fetch_one(conn)
    .await
}

/// Those of these audits that are the ticket's, oldest first.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ticket: TicketId,
    ids: &[i64],
) -> Result<Vec<Audit>, sqlx::Error> {
    sqlx::query_as!(
        Audit,
        r#"select audit_id, ticket_id, author_id, channel, events, created_at as "created_at: jiff_sqlx::Timestamp"
           from audit where tenant_id = $1 and ticket_id = $2 and audit_id = any($3) order by audit_id"#,
        resident.tenant_id().get(),
        ticket.get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// The ids of a window of all tickets' audits, oldest first.
pub(crate) async fn ids_of_all(
    conn: &mut PgConnection,
    resident: &Resident,
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select audit_id as "audit_id!" from (
               (select audit_id from audit
                where tenant_id = $1 and $3::bigint is null and audit_id > $2
                order by audit_id limit $4 offset $5)
               union all
               (select audit_id from audit
                where tenant_id = $1 and audit_id < $3 order by audit_id desc limit $4)
           ) as page order by audit_id"#,
        resident.tenant_id().get(),
        window.after,
        window.before,
        window.limit,
        window.offset,
    )
    .fetch_all(conn)
    .await
}

/// How many audits there are.
pub(crate) async fn count_all(conn: &mut PgConnection, resident: &Resident) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from audit where tenant_id = $1"#, resident.tenant_id().get())
        .fetch_one(conn)
        .await
}

/// These audits, whichever tickets they are of, oldest first.
pub(crate) async fn of_any_ticket(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Audit>, sqlx::Error> {
    sqlx::query_as!(
        Audit,
        r#"select audit_id, ticket_id, author_id, channel, events, created_at as "created_at: jiff_sqlx::Timestamp"
           from audit where tenant_id = $1 and audit_id = any($2) order by audit_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// The audit of the command whose first event on the ticket has this position.
pub(crate) async fn at(
    conn: &mut PgConnection,
    resident: &Resident,
    ticket: TicketId,
    first: Position,
) -> Result<Option<Audit>, sqlx::Error> {
    Ok(many(conn, resident, ticket, &[schemas::ids::audit_id(first)]).await?.pop())
}
