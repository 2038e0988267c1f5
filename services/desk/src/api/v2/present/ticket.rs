//! A ticket.

use serde_json::{Value, json};

use super::{moment, via};
use crate::{caller::Caller, read::tickets::Ticket};

/// Every account has one brand.
const ONLY_BRAND: i64 = 1;

/// The absolute address of a ticket.
pub(crate) fn url(caller: &Caller, ticket_id: i64) -> String {
    caller.origin.url(&format!("/api/v2/tickets/{ticket_id}.json"))
}

/// The ticket as the API shows it.
pub(crate) fn ticket(caller: &Caller, row: &Ticket) -> Value {
    json!({
        "id": row.ticket_id,
        "url": url(caller, row.ticket_id),
        "external_id": row.external_id,
        "via": via(&row.channel),
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "type": row.ticket_type,
        "subject": row.subject,
        "raw_subject": row.subject,
        "description": row.description,
        "priority": row.priority,
        "status": row.status,
        "recipient": null,
        "requester_id": row.requester_id,
        "submitter_id": row.submitter_id,
        "assignee_id": row.assignee_id,
        "organization_id": null,
        "group_id": row.group_id,
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "forum_topic_id": null,
        "problem_id": null,
        "has_incidents": false,
        "is_public": row.is_public,
        "due_at": null,
        "tags": row.tags,
        "custom_fields": [],
        "fields": [],
        "satisfaction_rating": null,
        "sharing_agreement_ids": [],
        "followup_ids": [],
        "ticket_form_id": null,
        "custom_status_id": null,
        "brand_id": ONLY_BRAND,
        "allow_channelback": false,
        "allow_attachments": true,
        "from_messaging_channel": false,
    })
}
