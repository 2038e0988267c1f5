//! A ticket straight from its events: for a moment of the past, and for an answer the read models do not have yet.
//!
//! The attributes come from the rules' own fold; what a reader sees around them (description, comments, audits) is added
//! here, in the rows the read models would hold.

mod audit;

pub(crate) use self::audit::changes;

use domain::{
    Aggregate,
    ticket::{Details, Ticket},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{
    Position, StreamName, TenantLogEvent, TicketId, Version,
    ids::{audit_id, comment_id},
    ticket::{CommentAdded, TicketEvent},
    values::Visibility,
};

use serde_json::{Value, json};

use crate::{
    problem::ApiError,
    read::{self, Sight, audits::Audit, comments::Comment, log::Logged},
    state::Desk,
};

/// A ticket after some of its events.
#[derive(Clone)]
pub(crate) struct Fold {
    ticket: Ticket,
    /// The stream's version.
    pub(crate) version: Version,
    /// Where in the tenant's log the last of its events is.
    pub(crate) position: Position,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// The comments, oldest first; those whose key was destroyed are gone.
    pub(crate) comments: Vec<Comment>,
    audits: Vec<Audit>,
    last_command: Option<schemas::CommandId>,
    /// The rule whose doing the next events are, and how many of them.
    rule: Option<(Value, u32)>,
}

impl Fold {
    /// The ticket after these events of its stream.
    pub(crate) fn of(ticket: TicketId, logged: &[Logged]) -> Self {
        logged.iter().fold(Self::unopened(), |mut fold, logged| {
            fold.apply(ticket, logged);
            fold
        })
    }

    /// The ticket as of now.
    pub(crate) async fn load(desk: &Desk, resident: &Resident, ticket: TicketId) -> Result<Self, ApiError> {
        let stream = StreamName::Ticket(ticket);
        let logged = read::log::whole_stream(desk, resident, &stream, Version::ZERO).await?;
        Ok(Self::of(ticket, &logged))
    }

    fn unopened() -> Self {
        Self {
            ticket: Ticket::default(),
            version: Version::ZERO,
            position: Position::ZERO,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            comments: Vec::new(),
            audits: Vec::new(),
            last_command: None,
            rule: None,
        }
    }

    fn apply(&mut self, ticket: TicketId, logged: &Logged) {
        let envelope = &logged.envelope;
        if self.version == Version::ZERO {
            self.created_at = envelope.recorded_at;
        }
        if self.last_command != Some(envelope.command_id) {
            self.last_command = Some(envelope.command_id);
            self.audits.push(audit::begin(ticket, logged));
        }
        (self.version, self.position, self.updated_at) = (envelope.version, logged.position, envelope.recorded_at);
        let Some(TenantLogEvent::Ticket(event)) = &logged.event else { return };
        let before = self.ticket.details().cloned();
        self.ticket.evolve(event);
        match event {
            TicketEvent::CommentAdded(added) => {
                self.comments.push(self.comment(logged.position, added, envelope.recorded_at));
            }
            TicketEvent::RuleApplied(applied) => {
                self.rule = Some((audit::via(applied), applied.changes));
                return;
            }
            TicketEvent::TicketImported(imported) => {
                (self.created_at, self.updated_at) = (imported.created_at, imported.updated_at);
                let said = self.comments.iter_mut().zip(&imported.said_at);
                said.for_each(|(comment, said_at)| comment.created_at = *said_at);
            }
            _ => {}
        }
        let via = self.by_rule();
        let (after, is_opening) = (self.ticket.details(), self.audits.len() == 1 && via.is_none());
        if let Some(audit) = self.audits.last_mut() {
            audit::extend(audit, logged.position, (before.as_ref(), after), (event, is_opening));
            audit::name_rule(audit, logged.position, via);
        }
    }

    /// The rule whose doing the next event is, which is one less then.
    fn by_rule(&mut self) -> Option<Value> {
        let (via, left) = self.rule.take().filter(|(_, left)| *left > 0)?;
        self.rule = Some((via.clone(), left - 1));
        Some(via)
    }

    fn comment(&self, position: Position, added: &CommentAdded, at: Timestamp) -> Comment {
        Comment {
            comment_id: comment_id(position),
            audit_id: self.audits.last().map_or_else(|| audit_id(position), |audit| audit.audit_id),
            author_id: added.author.get(),
            is_public: added.visibility == Visibility::Public,
            body: added.body.expose().clone(),
            html_body: added.html_body.expose().clone(),
            attachment_ids: added.attachments.iter().map(|attachment| attachment.get()).collect(),
            channel: added.channel.to_string(),
            created_at: at,
        }
    }

    /// The ticket as a list shows it; none if it was not opened, is deleted, or its key was destroyed.
    pub(crate) fn row(&self, ticket: TicketId, sight: Sight) -> Option<read::tickets::Ticket> {
        let details: &Details = self.ticket.details().filter(|details| !details.is_deleted)?;
        let seen = |comment: &&Comment| sight == Sight::Everything || comment.is_public;
        Some(read::tickets::Ticket {
            ticket_id: ticket.get(),
            subject: details.subject.expose().clone(),
            description: self.comments.iter().find(seen).map(|comment| comment.body.clone()).unwrap_or_default(),
            status: details.status.to_string(),
            priority: details.priority.map(|priority| priority.to_string()),
            ticket_type: details.ticket_type.map(|ticket_type| ticket_type.to_string()),
            requester_id: details.requester.get(),
            submitter_id: details.submitter.get(),
            assignee_id: details.assignee.map(schemas::PersonId::get),
            group_id: details.group.map(schemas::GroupId::get),
            tags: details.tags.expose().clone(),
            channel: details.channel.to_string(),
            external_id: details.external_id.expose().clone(),
            is_public: self.comments.iter().any(|comment| comment.is_public),
            due_at: details.due_at.map(|due_at| due_at.to_sqlx()),
            problem_id: details.problem.map(TicketId::get),
            email_cc_ids: details.email_ccs.iter().map(|person| person.get()).collect(),
            follower_ids: details.followers.iter().map(|person| person.get()).collect(),
            recipient: details.recipient.expose().clone(),
            followup_source_id: details.followup_of.map(TicketId::get),
            // What other tickets say of it is in their streams.
            followup_ids: Vec::new(),
            has_incidents: false,
            custom_fields: json!(details.fields.expose()),
            // Which there are besides is in streams of their own.
            field_ids: match sight {
                Sight::Everything => details.fields.expose().keys().map(|field| field.get()).collect(),
                Sight::Own(_) => Vec::new(),
            },
            version: self.version.get(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    /// The audit of the command whose first event on the ticket has this position.
    pub(crate) fn audit(&self, first: Position) -> Option<&Audit> {
        self.audits.iter().find(|audit| audit.audit_id == audit_id(first))
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::api::testing::{ADA, ALAN, Bench, GRACE, SUPPORT};

    #[tokio::test]
    async fn audits_are_the_same_folded_and_projected() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let full = json!({
            "subject": "x", "comment": {"body": "y"}, "priority": "high", "type": "task", "status": "open",
            "tags": ["b", "a"], "assignee_id": ALAN.id, "group_id": SUPPORT, "external_id": "x-1", "requester_id": ADA.id,
            "due_at": "2026-12-01", "recipient": "help@acme.example", "email_ccs": [{"user_id": ADA.id}], "follower_ids": [ALAN.id],
        });
        let rules = [
            (
                "update_type",
                "is",
                "Create",
                json!([{"field": "type", "value": "question"}, {"field": "current_tags", "value": "made"}]),
            ),
            (
                "priority",
                "value",
                "low",
                json!([{"field": "group_id", "value": ""}, {"field": "current_tags", "value": "low"}]),
            ),
        ];
        for (field, operator, value, actions) in rules {
            let all = json!([{"field": field, "operator": operator, "value": value}]);
            let trigger = json!({"trigger": {"title": field, "all": all, "actions": actions}});
            assert_eq!(bench.post(GRACE, "/api/v2/triggers", trigger).await.status, 201);
        }
        bench.ticket(GRACE, full).await;
        bench.ticket(ADA, json!({"subject": "x", "comment": {"body": "y"}})).await;
        for ticket in [1, 2] {
            for changes in [
                json!({"tags": ["c"], "priority": "low", "comment": {"body": "z", "public": false}}),
                json!({
                    "tags": [], "priority": null, "assignee_id": GRACE.id, "status": "solved", "due_at": null, "external_id": null,
                    "collaborator_ids": [GRACE.id, ADA.id], "requester_id": ADA.id,
                }),
            ] {
                let answer = bench.put(ALAN, &format!("/api/v2/tickets/{ticket}"), json!({"ticket": changes})).await;
                assert_eq!(answer.status, 200, "{}", answer.body);
            }
            let (desk, ticket) = (&bench.test.desk, TicketId::new(ticket));
            let logged = read::log::whole_stream(desk, &bench.acme, &StreamName::Ticket(ticket), Version::ZERO).await?;
            let folded = Fold::of(ticket, &logged).audits;
            let ids: Vec<i64> = folded.iter().map(|audit| audit.audit_id).collect();
            let mut transaction = desk.reading(&bench.acme).await?;
            let projected = read::audits::many(&mut transaction, &bench.acme, ticket, &ids).await?;
            assert_eq!((folded.len(), projected.len()), (3, 3));
            for (folded, projected) in folded.iter().zip(&projected) {
                assert_eq!(folded.events, projected.events);
                assert!(folded == projected, "author, channel or moment");
            }
            let tags = |audit: &Audit| {
                let events = audit.events.as_array().into_iter().flatten();
                events.filter(|entry| entry["field_name"] == "tags").cloned().collect::<Vec<_>>()
            };
            assert!(tags(&projected[1])[0]["previous_value"].is_array());
            assert_eq!(tags(&projected[2])[0]["value"], json!([]));
        }
        Ok(())
    }
}
