//! Comments, from the projection `ticket_thread`.

use jiff::Timestamp;
use regions::Resident;
use schemas::TicketId;
use sqlx::PgConnection;

use super::{Sight, Window};

/// One comment.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) comment_id: i64,
    pub(crate) audit_id: i64,
    pub(crate) author_id: i64,
    pub(crate) is_public: bool,
    pub(crate) body: String,
    pub(crate) html_body: Option<String>,
    pub(crate) attachment_ids: Vec<i64>,
    pub(crate) channel: String,
    pub(crate) created_at: Timestamp,
}

/// The ids of a window of a ticket's comments, oldest first; a requester's window holds public ones only.
pub(crate) async fn ids(
    conn: &mut PgConnection,
    resident: &Resident,
    (ticket, sight): (TicketId, Sight),
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select comment_id as "comment_id!" from (
               (select comment_id from comment
                where tenant_id = $1 and ticket_id = $2 and $4::bigint is null and comment_id > $3 and ($5 or is_public)
                order by comment_id limit $6 offset $7)
               union all
               (select comment_id from comment
                where tenant_id = $1 and ticket_id = $2 and comment_id < $4 and ($5 or is_public)
                order by comment_id desc limit $6)
           ) as page order by comment_id"#,
        resident.tenant_id().get(),
        ticket.get(),
        window.after,
        window.before,
        sight == Sight::Everything,
        window.limit,
        window.offset,
    )
    .fetch_all(conn)
    .await
}

/// How many comments of a ticket are in sight.
pub(crate) async fn count(
    conn: &mut PgConnection,
    resident: &Resident,
    ticket: TicketId,
    sight: Sight,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from comment where tenant_id = $1 and ticket_id = $2 and ($3 or is_public)"#,
        resident.tenant_id().get(),
        ticket.get(),
        sight == Sight::Everything,
    )
    .fetch_one(conn)
    .await
}

/// How many comments each of these tickets has.
pub(crate) async fn counts(
    conn: &mut PgConnection,
    resident: &Resident,
    tickets: &[i64],
) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select ticket_id, count(*) as "count!" from comment
           where tenant_id = $1 and ticket_id = any($2) group by ticket_id"#,
        resident.tenant_id().get(),
        tickets,
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(|row| (row.ticket_id, row.count)).collect())
}

/// These comments, oldest first. The ids come from [`ids`], which looked at who may see them.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Comment>, sqlx::Error> {
    sqlx::query_as!(
        Comment,
        r#"select comment_id, audit_id, author_id, is_public, body, html_body, attachment_ids, channel,
                  created_at as "created_at: jiff_sqlx::Timestamp"
           from comment where tenant_id = $1 and comment_id = any($2) order by comment_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}
