//! What each command changed: entries `Create`, `Change`, `Comment` and those of people, as the projection `audits` keeps them.

use domain::{
    Aggregate,
    ticket::{Details, Ticket},
};
use jiff::Timestamp;
use schemas::{
    Actor, GroupId, PersonId, Position, TenantLogEvent, TicketId,
    ids::{audit_event_id, audit_id, comment_id},
    ticket::{CommentAdded, RuleApplied, TicketEvent},
    ticket_field::{FieldSet, FieldValue},
    values::{Channel, Visibility},
};
use serde_json::{Value, json};

use crate::read::{audits::Audit, log::Logged};

/// The audit of the command this event is the first of.
pub(super) fn begin(ticket: TicketId, first: &Logged) -> Audit {
    let author_id = match first.envelope.actor {
        Actor::Person(person) => Some(person.get()),
        Actor::System => None,
    };
    let channel = match &first.event {
        Some(TenantLogEvent::Ticket(TicketEvent::TicketOpened(opened))) => opened.channel,
        Some(TenantLogEvent::Ticket(TicketEvent::CommentAdded(added))) => added.channel,
        _ => Channel::Api,
    };
    Audit {
        audit_id: audit_id(first.position),
        ticket_id: ticket.get(),
        author_id,
        channel: channel.to_string(),
        events: json!([]),
        created_at: first.envelope.recorded_at,
    }
}

/// Adds what one event changed. The first audit of a ticket tells what its opening created, the later ones what changed.
pub(super) fn extend(
    audit: &mut Audit,
    position: Position,
    (before, after): (Option<&Details>, Option<&Details>),
    (event, is_opening): (&TicketEvent, bool),
) {
    let audit_id = audit.audit_id;
    let Value::Array(entries) = &mut audit.events else { return };
    if let TicketEvent::CommentAdded(added) = event {
        audit.channel = added.channel.to_string();
        entries.push(comment(position, added, audit_id));
        return;
    }
    if let TicketEvent::CustomFieldsSet(set) = event {
        let fields = set.fields.expose().iter().enumerate();
        entries.extend(fields.map(|(ordinal, set)| custom((position, ordinal), before, (set, is_opening))));
        return;
    }
    let Some(is) = after.map(attributes) else { return };
    let nothing = || is.clone().map(|(field, value)| (field, if value.is_array() { json!([]) } else { Value::Null }));
    let was = before.map_or_else(nothing, attributes);
    let changed = is.into_iter().zip(was).filter(|((_, is), (_, was))| is != was);
    for (ordinal, ((field, value), (_, previous))) in changed.enumerate() {
        let id = audit_event_id(position, u8::try_from(ordinal).unwrap_or(u8::MAX));
        if let Some(entry) = of_people(field, (&value, &previous), is_opening) {
            entries.push(with_id(id, entry));
            continue;
        }
        let same = |entry: &&mut Value| is_opening && entry["field_name"] == field;
        match entries.iter_mut().find(same) {
            Some(entry) => entry["value"] = value,
            None if is_opening => {
                entries.push(json!({"id": id, "type": "Create", "field_name": field, "value": value}));
            }
            None => entries.push(json!({
                "id": id, "type": "Change", "field_name": field, "value": value, "previous_value": previous,
            })),
        }
    }
}

/// What these events change on a ticket, as audits say it, but without ids: they are in no log.
pub(crate) fn changes(ticket: &Ticket, events: &[TicketEvent]) -> Vec<Value> {
    let (mut after, mut changes) = (ticket.clone(), Vec::new());
    for event in events {
        let mut audit = Audit {
            audit_id: 0,
            ticket_id: 0,
            author_id: None,
            channel: Channel::Api.to_string(),
            events: json!([]),
            created_at: Timestamp::UNIX_EPOCH,
        };
        let before = after.details().cloned();
        after.evolve(event);
        extend(&mut audit, Position::ZERO, (before.as_ref(), after.details()), (event, false));
        let Value::Array(entries) = audit.events else { continue };
        changes.extend(entries.into_iter().map(|mut entry| {
            entry.as_object_mut().map(|entry| entry.remove("id"));
            entry
        }));
    }
    changes
}

/// The rule that did something, as audits name it.
pub(super) fn via(applied: &RuleApplied) -> Value {
    let from = json!({"id": applied.rule, "title": applied.title.expose()});
    json!({"channel": "rule", "source": {"from": from, "to": {}, "rel": applied.kind}})
}

/// Says of the entries of one event which rule did it, if one did.
pub(super) fn name_rule(audit: &mut Audit, position: Position, via: Option<Value>) {
    let (Value::Array(entries), Some(via)) = (&mut audit.events, via) else { return };
    let first = audit_event_id(position, 0);
    for entry in entries.iter_mut().filter(|entry| entry["id"].as_i64().is_some_and(|id| id >= first)) {
        entry["via"] = via.clone();
    }
}

/// The entry of a field that the tenant made: a list stays one, everything else is text.
fn custom(
    (position, ordinal): (Position, usize),
    before: Option<&Details>,
    (FieldSet { field, value }, is_opening): (&FieldSet, bool),
) -> Value {
    let id = audit_event_id(position, u8::try_from(ordinal).unwrap_or(u8::MAX));
    let previous = before.and_then(|before| before.fields.expose().get(field));
    let (field, value) = (field.to_string(), shown(value.as_ref()));
    match is_opening {
        true => json!({"id": id, "type": "Create", "field_name": field, "value": value}),
        false => json!({
            "id": id, "type": "Change", "field_name": field, "value": value, "previous_value": shown(previous),
        }),
    }
}

fn shown(value: Option<&FieldValue>) -> Value {
    match value {
        None => Value::Null,
        Some(FieldValue::Many(values)) => json!(values),
        Some(FieldValue::Flag(flag)) => json!(flag.to_string()),
        Some(FieldValue::Integer(number)) => json!(number.to_string()),
        Some(FieldValue::Decimal(number)) => json!(number.to_string()),
        Some(FieldValue::Text(said)) => json!(said),
    }
}

/// The entry of a list of people: they are no field of a `Change`.
fn of_people(field: &str, (value, previous): (&Value, &Value), is_opening: bool) -> Option<Value> {
    match field {
        "email_cc_ids" if is_opening => Some(json!({"type": "Cc", "recipients": value})),
        "email_cc_ids" => {
            Some(json!({"type": "EmailCcChange", "previous_email_ccs": previous, "current_email_ccs": value}))
        }
        "follower_ids" => {
            Some(json!({"type": "FollowersChange", "previous_followers": previous, "current_followers": value}))
        }
        _ => None,
    }
}

fn with_id(id: i64, mut entry: Value) -> Value {
    entry["id"] = json!(id);
    entry
}

fn comment(position: Position, added: &CommentAdded, audit_id: i64) -> Value {
    json!({
        "id": comment_id(position),
        "type": "Comment",
        "author_id": added.author,
        "body": added.body.expose(),
        "html_body": added.html_body.expose(),
        "public": added.visibility == Visibility::Public,
        "attachments": added.attachments,
        "audit_id": audit_id,
    })
}

/// A ticket's attributes as audits write them: ids as strings, nothing as null, tags always a list.
fn attributes(details: &Details) -> [(&'static str, Value); 14] {
    let id = |id: Option<i64>| id.map(|id| id.to_string());
    [
        ("requester_id", json!(details.requester.to_string())),
        ("subject", json!(details.subject.expose())),
        ("status", json!(details.status)),
        ("priority", json!(details.priority)),
        ("type", json!(details.ticket_type)),
        ("assignee_id", json!(id(details.assignee.map(PersonId::get)))),
        ("group_id", json!(id(details.group.map(GroupId::get)))),
        ("external_id", json!(details.external_id.expose())),
        ("tags", json!(details.tags.expose())),
        ("due_at", json!(details.due_at.map(|due_at| due_at.to_string()))),
        ("problem_id", json!(id(details.problem.map(TicketId::get)))),
        ("email_cc_ids", json!(details.email_ccs)),
        ("follower_ids", json!(details.followers)),
        ("recipient", json!(details.recipient.expose())),
    ]
}
