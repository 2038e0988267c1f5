//! What a server is told of an event: made from the log alone, as things were right after it. So it is the same at every attempt, and
//! what was erased meanwhile is in none.

use domain::{
    Aggregate,
    organization::Organization,
    person::Person,
    ticket::{Details, Ticket},
    webhook::Kind,
};
use regions::Resident;
use schemas::{EventId, PersonId, Position, StreamName, TenantLogEvent, ids::comment_id, values::Role};
use serde_json::{Value, json};

use crate::{
    api::v2::present::moment,
    read::log::{self, Logged},
    state::Desk,
};

/// The version of the shape, as the reference calls it.
const SHAPE: &str = "2022-11-06";

/// What is told.
pub(crate) struct Payload {
    /// The event's id: the same whenever it is told.
    pub(crate) event: EventId,
    /// What it is told as.
    pub(crate) kind: Kind,
    /// The text.
    pub(crate) body: String,
}

/// What is told of the event at a position; nothing, if it does not open any more.
pub(crate) async fn told_again(
    desk: &Desk,
    resident: &Resident,
    position: Position,
) -> Result<Option<Payload>, log::Error> {
    let page = log::page(desk, resident, Position::new(position.get() - 1), 1).await?;
    let Some(logged) = page.into_iter().next() else { return Ok(None) };
    let Some(kind) = logged.event.as_ref().and_then(Kind::of) else { return Ok(None) };
    let envelope = &logged.envelope;
    let stream = log::stream_until(desk, resident, (&envelope.stream, envelope.version)).await?;
    let until: Vec<&Logged> = stream.iter().collect();
    let Some((mut event, detail)) = said(kind, &logged, &until) else { return Ok(None) };
    event["meta"] = json!({"sequence": {"id": envelope.stream.to_string(), "position": envelope.version.get()}});
    let subject = match &envelope.stream {
        StreamName::Ticket(ticket) => format!("zen:ticket:{ticket}"),
        StreamName::Person(person) => format!("zen:user:{person}"),
        StreamName::Organization(organization) => format!("zen:organization:{organization}"),
        _ => return Ok(None),
    };
    let body = json!({
        "account_id": resident.tenant_id(),
        "id": envelope.event_id,
        "type": kind.name(),
        "subject": subject,
        "time": moment(envelope.recorded_at),
        "zendesk_event_version": SHAPE,
        "event": event,
        "detail": detail,
    });
    Ok(Some(Payload { event: envelope.event_id, kind, body: body.to_string() }))
}

/// The state after events, and before the last of them.
fn states<A: Aggregate>(events: &[&Logged]) -> (A, A) {
    let picked: Vec<A::Event> = events.iter().filter_map(|logged| A::pick(logged.event.clone()?)).collect();
    let before = picked.split_last().map(|(_, before)| A::after(before)).unwrap_or_default();
    (before, A::after(&picked))
}

/// What happened, and what it happened to.
fn said(kind: Kind, logged: &Logged, until: &[&Logged]) -> Option<(Value, Value)> {
    match logged.event.as_ref()? {
        TenantLogEvent::Ticket(_) => {
            let (before, after) = states::<Ticket>(until);
            of_ticket(kind, logged, (before.details(), after.details()), until)
        }
        TenantLogEvent::Person(_) => {
            let (before, after) = states::<Person>(until);
            let (old, new) = (before.profile(), after.profile());
            let name = |profile: Option<&domain::person::Profile>| profile.map(|it| it.name.expose().clone());
            let role = |profile: Option<&domain::person::Profile>| profile.map(|it| word(it.role.as_str()));
            let event = match kind {
                Kind::UserRenamed => change(name(old), name(new)),
                Kind::RoleChanged => change(role(old), role(new)),
                _ => json!({}),
            };
            let shown = new.or(old);
            let details = json!({
                "id": subject_id(logged),
                "email": shown.and_then(|it| it.email.expose().clone()).unwrap_or_default(),
                "role": shown.map(|it| it.role.as_str()).unwrap_or_default(),
                "created_at": created_at(until),
                "updated_at": moment(logged.envelope.recorded_at),
            });
            Some((event, details))
        }
        TenantLogEvent::Organization(_) => {
            let (before, after) = states::<Organization>(until);
            let name = |state: &Organization| state.profile().map(|profile| profile.name.expose().clone());
            let event = match kind {
                Kind::OrganizationRenamed => change(name(&before), name(&after)),
                _ => json!({}),
            };
            let details = json!({
                "id": subject_id(logged),
                "name": name(&after).or_else(|| name(&before)).unwrap_or_default(),
                "created_at": created_at(until),
                "updated_at": moment(logged.envelope.recorded_at),
            });
            Some((event, details))
        }
        _ => None,
    }
}

fn of_ticket(
    kind: Kind,
    logged: &Logged,
    (before, after): (Option<&Details>, Option<&Details>),
    until: &[&Logged],
) -> Option<(Value, Value)> {
    let id = |id: Option<i64>| id.map(|id| id.to_string());
    let both = |of: &dyn Fn(&Details) -> Option<String>| change(before.and_then(of), after.and_then(of));
    let event = match (kind, logged.event.as_ref()?) {
        (Kind::CommentAdded, TenantLogEvent::Ticket(schemas::ticket::TicketEvent::CommentAdded(added))) => {
            json!({"comment": {
                "id": comment_id(logged.position).to_string(),
                "body": added.body.expose(),
                "is_public": added.visibility == schemas::values::Visibility::Public,
                "author": {"id": added.author.get().to_string()},
            }})
        }
        (Kind::StatusChanged, _) => both(&|it| Some(word(it.status.as_str()))),
        (Kind::PriorityChanged, _) => both(&|it| it.priority.map(|it| word(it.as_str()))),
        (Kind::TypeChanged, _) => both(&|it| it.ticket_type.map(|it| word(it.as_str()))),
        (Kind::SubjectChanged, _) => both(&|it| Some(it.subject.expose().clone())),
        (Kind::AssigneeChanged, _) => both(&|it| id(it.assignee.map(PersonId::get))),
        (Kind::GroupChanged, _) => both(&|it| id(it.group.map(schemas::GroupId::get))),
        (Kind::RequesterChanged, _) => both(&|it| id(Some(it.requester.get()))),
        (Kind::ExternalIdChanged, _) => both(&|it| it.external_id.expose().clone()),
        (Kind::ProblemChanged, _) => both(&|it| id(it.problem.map(schemas::TicketId::get))),
        (Kind::TagsChanged, _) => {
            let tags = |details: Option<&Details>| details.map(|it| it.tags.expose().clone()).unwrap_or_default();
            let (old, new) = (tags(before), tags(after));
            let without = |some: &[String], others: &[String]| {
                some.iter().filter(|tag| !others.contains(tag)).cloned().collect::<Vec<_>>()
            };
            json!({"tags_added": without(&new, &old), "tags_removed": without(&old, &new)})
        }
        _ => json!({}),
    };
    // Of an erased ticket nothing is left to tell but that it was.
    let Some(details) = after.or(before).filter(|_| kind != Kind::TicketErased) else {
        return Some((event, json!({"id": subject_id(logged)})));
    };
    let or_zero = |id: Option<i64>| id.unwrap_or_default().to_string();
    let actor = match logged.envelope.actor {
        schemas::Actor::Person(person) => person.get(),
        schemas::Actor::System => 0,
    };
    let details = json!({
        "id": subject_id(logged),
        "subject": details.subject.expose(),
        "status": word(details.status.as_str()),
        "priority": details.priority.map(|it| word(it.as_str())),
        "type": details.ticket_type.map(|it| word(it.as_str())),
        "requester_id": details.requester.get().to_string(),
        "submitter_id": details.submitter.get().to_string(),
        "assignee_id": or_zero(details.assignee.map(PersonId::get)),
        "group_id": or_zero(details.group.map(schemas::GroupId::get)),
        "actor_id": actor.to_string(),
        "external_id": details.external_id.expose().clone().unwrap_or_default(),
        "tags": details.tags.expose(),
        "is_public": details.is_public,
        "via": {"channel": details.channel.as_str()},
        "created_at": created_at(until),
        "updated_at": moment(logged.envelope.recorded_at),
    });
    Some((event, details))
}

fn change(old: Option<String>, new: Option<String>) -> Value {
    json!({"current": new, "previous": old})
}

/// Words are in capitals here.
fn word(word: &str) -> String {
    if word == Role::EndUser.as_str() { word.to_owned() } else { word.to_ascii_uppercase() }
}

fn subject_id(logged: &Logged) -> String {
    let stream = logged.envelope.stream.to_string();
    stream.rsplit_once('-').map(|(_, id)| id.to_owned()).unwrap_or_default()
}

fn created_at(until: &[&Logged]) -> Value {
    until.first().map_or(Value::Null, |first| json!(moment(first.envelope.recorded_at)))
}
