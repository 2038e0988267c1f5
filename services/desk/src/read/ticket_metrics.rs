//! When things happened to tickets and how long they took, from the projection `ticket_metrics`.

use jiff_sqlx::Timestamp;
use regions::Resident;
use sqlx::PgConnection;

use super::List;

/// What is measured of one ticket.
pub(crate) struct Metric {
    pub(crate) ticket_id: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) status_updated_at: Timestamp,
    pub(crate) initially_assigned_at: Option<Timestamp>,
    pub(crate) assigned_at: Option<Timestamp>,
    pub(crate) requester_updated_at: Option<Timestamp>,
    pub(crate) assignee_updated_at: Option<Timestamp>,
    pub(crate) latest_comment_added_at: Option<Timestamp>,
    pub(crate) first_replied_at: Option<Timestamp>,
    pub(crate) first_solved_at: Option<Timestamp>,
    pub(crate) solved_at: Option<Timestamp>,
    pub(crate) replies: i32,
    pub(crate) reopens: i32,
    pub(crate) group_stations: i32,
    pub(crate) assignee_stations: i32,
    pub(crate) requester_wait_seconds: i64,
    pub(crate) agent_wait_seconds: i64,
    pub(crate) hold_seconds: i64,
}

/// All tickets that are there: by their numbers, pages by offset the newest first.
pub(crate) fn list() -> List {
    List::new(("ticket_metric", "ticket_id"), |statement| {
        statement.push(
            " and exists (select from ticket_list where ticket_list.tenant_id = ticket_metric.tenant_id \
             and ticket_list.ticket_id = ticket_metric.ticket_id and ticket_list.deleted_at is null)",
        );
    })
    .ordered("ticket_metric.created_at desc, ticket_metric.ticket_id desc".to_owned())
}

/// What is measured of these tickets, by their numbers.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Metric>, sqlx::Error> {
    sqlx::query_as!(
        Metric,
        r#"select ticket_id, created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp",
                  status_updated_at as "status_updated_at: Timestamp",
                  initially_assigned_at as "initially_assigned_at: Timestamp",
                  assigned_at as "assigned_at: Timestamp",
                  requester_updated_at as "requester_updated_at: Timestamp",
                  assignee_updated_at as "assignee_updated_at: Timestamp",
                  latest_comment_added_at as "latest_comment_added_at: Timestamp",
                  first_replied_at as "first_replied_at: Timestamp",
                  first_solved_at as "first_solved_at: Timestamp", solved_at as "solved_at: Timestamp",
                  replies, reopens, group_stations, assignee_stations, requester_wait_seconds, agent_wait_seconds, hold_seconds
           from ticket_metric where tenant_id = $1 and ticket_id = any($2) order by ticket_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}
