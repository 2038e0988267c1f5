//! What is measured of a ticket.

use jiff_sqlx::Timestamp;
use serde_json::{Value, json};

use super::moment;
use crate::{caller::Caller, read::ticket_metrics::Metric};

/// What is measured as the API shows it. It goes by the ticket's own number. There are no business hours, so nothing is known in them.
pub(crate) fn metric(caller: &Caller, row: &Metric) -> Value {
    let shown = |at: Option<Timestamp>| at.map(|at| moment(at.to_jiff()));
    let until = |at: Option<Timestamp>| at.map(|at| seconds(row.created_at, at));
    json!({
        "id": row.ticket_id,
        "url": caller.origin.url(&format!("/api/v2/ticket_metrics/{}.json", row.ticket_id)),
        "ticket_id": row.ticket_id,
        "created_at": moment(row.created_at.to_jiff()),
        "updated_at": moment(row.updated_at.to_jiff()),
        "group_stations": row.group_stations,
        "assignee_stations": row.assignee_stations,
        "reopens": row.reopens,
        "replies": row.replies,
        "assignee_updated_at": shown(row.assignee_updated_at),
        "requester_updated_at": shown(row.requester_updated_at),
        "status_updated_at": moment(row.status_updated_at.to_jiff()),
        // There are no statuses but the product's own.
        "custom_status_updated_at": moment(row.status_updated_at.to_jiff()),
        "initially_assigned_at": shown(row.initially_assigned_at),
        "assigned_at": shown(row.assigned_at),
        "solved_at": shown(row.solved_at),
        "latest_comment_added_at": shown(row.latest_comment_added_at),
        "reply_time_in_minutes": minutes(until(row.first_replied_at)),
        "reply_time_in_seconds": {"calendar": until(row.first_replied_at)},
        "first_resolution_time_in_minutes": minutes(until(row.first_solved_at)),
        "full_resolution_time_in_minutes": minutes(until(row.solved_at)),
        "agent_wait_time_in_minutes": minutes(Some(row.agent_wait_seconds)),
        "requester_wait_time_in_minutes": minutes(Some(row.requester_wait_seconds)),
        "on_hold_time_in_minutes": minutes(Some(row.hold_seconds)),
    })
}

/// Clocks of desks differ: nothing took less than no time.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.to_jiff().duration_since(from.to_jiff()).as_secs().max(0)
}

fn minutes(seconds: Option<i64>) -> Value {
    json!({"calendar": seconds.map(|seconds| seconds / 60), "business": null})
}
