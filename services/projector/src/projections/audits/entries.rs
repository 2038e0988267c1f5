//! Entries of an audit, as the API shows them: `Create`, `Change`, `Comment`, and who gets copies or follows. Ids are numbers in a
//! comment and in a list of people, and text in a field's value; tags are a list; everything else is text or null.

use std::borrow::Cow;

use schemas::{
    AttachmentId, TenantLogEvent, ids,
    ticket::{CommentAdded, RuleApplied, TicketEvent, TicketOpened},
    ticket_field::{FieldSet, FieldValue},
    values::{Channel, Status, Visibility},
};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::{
    batch::{Applied, Payload},
    projections::{ERASED, person_of},
};

/// The name of a field; the id, of one that the tenant made.
pub(super) type FieldName = Cow<'static, str>;

/// One of the things that a command did, and the rule that did it, if it was not whoever gave the command.
#[derive(Serialize)]
pub(super) struct Entry<'event> {
    /// What was done.
    #[serde(flatten)]
    pub(super) deed: Deed<'event>,
    /// By which rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) via: Option<Via<'event>>,
}

/// A rule that did something.
#[derive(Clone, Copy)]
pub(super) struct Via<'event>(&'event RuleApplied);

impl Serialize for Via<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RuleApplied { rule, kind, title, .. } = self.0;
        let from = json!({"id": rule, "title": title.expose()});
        json!({"channel": "rule", "source": {"from": from, "to": {}, "rel": kind}}).serialize(serializer)
    }
}

/// What was done.
#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Deed<'event> {
    /// A field was set when the ticket was opened.
    Create { id: i64, field_name: FieldName, value: Value },
    /// A field was changed.
    Change { id: i64, field_name: FieldName, value: Value, previous_value: Value },
    /// Who gets copies, when the ticket was opened.
    Cc { id: i64, recipients: Value },
    /// Who gets copies changed.
    EmailCcChange { id: i64, previous_email_ccs: Value, current_email_ccs: Value },
    /// Who follows changed.
    FollowersChange { id: i64, previous_followers: Value, current_followers: Value },
    /// Somebody said something. `html_body` is null unless the author sent HTML, and `attachments` are ids: addresses and
    /// rendering belong to whoever answers a request.
    Comment {
        id: i64,
        author_id: Option<i64>,
        body: &'event str,
        html_body: Option<&'event str>,
        public: bool,
        attachments: &'event [AttachmentId],
        audit_id: i64,
    },
}

/// Who gets copies: a list, and no field of a `Change`.
pub(super) const EMAIL_CCS: &str = "email_cc_ids";
/// Who follows: a list, and no field of a `Change`.
pub(super) const FOLLOWERS: &str = "follower_ids";

/// What a field holds before it was ever set.
pub(super) fn nothing(field: &str) -> Value {
    if matches!(field, "tags" | EMAIL_CCS | FOLLOWERS) { json!([]) } else { Value::Null }
}

/// The entry of a comment.
pub(super) fn comment(applied: &Applied, audit_id: i64) -> Deed<'_> {
    let content = content(applied);
    let author = content.map_or_else(|| person_of(applied.envelope.actor), |content| Some(content.author.get()));
    Deed::Comment {
        id: ids::comment_id(applied.position),
        author_id: author,
        body: content.map_or(ERASED, |content| content.body.expose()),
        html_body: content.and_then(|content| content.html_body.expose().as_deref()),
        public: content.is_some_and(|content| content.visibility == Visibility::Public),
        attachments: content.map_or(&[], |content| &content.attachments),
        audit_id,
    }
}

/// The rule whose doing the next events are, and how many of them.
pub(super) fn rule(applied: &Applied) -> Option<(Via<'_>, u32)> {
    match applied.event() {
        Some(TenantLogEvent::Ticket(TicketEvent::RuleApplied(event))) => Some((Via(event), event.changes)),
        _ => None,
    }
}

/// Where the event came in, if it says so.
pub(super) fn channel(applied: &Applied) -> Option<Channel> {
    match applied.event() {
        Some(TenantLogEvent::Ticket(TicketEvent::TicketOpened(event))) => Some(event.channel),
        Some(TenantLogEvent::Ticket(TicketEvent::CommentAdded(event))) => Some(event.channel),
        _ => None,
    }
}

/// The fields an event sets, and their values.
pub(super) fn fields(applied: &Applied) -> Vec<(FieldName, Value)> {
    let own = match &applied.payload {
        Payload::Event(TenantLogEvent::Ticket(TicketEvent::CustomFieldsSet(event))) => {
            return event.fields.expose().iter().map(custom).collect();
        }
        Payload::Event(TenantLogEvent::Ticket(event)) => fields_of(event),
        Payload::Erased => erased(&applied.envelope.event_type),
        Payload::Event(_) | Payload::Unwanted | Payload::Unreadable(_) => Vec::new(),
    };
    own.into_iter().map(|(field, value)| (field.into(), value)).collect()
}

/// A field that the tenant made: a list stays one, everything else is text.
fn custom(FieldSet { field, value }: &FieldSet) -> (FieldName, Value) {
    let value = match value {
        None => Value::Null,
        Some(FieldValue::Many(values)) => json!(values),
        Some(FieldValue::Flag(flag)) => text(flag),
        Some(FieldValue::Integer(number)) => text(number),
        Some(FieldValue::Decimal(number)) => text(number),
        Some(FieldValue::Text(said)) => text(said),
    };
    (field.to_string().into(), value)
}

const fn content(applied: &Applied) -> Option<&CommentAdded> {
    match applied.event() {
        Some(TenantLogEvent::Ticket(TicketEvent::CommentAdded(comment))) => Some(comment),
        _ => None,
    }
}

fn fields_of(event: &TicketEvent) -> Vec<(&'static str, Value)> {
    match event {
        TicketEvent::TicketOpened(event) => opened(event),
        TicketEvent::CommentAdded(_)
        | TicketEvent::CustomFieldsSet(_)
        | TicketEvent::FollowupLinked(_)
        | TicketEvent::RuleApplied(_)
        | TicketEvent::TicketImported(_)
        | TicketEvent::TicketDeleted(_)
        | TicketEvent::TicketRestored(_)
        | TicketEvent::TicketErased(_) => Vec::new(),
        TicketEvent::StatusSet(event) => vec![("status", text(event.status))],
        TicketEvent::PrioritySet(event) => vec![("priority", optional(event.priority))],
        TicketEvent::TypeSet(event) => vec![("type", optional(event.ticket_type))],
        TicketEvent::AssigneeSet(event) => vec![("assignee_id", optional(event.assignee))],
        TicketEvent::GroupSet(event) => vec![("group_id", optional(event.group))],
        TicketEvent::TagsSet(event) => vec![("tags", json!(event.tags.expose()))],
        TicketEvent::ExternalIdSet(event) => vec![("external_id", optional(event.external_id.expose().as_deref()))],
        TicketEvent::RequesterSet(event) => vec![("requester_id", text(event.requester))],
        TicketEvent::DueSet(event) => vec![("due_at", optional(event.due_at))],
        TicketEvent::ProblemSet(event) => vec![("problem_id", optional(event.problem))],
        TicketEvent::EmailCcsSet(event) => vec![(EMAIL_CCS, json!(event.people))],
        TicketEvent::FollowersSet(event) => vec![(FOLLOWERS, json!(event.people))],
        TicketEvent::RecipientNoted(event) => vec![("recipient", text(event.recipient.expose()))],
        TicketEvent::SubjectSet(event) => vec![("subject", text(event.subject.expose()))],
    }
}

/// One field each of what was set: the API leaves out what was not.
fn opened(event: &TicketOpened) -> Vec<(&'static str, Value)> {
    let mut fields = vec![
        ("requester_id", text(event.requester)),
        ("subject", text(event.subject.expose())),
        ("status", text(Status::New)),
        ("priority", optional(event.priority)),
        ("type", optional(event.ticket_type)),
        ("assignee_id", optional(event.assignee)),
        ("group_id", optional(event.group)),
        ("external_id", optional(event.external_id.expose().as_deref())),
    ];
    if !event.tags.expose().is_empty() {
        fields.push(("tags", json!(event.tags.expose())));
    }
    fields.retain(|(_, value)| !value.is_null());
    fields
}

/// That something was set is known; what, no longer is.
fn erased(event_type: &str) -> Vec<(&'static str, Value)> {
    let field = match event_type {
        "ticket_opened" | "subject_set" => "subject",
        "status_set" => "status",
        "priority_set" => "priority",
        "type_set" => "type",
        "assignee_set" => "assignee_id",
        "group_set" => "group_id",
        "external_id_set" => "external_id",
        "requester_set" => "requester_id",
        "due_set" => "due_at",
        "problem_set" => "problem_id",
        "recipient_noted" => "recipient",
        "email_ccs_set" => return vec![(EMAIL_CCS, json!([]))],
        "followers_set" => return vec![(FOLLOWERS, json!([]))],
        "tags_set" => return vec![("tags", json!([ERASED]))],
        _ => return Vec::new(),
    };
    vec![(field, text(ERASED))]
}

fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

fn optional(value: Option<impl ToString>) -> Value {
    value.map_or(Value::Null, text)
}
