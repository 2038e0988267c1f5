//! The rules of tickets.

use schemas::{
    AttachmentId, PersonId,
    ticket::{
        AssigneeSet, CommentAdded, GroupSet, PrioritySet, StatusSet, SubjectSet, TagsSet, TicketDeleted, TicketErased,
        TicketEvent, TicketOpened, TicketRestored, TypeSet,
    },
    values::{Channel, Status, Visibility},
};

use super::{ATTACHMENTS_MAX, AddComment, By, Changes, Command, Comment, Details, Open, Rejection, Ticket, access};
use crate::text;

#[cfg(test)]
mod tests;

pub(super) fn decide(ticket: &Ticket, command: &Command) -> Result<Vec<TicketEvent>, Rejection> {
    match command {
        Command::Open(open) => decide_open(ticket, open),
        Command::Update(update) => {
            let turn = Turn {
                by: update.by,
                changes: &update.changes,
                comment: update.comment.as_ref(),
                channel: update.channel,
            };
            decide_turn(ticket, &turn)
        }
        Command::AddComment(AddComment { by, comment, channel }) => {
            let turn = Turn { by: *by, changes: &Changes::default(), comment: Some(comment), channel: *channel };
            decide_turn(ticket, &turn)
        }
        Command::Delete(by) => decide_deletion(ticket, *by, false, || TicketDeleted {}.into()),
        Command::Restore(by) => decide_deletion(ticket, *by, true, || TicketRestored {}.into()),
        Command::Erase(erase) => {
            let attachments = erase.attachments.clone();
            decide_deletion(ticket, erase.by, true, || TicketErased { attachments }.into())
        }
    }
}

/// there -> deleted, deleted -> there, deleted -> erased. A closed ticket too: its content does not change.
fn decide_deletion(
    ticket: &Ticket,
    by: By,
    when_deleted: bool,
    event: impl FnOnce() -> TicketEvent,
) -> Result<Vec<TicketEvent>, Rejection> {
    let details = ticket.details.as_ref().ok_or(Rejection::Unknown)?;
    if !by.is_agent() {
        return Err(if details.requester == by.person { Rejection::AgentsDelete } else { Rejection::NotYours });
    }
    if details.is_deleted == when_deleted { Ok(vec![event()]) } else { Err(Rejection::Unknown) }
}

/// One turn in the life of an open ticket: an update with or without a comment, or a comment alone.
struct Turn<'a> {
    by: By,
    changes: &'a Changes,
    comment: Option<&'a Comment>,
    channel: Channel,
}

fn decide_open(ticket: &Ticket, open: &Open) -> Result<Vec<TicketEvent>, Rejection> {
    if ticket.details.is_some() || ticket.is_erased {
        return Err(Rejection::AlreadyExists);
    }
    access::may_open(open)?;
    access::may_comment(open.by, &open.comment)?;
    let status = open.status.unwrap_or(Status::New);
    let assignee = assignee_for(status, open.assignee, Some(open.by))?;
    let first_comment = comment_added(open.by, &open.comment, open.channel)?;
    let opened = TicketOpened {
        requester: open.requester,
        submitter: first_comment.author,
        subject: text::subject(open.subject.expose())?.into(),
        priority: open.priority,
        ticket_type: open.ticket_type,
        assignee,
        group: open.group,
        tags: text::tags(open.tags.expose())?.into(),
        channel: open.channel,
        external_id: open.external_id.expose().as_deref().map(text::external_id).transpose()?.into(),
    };
    let mut events = vec![opened.into(), first_comment.into()];
    if status != Status::New {
        events.push(StatusSet { status }.into());
    }
    Ok(events)
}

fn decide_turn(ticket: &Ticket, turn: &Turn<'_>) -> Result<Vec<TicketEvent>, Rejection> {
    let details = ticket.details.as_ref().filter(|details| !details.is_deleted).ok_or(Rejection::Unknown)?;
    // Before anything else: whether it is closed, or what a field takes, is nothing to tell a stranger.
    if !turn.by.is_agent() && details.requester != turn.by.person {
        return Err(Rejection::NotYours);
    }
    // closed -> nothing
    if details.status == Status::Closed {
        return Err(Rejection::Closed);
    }
    access::may_change(turn.by, turn.changes)?;
    let mut events = attribute_events(details, turn)?;
    if let Some(comment) = turn.comment {
        access::may_comment(turn.by, comment)?;
        events.push(comment_added(turn.by, comment, turn.channel)?.into());
    }
    Ok(events)
}

/// What changes, in a fixed order: what the ticket is about, where it belongs, who has it, where it is in its life.
fn attribute_events(details: &Details, turn: &Turn<'_>) -> Result<Vec<TicketEvent>, Rejection> {
    let status = next_status(details, turn)?;
    let assignee = next_assignee(details, turn, status)?;
    let mut events = descriptive_events(details, turn.changes)?;
    if assignee != details.assignee {
        events.push(AssigneeSet { assignee }.into());
    }
    if status != details.status {
        events.push(StatusSet { status }.into());
    }
    Ok(events)
}

/// The changes that no other change depends on.
fn descriptive_events(details: &Details, changes: &Changes) -> Result<Vec<TicketEvent>, Rejection> {
    let mut events = Vec::new();
    if let Some(subject) = &changes.subject {
        let subject = text::subject(subject.expose())?.into();
        if subject != details.subject {
            events.push(SubjectSet { subject }.into());
        }
    }
    if let Some(ticket_type) = changes.ticket_type.filter(|&asked| asked != details.ticket_type) {
        events.push(TypeSet { ticket_type }.into());
    }
    if let Some(priority) = changes.priority.filter(|&asked| asked != details.priority) {
        events.push(PrioritySet { priority }.into());
    }
    if let Some(group) = changes.group.filter(|&asked| asked != details.group) {
        events.push(GroupSet { group }.into());
    }
    if let Some(tags) = &changes.tags {
        let tags = text::tags(tags.expose())?.into();
        if tags != details.tags {
            events.push(TagsSet { tags }.into());
        }
    }
    Ok(events)
}

/// The status after the turn: the one asked for, or the one that a public comment leads to.
fn next_status(details: &Details, turn: &Turn<'_>) -> Result<Status, Rejection> {
    if let Some(asked) = turn.changes.status {
        // anything but new -> new: never
        if asked == Status::New && details.status != Status::New {
            return Err(Rejection::NeverNewAgain);
        }
        return Ok(asked);
    }
    let Some(comment) = turn.comment.filter(|comment| comment.visibility == Visibility::Public) else {
        return Ok(details.status);
    };
    let author = comment.author.unwrap_or(turn.by);
    let is_requester = author.person == details.requester;
    Ok(match details.status {
        // pending, solved -> open: the requester has said something that wants an answer
        Status::Pending | Status::Solved if is_requester => Status::Open,
        // new -> open: an agent has replied
        Status::New if author.is_agent() && !is_requester => Status::Open,
        unchanged => unchanged,
    })
}

fn next_assignee(details: &Details, turn: &Turn<'_>, status: Status) -> Result<Option<PersonId>, Rejection> {
    let asked = turn.changes.assignee.unwrap_or(details.assignee);
    let solver = turn.changes.status.map(|_| turn.by);
    assignee_for(status, asked, solver)
}

/// Whatever is solved was solved by somebody: the agent who says so, when nobody else has it.
fn assignee_for(status: Status, asked: Option<PersonId>, solver: Option<By>) -> Result<Option<PersonId>, Rejection> {
    if asked.is_some() || !matches!(status, Status::Solved | Status::Closed) {
        return Ok(asked);
    }
    match solver {
        Some(by) if by.is_agent() => Ok(Some(by.person)),
        _ => Err(Rejection::NeedsAssignee),
    }
}

fn comment_added(by: By, comment: &Comment, channel: Channel) -> Result<CommentAdded, Rejection> {
    Ok(CommentAdded {
        author: comment.author.unwrap_or(by).person,
        visibility: comment.visibility,
        body: text::body(comment.body.expose())?.into(),
        html_body: comment.html_body.expose().as_deref().map(text::html_body).transpose()?.into(),
        attachments: attachments(&comment.attachments)?,
        channel,
    })
}

/// Each file once, in the order given.
fn attachments(sent: &[AttachmentId]) -> Result<Vec<AttachmentId>, Rejection> {
    let mut attachments = Vec::with_capacity(sent.len().min(ATTACHMENTS_MAX));
    for attachment in sent {
        if !attachments.contains(attachment) {
            attachments.push(*attachment);
        }
        if attachments.len() > ATTACHMENTS_MAX {
            let takes = format!("the tokens of at most {ATTACHMENTS_MAX} uploads");
            return Err(Rejection::Invalid { field: "comment.uploads", takes });
        }
    }
    Ok(attachments)
}
