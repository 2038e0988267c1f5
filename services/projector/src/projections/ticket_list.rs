//! The projection `ticket_list`: one row a ticket, as lists and single answers show it.

use std::collections::{BTreeMap, HashSet};

use jiff_sqlx::{Timestamp, ToSqlx};
use regions::Resident;
use schemas::{
    StreamName, TenantId, TenantLogEvent, TicketId,
    ticket::{CommentAdded, TicketEvent, TicketOpened},
    ticket_field::FieldSet,
    values::{Channel, Status, Visibility},
};
use serde_json::{Value, json};
use sqlx::error::BoxDynError;

use crate::{
    batch::{Applied, Payload},
    build::{Columns, OpenBuild, Row},
    error::{ApplyError, Missing},
    projections::{ERASED, Projection, apply_span, column, existing, on_tickets, person_of},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "ticket_list",
    shape: 1,
    tables_sql: include_str!("../../sql/ticket_list/tables.sql"),
    indexes_sql: include_str!("../../sql/ticket_list/indexes.sql"),
    tables: &[Table { name: "ticket_list", key: "ticket_id" }],
    reads: |stream| matches!(stream, StreamName::Ticket(_)),
    passes_over: &[],
    span: || apply_span!("projection.ticket_list.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

struct Ticket {
    ticket_id: i64,
    subject: String,
    description: String,
    status: String,
    priority: Option<String>,
    ticket_type: Option<String>,
    requester_id: i64,
    submitter_id: i64,
    assignee_id: Option<i64>,
    group_id: Option<i64>,
    tags: Vec<String>,
    channel: String,
    external_id: Option<String>,
    is_public: bool,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: Option<Timestamp>,
    deleted_by: Option<i64>,
    due_at: Option<Timestamp>,
    problem_id: Option<i64>,
    email_cc_ids: Vec<i64>,
    follower_ids: Vec<i64>,
    recipient: Option<String>,
    followup_source_id: Option<i64>,
    custom_fields: Value,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    let wanted = on_tickets(events);
    let mut tickets = load(build, tenant, &wanted).await?;
    let known: HashSet<TicketId> = tickets.keys().copied().collect();
    let mut erased = Vec::new();
    for (id, event) in wanted {
        // What the ticket was is gone, here too: as in a build that never saw it.
        if event.envelope.event_type == "ticket_erased" {
            tickets.remove(&id);
            erased.push(id.get());
            continue;
        }
        take(&mut tickets, id, event)?;
    }
    let (changed, new): (Vec<_>, Vec<_>) = tickets.into_values().partition(|ticket| ticket.is_among(&known));
    build.put(&changed).await?;
    build.add(&new).await?;
    remove(build, tenant, &erased).await
}

async fn remove(build: &mut OpenBuild, tenant: TenantId, erased: &[i64]) -> Result<(), ApplyError> {
    if !erased.is_empty() {
        sqlx::query!("delete from ticket_list where tenant_id = $1 and ticket_id = any($2)", tenant.get(), erased)
            .execute(build)
            .await?;
    }
    Ok(())
}

fn take(tickets: &mut BTreeMap<TicketId, Ticket>, id: TicketId, event: &Applied) -> Result<(), Missing> {
    if event.envelope.event_type == "ticket_opened" {
        tickets.insert(id, opened(id, event));
    }
    let ticket = tickets.get_mut(&id).ok_or(Missing::Ticket(id))?;
    ticket.version = event.envelope.version.get();
    ticket.updated_at = event.envelope.recorded_at.to_sqlx();
    match &event.payload {
        Payload::Event(TenantLogEvent::Ticket(ticket_event)) => ticket.change(event, ticket_event),
        Payload::Erased if event.envelope.event_type == "comment_added" => ticket.describe(event, ERASED),
        Payload::Event(_) | Payload::Erased | Payload::Unwanted | Payload::Unreadable(_) => {}
    }
    Ok(())
}

impl Ticket {
    fn is_among(&self, tickets: &HashSet<TicketId>) -> bool {
        tickets.contains(&TicketId::new(self.ticket_id))
    }

    fn change(&mut self, applied: &Applied, event: &TicketEvent) {
        match event {
            TicketEvent::TicketOpened(_) | TicketEvent::TicketErased(_) | TicketEvent::RuleApplied(_) => {}
            TicketEvent::TicketImported(event) => {
                (self.created_at, self.updated_at) = (event.created_at.to_sqlx(), event.updated_at.to_sqlx());
            }
            TicketEvent::TicketDeleted(_) => {
                self.deleted_at = Some(applied.envelope.recorded_at.to_sqlx());
                self.deleted_by = person_of(applied.envelope.actor);
            }
            TicketEvent::TicketRestored(_) => (self.deleted_at, self.deleted_by) = (None, None),
            TicketEvent::CommentAdded(comment) => self.comment(applied, comment),
            TicketEvent::StatusSet(event) => event.status.as_str().clone_into(&mut self.status),
            TicketEvent::PrioritySet(event) => self.priority = event.priority.map(|value| value.to_string()),
            TicketEvent::TypeSet(event) => self.ticket_type = event.ticket_type.map(|value| value.to_string()),
            TicketEvent::AssigneeSet(event) => self.assignee_id = event.assignee.map(schemas::PersonId::get),
            TicketEvent::GroupSet(event) => self.group_id = event.group.map(schemas::GroupId::get),
            TicketEvent::TagsSet(event) => self.tags.clone_from(event.tags.expose()),
            TicketEvent::ExternalIdSet(event) => self.external_id.clone_from(event.external_id.expose()),
            TicketEvent::RequesterSet(event) => self.requester_id = event.requester.get(),
            TicketEvent::DueSet(event) => self.due_at = event.due_at.map(|due_at| due_at.to_sqlx()),
            TicketEvent::ProblemSet(event) => self.problem_id = event.problem.map(TicketId::get),
            TicketEvent::EmailCcsSet(event) => self.email_cc_ids = column(&event.people, |person| person.get()),
            TicketEvent::FollowersSet(event) => self.follower_ids = column(&event.people, |person| person.get()),
            TicketEvent::CustomFieldsSet(event) => self.set_fields(event.fields.expose()),
            TicketEvent::RecipientNoted(event) => self.recipient = Some(event.recipient.expose().clone()),
            TicketEvent::FollowupLinked(event) => self.followup_source_id = Some(event.source.get()),
            TicketEvent::SubjectSet(event) => self.subject.clone_from(event.subject.expose()),
        }
    }

    fn set_fields(&mut self, set: &[FieldSet]) {
        let Value::Object(fields) = &mut self.custom_fields else { return };
        for FieldSet { field, value } in set {
            match value {
                Some(value) => fields.insert(field.to_string(), json!(value)),
                None => fields.remove(&field.to_string()),
            };
        }
    }

    fn comment(&mut self, applied: &Applied, comment: &CommentAdded) {
        self.is_public |= comment.visibility == Visibility::Public;
        self.describe(applied, comment.body.expose());
    }

    /// The description is the first comment, which the opening command brings along.
    fn describe(&mut self, applied: &Applied, body: &str) {
        if applied.is_of_opening_command() && self.description.is_empty() {
            body.clone_into(&mut self.description);
        }
    }
}

fn opened(id: TicketId, applied: &Applied) -> Ticket {
    let at = applied.envelope.recorded_at.to_sqlx();
    let blank = Ticket {
        ticket_id: id.get(),
        subject: ERASED.to_owned(),
        description: String::new(),
        // Nobody can work on a ticket whose content is gone.
        status: Status::Closed.to_string(),
        priority: None,
        ticket_type: None,
        requester_id: person_of(applied.envelope.actor).unwrap_or_default(),
        submitter_id: person_of(applied.envelope.actor).unwrap_or_default(),
        assignee_id: None,
        group_id: None,
        tags: Vec::new(),
        channel: Channel::Api.to_string(),
        external_id: None,
        is_public: false,
        version: applied.envelope.version.get(),
        created_at: at,
        updated_at: at,
        deleted_at: None,
        deleted_by: None,
        due_at: None,
        problem_id: None,
        email_cc_ids: Vec::new(),
        follower_ids: Vec::new(),
        recipient: None,
        followup_source_id: None,
        custom_fields: json!({}),
    };
    match applied.event() {
        Some(TenantLogEvent::Ticket(TicketEvent::TicketOpened(event))) => with_content(blank, event),
        _ => blank,
    }
}

fn with_content(blank: Ticket, event: &TicketOpened) -> Ticket {
    Ticket {
        subject: event.subject.expose().clone(),
        status: Status::New.to_string(),
        priority: event.priority.map(|value| value.to_string()),
        ticket_type: event.ticket_type.map(|value| value.to_string()),
        requester_id: event.requester.get(),
        submitter_id: event.submitter.get(),
        assignee_id: event.assignee.map(schemas::PersonId::get),
        group_id: event.group.map(schemas::GroupId::get),
        tags: event.tags.expose().clone(),
        channel: event.channel.to_string(),
        external_id: event.external_id.expose().clone(),
        ..blank
    }
}

async fn load(
    build: &mut OpenBuild,
    tenant: TenantId,
    wanted: &[(TicketId, &Applied)],
) -> Result<BTreeMap<TicketId, Ticket>, sqlx::Error> {
    let ids = existing(wanted);
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let tickets = sqlx::query_as!(
        Ticket,
        r#"select ticket_id, subject, description, status, priority, ticket_type, requester_id, submitter_id, assignee_id,
                  group_id, tags, channel, external_id, is_public, version,
                  created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp",
                  deleted_at as "deleted_at: Timestamp", deleted_by, due_at as "due_at: Timestamp", problem_id,
                  email_cc_ids, follower_ids, recipient, followup_source_id, custom_fields
           from ticket_list where tenant_id = $1 and ticket_id = any($2)"#,
        tenant.get(),
        &ids,
    )
    .fetch_all(build)
    .await?;
    Ok(tickets.into_iter().map(|ticket| (TicketId::new(ticket.ticket_id), ticket)).collect())
}

impl Row for Ticket {
    const TABLE: &'static str = "ticket_list";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("ticket_id", self.ticket_id)?;
        to.value("subject", self.subject.as_str())?;
        to.value("description", self.description.as_str())?;
        to.value("status", self.status.as_str())?;
        to.value("priority", self.priority.as_deref())?;
        to.value("ticket_type", self.ticket_type.as_deref())?;
        to.value("requester_id", self.requester_id)?;
        to.value("submitter_id", self.submitter_id)?;
        to.value("assignee_id", self.assignee_id)?;
        to.value("group_id", self.group_id)?;
        to.list("tags", &self.tags)?;
        to.value("channel", self.channel.as_str())?;
        to.value("external_id", self.external_id.as_deref())?;
        to.value("is_public", self.is_public)?;
        to.value("version", self.version)?;
        to.value("created_at", self.created_at)?;
        to.value("updated_at", self.updated_at)?;
        to.value("deleted_at", self.deleted_at)?;
        to.value("deleted_by", self.deleted_by)?;
        to.value("due_at", self.due_at)?;
        to.value("problem_id", self.problem_id)?;
        to.list("email_cc_ids", &self.email_cc_ids)?;
        to.list("follower_ids", &self.follower_ids)?;
        to.value("recipient", self.recipient.as_deref())?;
        to.value("followup_source_id", self.followup_source_id)?;
        to.value("custom_fields", &self.custom_fields)
    }
}
