//! The projection `ticket_metrics`: one row a ticket, when things happened to it and how long they took.
//!
//! It holds moments and durations as of the ticket's own events: nothing in it moves because time goes by, so that it can be made again.
//! Who asks how long something has been so asks with a moment of their own. The projection knows no roles: whoever answers a requester
//! in public and is not that requester is somebody who works on tickets.

mod row;

use std::collections::{BTreeMap, HashSet};

use jiff_sqlx::{Timestamp, ToSqlx};
use regions::Resident;
use schemas::{
    PersonId, StreamName, TenantId, TenantLogEvent, TicketId,
    ticket::{CommentAdded, RuleApplied, TicketEvent, TicketImported},
    values::{RuleKind, Status, Visibility},
};
use sqlx::types::Json;

use self::row::{Automated, Metric, load};
use crate::{
    batch::{Applied, Payload},
    build::OpenBuild,
    error::{ApplyError, Missing},
    projections::{Projection, apply_span, on_tickets, person_of},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "ticket_metrics",
    shape: 1,
    tables_sql: include_str!("../../sql/ticket_metrics/tables.sql"),
    indexes_sql: include_str!("../../sql/ticket_metrics/indexes.sql"),
    tables: &[Table { name: "ticket_metric", key: "ticket_id" }],
    reads: |stream| matches!(stream, StreamName::Ticket(_)),
    passes_over: &[],
    span: || apply_span!("projection.ticket_metrics.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    let wanted = on_tickets(events);
    let mut metrics = load(build, tenant, &wanted).await?;
    let known: HashSet<TicketId> = metrics.keys().copied().collect();
    let mut erased = Vec::new();
    for (id, event) in wanted {
        if event.envelope.event_type == "ticket_erased" {
            metrics.remove(&id);
            erased.push(id.get());
            continue;
        }
        take(&mut metrics, id, event)?;
    }
    let is_known = |metric: &Metric| known.contains(&TicketId::new(metric.ticket_id));
    let (changed, new): (Vec<_>, Vec<_>) = metrics.into_values().partition(is_known);
    build.put(&changed).await?;
    build.add(&new).await?;
    remove(build, tenant, &erased).await
}

async fn remove(build: &mut OpenBuild, tenant: TenantId, erased: &[i64]) -> Result<(), ApplyError> {
    if !erased.is_empty() {
        sqlx::query!("delete from ticket_metric where tenant_id = $1 and ticket_id = any($2)", tenant.get(), erased)
            .execute(build)
            .await?;
    }
    Ok(())
}

fn take(metrics: &mut BTreeMap<TicketId, Metric>, id: TicketId, event: &Applied) -> Result<(), Missing> {
    let at = event.envelope.recorded_at.to_sqlx();
    let actor = person_of(event.envelope.actor);
    if event.envelope.event_type == "ticket_opened" {
        metrics.insert(id, opened(id, event));
    }
    let metric = metrics.get_mut(&id).ok_or(Missing::Ticket(id))?;
    metric.version = event.envelope.version.get();
    metric.updated_at = at;
    if let Payload::Event(TenantLogEvent::Ticket(ticket_event)) = &event.payload {
        metric.change(event, ticket_event);
    }
    if actor == Some(metric.requester_id) {
        metric.requester_updated_at = Some(metric.updated_at);
    }
    if actor.is_some() && actor == metric.assignee_id {
        metric.assignee_updated_at = Some(metric.updated_at);
    }
    Ok(())
}

impl Metric {
    fn change(&mut self, applied: &Applied, event: &TicketEvent) {
        let at = applied.envelope.recorded_at.to_sqlx();
        match event {
            TicketEvent::StatusSet(event) => self.set_status(event.status, at),
            TicketEvent::AssigneeSet(event) => self.assign(event.assignee, at),
            TicketEvent::GroupSet(event) => {
                self.group_id = event.group.map(schemas::GroupId::get);
                self.group_stations += i32::from(event.group.is_some());
            }
            TicketEvent::RequesterSet(event) => self.requester_id = event.requester.get(),
            TicketEvent::CommentAdded(comment) => self.comment(applied, comment),
            TicketEvent::TicketImported(imported) => self.import(imported),
            TicketEvent::RuleApplied(applied) => self.automate(applied, at),
            TicketEvent::TicketOpened(_)
            | TicketEvent::PrioritySet(_)
            | TicketEvent::TypeSet(_)
            | TicketEvent::TagsSet(_)
            | TicketEvent::SubjectSet(_)
            | TicketEvent::ExternalIdSet(_)
            | TicketEvent::DueSet(_)
            | TicketEvent::ProblemSet(_)
            | TicketEvent::EmailCcsSet(_)
            | TicketEvent::FollowersSet(_)
            | TicketEvent::CustomFieldsSet(_)
            | TicketEvent::RecipientNoted(_)
            | TicketEvent::FollowupLinked(_)
            | TicketEvent::TicketDeleted(_)
            | TicketEvent::TicketRestored(_)
            | TicketEvent::TicketErased(_) => {}
        }
    }

    /// What it waited for until now is over. Clocks of desks differ: nothing took less than no time.
    fn set_status(&mut self, status: Status, at: Timestamp) {
        let seconds = at.to_jiff().duration_since(self.status_updated_at.to_jiff()).as_secs().max(0);
        match self.status.parse() {
            Ok(Status::New | Status::Open) => self.requester_wait_seconds += seconds,
            Ok(Status::Hold) => {
                self.requester_wait_seconds += seconds;
                self.hold_seconds += seconds;
            }
            Ok(Status::Pending) => self.agent_wait_seconds += seconds,
            Ok(Status::Solved | Status::Closed) | Err(_) => {}
        }
        let was_solved = is_done(&self.status);
        status.as_str().clone_into(&mut self.status);
        self.status_updated_at = at;
        // What is closed after it was solved was solved then.
        match (was_solved, is_done(&self.status)) {
            (false, true) => {
                self.solved_at = Some(at);
                self.first_solved_at.get_or_insert(at);
            }
            (true, false) => self.reopens += 1,
            (true, true) | (false, false) => {}
        }
    }

    fn assign(&mut self, assignee: Option<PersonId>, at: Timestamp) {
        self.assignee_id = assignee.map(PersonId::get);
        self.assigned_at = assignee.map(|_| at);
        if assignee.is_some() {
            self.initially_assigned_at.get_or_insert(at);
            self.assignee_stations += 1;
        }
    }

    fn comment(&mut self, applied: &Applied, comment: &CommentAdded) {
        let at = applied.envelope.recorded_at.to_sqlx();
        self.latest_comment_added_at = Some(at);
        let is_reply = comment.visibility == Visibility::Public
            && comment.author.get() != self.requester_id
            && !applied.is_of_opening_command();
        if is_reply {
            self.replies += 1;
            self.first_replied_at.get_or_insert(at);
        }
    }

    /// What the opening command has said of it happened elsewhere, and then.
    fn import(&mut self, imported: &TicketImported) {
        self.created_at = imported.created_at.to_sqlx();
        self.updated_at = imported.updated_at.to_sqlx();
        self.latest_comment_added_at = imported.said_at.iter().max().map(|said_at| said_at.to_sqlx());
        if self.assignee_id.is_some() {
            (self.assigned_at, self.initially_assigned_at) = (Some(self.created_at), Some(self.created_at));
        }
        let solved_at = is_done(&self.status).then(|| imported.solved_at.unwrap_or(imported.updated_at).to_sqlx());
        (self.solved_at, self.first_solved_at) = (solved_at, solved_at);
        self.status_updated_at = solved_at.unwrap_or(self.updated_at);
    }

    fn automate(&mut self, applied: &RuleApplied, at: Timestamp) {
        if applied.kind == RuleKind::Automation {
            self.automated.0.insert(applied.rule.get().to_string(), at.to_jiff().as_second());
            self.automation_updates += 1;
        }
    }
}

fn is_done(status: &str) -> bool {
    [Status::Solved, Status::Closed].iter().any(|done| done.as_str() == status)
}

/// Of one whose content is gone nothing is known, and nobody works on it: it is closed.
fn opened(id: TicketId, applied: &Applied) -> Metric {
    let at = applied.envelope.recorded_at.to_sqlx();
    let blank = Metric {
        ticket_id: id.get(),
        version: applied.envelope.version.get(),
        status: Status::Closed.to_string(),
        requester_id: person_of(applied.envelope.actor).unwrap_or_default(),
        assignee_id: None,
        group_id: None,
        created_at: at,
        updated_at: at,
        status_updated_at: at,
        initially_assigned_at: None,
        assigned_at: None,
        requester_updated_at: None,
        assignee_updated_at: None,
        latest_comment_added_at: None,
        first_replied_at: None,
        first_solved_at: None,
        solved_at: None,
        replies: 0,
        reopens: 0,
        group_stations: 0,
        assignee_stations: 0,
        requester_wait_seconds: 0,
        agent_wait_seconds: 0,
        hold_seconds: 0,
        automated: Json(Automated::new()),
        automation_updates: 0,
    };
    let Some(TenantLogEvent::Ticket(TicketEvent::TicketOpened(event))) = applied.event() else { return blank };
    let mut metric = Metric {
        status: Status::New.to_string(),
        requester_id: event.requester.get(),
        group_id: event.group.map(schemas::GroupId::get),
        group_stations: i32::from(event.group.is_some()),
        ..blank
    };
    if event.assignee.is_some() {
        metric.assign(event.assignee, at);
    }
    metric
}
