//! Audits, from the projection `audits`.

use jiff::Timestamp;
use regions::Resident;
use schemas::{Position, TicketId};
use sqlx::PgConnection;

use super::List;

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

/// Audits, of one ticket or of all, oldest first.
pub(crate) fn list(of: Option<TicketId>) -> List {
    List::new(("audit", "audit_id"), move |statement| {
        if let Some(ticket) = of {
            statement.push(" and audit.ticket_id = ").push_bind(ticket.get());
        }
    })
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
