//! What the events make of a ticket.

use schemas::{
    Personal,
    ticket::{TicketEvent, TicketOpened},
    ticket_field::FieldSet,
    values::{Status, Visibility},
};

use super::{Details, Ticket};

pub(super) fn evolve(ticket: &mut Ticket, event: &TicketEvent) {
    if let TicketEvent::TicketOpened(opened) = event {
        ticket.details = Some(details(opened));
        return;
    }
    // Also before its key is destroyed: nobody acts on what is about to be gone.
    if let TicketEvent::TicketErased(_) = event {
        (ticket.details, ticket.is_erased) = (None, true);
        return;
    }
    // The stream's expected version lets nothing precede the opening.
    let Some(details) = &mut ticket.details else { return };
    match event {
        TicketEvent::TicketOpened(_)
        | TicketEvent::TicketErased(_)
        | TicketEvent::TicketImported(_)
        | TicketEvent::RuleApplied(_) => {}
        TicketEvent::CommentAdded(added) => {
            if details.comment_count == 0 {
                details.description = added.body.clone();
            }
            details.comment_count += 1;
            details.is_public |= added.visibility == Visibility::Public;
        }
        TicketEvent::StatusSet(set) => details.status = set.status,
        TicketEvent::PrioritySet(set) => details.priority = set.priority,
        TicketEvent::TypeSet(set) => details.ticket_type = set.ticket_type,
        TicketEvent::AssigneeSet(set) => details.assignee = set.assignee,
        TicketEvent::GroupSet(set) => details.group = set.group,
        TicketEvent::TagsSet(set) => details.tags = set.tags.clone(),
        TicketEvent::SubjectSet(set) => details.subject = set.subject.clone(),
        TicketEvent::ExternalIdSet(set) => details.external_id = set.external_id.clone(),
        TicketEvent::RequesterSet(set) => details.requester = set.requester,
        TicketEvent::DueSet(set) => details.due_at = set.due_at,
        TicketEvent::ProblemSet(set) => details.problem = set.problem,
        TicketEvent::EmailCcsSet(set) => details.email_ccs.clone_from(&set.people),
        TicketEvent::FollowersSet(set) => details.followers.clone_from(&set.people),
        TicketEvent::CustomFieldsSet(set) => set_fields(details, set.fields.expose()),
        TicketEvent::RecipientNoted(noted) => details.recipient = Some(noted.recipient.expose().clone()).into(),
        TicketEvent::FollowupLinked(linked) => details.followup_of = Some(linked.source),
        TicketEvent::TicketDeleted(_) => details.is_deleted = true,
        TicketEvent::TicketRestored(_) => details.is_deleted = false,
    }
}

fn set_fields(details: &mut Details, set: &[FieldSet]) {
    let mut fields = std::mem::take(&mut details.fields).into_inner();
    for FieldSet { field, value } in set {
        match value {
            Some(value) => fields.insert(*field, value.clone()),
            None => fields.remove(field),
        };
    }
    details.fields = fields.into();
}

fn details(opened: &TicketOpened) -> Details {
    Details {
        requester: opened.requester,
        submitter: opened.submitter,
        subject: opened.subject.clone(),
        description: Personal::default(),
        status: Status::New,
        priority: opened.priority,
        ticket_type: opened.ticket_type,
        assignee: opened.assignee,
        group: opened.group,
        tags: opened.tags.clone(),
        channel: opened.channel,
        external_id: opened.external_id.clone(),
        due_at: None,
        problem: None,
        email_ccs: Vec::new(),
        followers: Vec::new(),
        recipient: None.into(),
        followup_of: None,
        fields: Personal::default(),
        is_public: false,
        comment_count: 0,
        is_deleted: false,
    }
}
