//! Tickets, from the projection `ticket_list`. Deleted ones are as if they were not, but for [`deleted`].

use jiff::Timestamp;
use regions::Resident;
use schemas::{PersonId, TicketId};
use sqlx::PgConnection;

use super::{Sight, Window};

/// One ticket as lists and single answers show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) ticket_id: i64,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) status: String,
    pub(crate) priority: Option<String>,
    pub(crate) ticket_type: Option<String>,
    pub(crate) requester_id: i64,
    pub(crate) submitter_id: i64,
    pub(crate) assignee_id: Option<i64>,
    pub(crate) group_id: Option<i64>,
    pub(crate) tags: Vec<String>,
    pub(crate) channel: String,
    pub(crate) external_id: Option<String>,
    pub(crate) is_public: bool,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Which tickets a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter<'a> {
    /// Those in sight.
    pub(crate) sight: Sight,
    /// Of these, those with this id in another system.
    pub(crate) external_id: Option<&'a str>,
}

/// The ids of a window of the tickets that pass the filter.
pub(crate) async fn ids(
    conn: &mut PgConnection,
    resident: &Resident,
    filter: Filter<'_>,
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select ticket_id as "ticket_id!" from (
               (select ticket_id from ticket_list
                where tenant_id = $1 and $3::bigint is null and ticket_id > $2
                  and ($4::bigint is null or (requester_id = $4 and is_public)) and ($7::text is null or external_id = $7)
                  and deleted_at is null
                order by ticket_id limit $5 offset $6)
               union all
               (select ticket_id from ticket_list
                where tenant_id = $1 and ticket_id < $3
                  and ($4::bigint is null or (requester_id = $4 and is_public)) and ($7::text is null or external_id = $7)
                  and deleted_at is null
                order by ticket_id desc limit $5)
           ) as page order by ticket_id"#,
        resident.tenant_id().get(),
        window.after,
        window.before,
        filter.sight.requester(),
        window.limit,
        window.offset,
        filter.external_id,
    )
    .fetch_all(conn)
    .await
}

/// How many tickets pass the filter.
pub(crate) async fn count(
    conn: &mut PgConnection,
    resident: &Resident,
    filter: Filter<'_>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from ticket_list
           where tenant_id = $1 and ($2::bigint is null or (requester_id = $2 and is_public))
             and ($3::text is null or external_id = $3) and deleted_at is null"#,
        resident.tenant_id().get(),
        filter.sight.requester(),
        filter.external_id,
    )
    .fetch_one(conn)
    .await
}

/// Those of these tickets that exist and are in sight, by id.
///
/// A requester's description is the first comment the requester may read: the very first may be an internal note.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    sight: Sight,
    ids: &[i64],
) -> Result<Vec<Ticket>, sqlx::Error> {
    sqlx::query_as!(
        Ticket,
        r#"select ticket_id, subject, status, priority, ticket_type, requester_id, submitter_id, assignee_id, group_id,
                  tags, channel, external_id, is_public, version,
                  case when $2::bigint is null then description else coalesce(
                      (select comment.body from comment
                       where comment.tenant_id = $1 and comment.ticket_id = ticket_list.ticket_id and comment.is_public
                       order by comment.comment_id limit 1), '') end as "description!",
                  created_at as "created_at: jiff_sqlx::Timestamp", updated_at as "updated_at: jiff_sqlx::Timestamp"
           from ticket_list
           where tenant_id = $1 and ticket_id = any($3) and ($2::bigint is null or (requester_id = $2 and is_public))
                 and deleted_at is null
           order by ticket_id"#,
        resident.tenant_id().get(),
        sight.requester(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// One ticket, if it exists and is in sight.
pub(crate) async fn one(
    conn: &mut PgConnection,
    resident: &Resident,
    sight: Sight,
    ticket: TicketId,
) -> Result<Option<Ticket>, sqlx::Error> {
    Ok(many(conn, resident, sight, &[ticket.get()]).await?.pop())
}

/// Those of these numbers that are tickets', deleted ones among them.
pub(crate) async fn known(conn: &mut PgConnection, resident: &Resident, ids: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select ticket_id from ticket_list where tenant_id = $1 and ticket_id = any($2)",
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// How many of a person's tickets are neither closed nor deleted.
pub(crate) async fn unclosed_of(
    conn: &mut PgConnection,
    resident: &Resident,
    requester: PersonId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from ticket_list
           where tenant_id = $1 and requester_id = $2 and status <> 'closed' and deleted_at is null"#,
        resident.tenant_id().get(),
        requester.get(),
    )
    .fetch_one(conn)
    .await
}

/// A deleted ticket, as the list of those shows it.
pub(crate) struct Deleted {
    pub(crate) ticket_id: i64,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) status: String,
    pub(crate) deleted_at: Timestamp,
    pub(crate) deleted_by: Option<i64>,
    pub(crate) actor: Option<String>,
}

/// The ids of a window of the deleted tickets.
pub(crate) async fn deleted_ids(
    conn: &mut PgConnection,
    resident: &Resident,
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select ticket_id as "ticket_id!" from (
               (select ticket_id from ticket_list
                where tenant_id = $1 and deleted_at is not null and $3::bigint is null and ticket_id > $2
                order by ticket_id limit $4 offset $5)
               union all
               (select ticket_id from ticket_list
                where tenant_id = $1 and deleted_at is not null and ticket_id < $3 order by ticket_id desc limit $4)
           ) as page order by ticket_id"#,
        resident.tenant_id().get(),
        window.after,
        window.before,
        window.limit,
        window.offset,
    )
    .fetch_all(conn)
    .await
}

/// How many tickets are deleted.
pub(crate) async fn count_deleted(conn: &mut PgConnection, resident: &Resident) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from ticket_list where tenant_id = $1 and deleted_at is not null"#,
        resident.tenant_id().get()
    )
    .fetch_one(conn)
    .await
}

/// These deleted tickets, by id, with the name of whoever deleted them.
pub(crate) async fn deleted(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Deleted>, sqlx::Error> {
    sqlx::query_as!(
        Deleted,
        r#"select ticket_id, subject, description, status, deleted_by,
                  ticket_list.deleted_at as "deleted_at!: jiff_sqlx::Timestamp", person.name as "actor?"
           from ticket_list
           left join person on person.tenant_id = $1 and person.person_id = ticket_list.deleted_by
           where ticket_list.tenant_id = $1 and ticket_id = any($2) and ticket_list.deleted_at is not null
           order by ticket_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}
