//! A ticket.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{moment, via};
use crate::{caller::Caller, read::tickets::Ticket};

/// Who is not known any more.
const NOBODY: i64 = -1;

/// Every account has one brand.
const ONLY_BRAND: i64 = 1;

/// The absolute address of a ticket.
pub(crate) fn url(caller: &Caller, ticket_id: i64) -> String {
    caller.origin.url(&format!("/api/v2/tickets/{ticket_id}.json"))
}

/// Where the ticket came in, and which one it goes on with.
fn came_by(row: &Ticket) -> Value {
    let mut via = via(&row.channel);
    if let Some(source) = row.followup_source_id {
        via["source"]["from"] = json!({"ticket_id": source});
        via["source"]["rel"] = json!("follow_up");
    }
    via
}

/// All who get copies of its mails or follow it.
fn collaborators(row: &Ticket) -> Vec<i64> {
    let mut people: Vec<i64> = row.email_cc_ids.iter().chain(&row.follower_ids).copied().collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// What exports tell of an erased ticket: that it is gone, and since when. Its words are those of the reference.
pub(crate) fn erased(caller: &Caller, ticket_id: i64, at: Timestamp) -> Value {
    let scrubbed = || "SCRUBBED".to_owned();
    let row = Ticket {
        ticket_id,
        subject: scrubbed(),
        description: scrubbed(),
        status: "deleted".to_owned(),
        requester_id: NOBODY,
        submitter_id: NOBODY,
        channel: "api".to_owned(),
        created_at: at,
        updated_at: at,
        ..Ticket::default()
    };
    ticket(caller, &row)
}

/// The ticket as the API shows it.
pub(crate) fn ticket(caller: &Caller, row: &Ticket) -> Value {
    let mut shown = shown(caller, row);
    // Who follows it, and what else it is about, is among those who work on it.
    if !caller.is_insider() {
        shown["follower_ids"] = json!([]);
        shown["collaborator_ids"] = json!(row.email_cc_ids);
        shown["problem_id"] = Value::Null;
        shown["has_incidents"] = json!(false);
    }
    shown
}

/// Every field there is, with what it holds.
fn custom_fields(row: &Ticket) -> Vec<Value> {
    let field = |id: &i64| json!({"id": id, "value": row.custom_fields[id.to_string()]});
    row.field_ids.iter().map(field).collect()
}

fn shown(caller: &Caller, row: &Ticket) -> Value {
    let fields = custom_fields(row);
    json!({
        "id": row.ticket_id,
        "url": url(caller, row.ticket_id),
        "external_id": row.external_id,
        "via": came_by(row),
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "type": row.ticket_type,
        "subject": row.subject,
        "raw_subject": row.subject,
        "description": row.description,
        "priority": row.priority,
        "status": row.status,
        "recipient": row.recipient,
        "requester_id": row.requester_id,
        "submitter_id": row.submitter_id,
        "assignee_id": row.assignee_id,
        "organization_id": null,
        "group_id": row.group_id,
        "collaborator_ids": collaborators(row),
        "follower_ids": row.follower_ids,
        "email_cc_ids": row.email_cc_ids,
        "forum_topic_id": null,
        "problem_id": row.problem_id,
        "has_incidents": row.has_incidents,
        "is_public": row.is_public,
        "due_at": row.due_at.map(|due_at| moment(due_at.to_jiff())),
        "tags": row.tags,
        "custom_fields": fields,
        "fields": fields,
        "satisfaction_rating": null,
        "sharing_agreement_ids": [],
        "followup_ids": row.followup_ids,
        "ticket_form_id": null,
        "custom_status_id": null,
        "brand_id": ONLY_BRAND,
        "allow_channelback": false,
        "allow_attachments": true,
        "from_messaging_channel": false,
    })
}
