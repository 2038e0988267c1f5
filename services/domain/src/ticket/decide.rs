//! The rules of tickets.

use schemas::{
    AttachmentId, PersonId, TicketFieldId,
    ticket::{
        AssigneeSet, CommentAdded, CustomFieldsSet, FollowupLinked, RecipientNoted, StatusSet, TicketDeleted,
        TicketErased, TicketEvent, TicketImported, TicketOpened, TicketRestored,
    },
    ticket_field::FieldSet,
    values::{Channel, Status, Visibility},
};

use super::{
    ATTACHMENTS_MAX, AddComment, By, Changes, Command, Comment, Details, Imported, Open, Rejection, Ticket, access,
};
use crate::{aggregate::Aggregate, text};

pub use self::triggers::{by_people, fired};

mod attributes;
mod fields;
mod further;
#[cfg(test)]
mod tests;
mod triggers;

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
        Command::Watched(command, watching) => triggers::fire(ticket, command, watching),
        Command::Automated(automation) => triggers::automate(ticket, automation),
        Command::CloseSolved => triggers::close_solved(ticket),
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
    // nothing -> open: somebody has it already
    let begun = if open.assignee.is_some() { Status::Open } else { Status::New };
    let status = open.status.unwrap_or(begun);
    let assignee = assignee_for(status, open.assignee, Some(open.by))?;
    let first_comment = comment_added(open.by, (&open.comment, true), open.channel)?;
    let opened = opened(open, (first_comment.author, assignee))?;
    let mut events = vec![opened.into(), first_comment.into()];
    for comment in open.imported.iter().flat_map(|imported| &imported.comments) {
        events.push(comment_added(open.by, (comment, true), open.channel)?.into());
    }
    let blank = Ticket::after(&events[..1]);
    let details = blank.details.as_ref().expect("it was opened just now");
    let asked = fields::asked(open.by, &open.further.fields)?;
    fields::check_required(open.by, details, (&open.further.fields, &asked), status)?;
    let because = fields::because(details, &open.further.fields, &asked);
    let set = fields::changed(details, inherited(open, asked));
    if !because.come.is_empty() {
        let tags = [text::tags(open.tags.expose())?, because.come].concat();
        events[0] =
            TicketOpened { tags: text::tags(&tags)?.into(), ..self::opened(open, (details.submitter, assignee))? }
                .into();
    }
    if !set.is_empty() {
        events.push(CustomFieldsSet { fields: set.into() }.into());
    }
    events.extend(further::events(details, open.ticket_type, &open.further)?);
    if let Some(recipient) = open.recipient.expose() {
        events.push(RecipientNoted { recipient: text::recipient(recipient)?.into() }.into());
    }
    events.extend(open.followup_of.map(|source| FollowupLinked { source }.into()));
    if status != Status::New {
        events.push(StatusSet { status }.into());
    }
    if let Some(Imported { created_at, updated_at, solved_at, said_at, .. }) = open.imported.clone() {
        events.push(TicketImported { created_at, updated_at, solved_at, said_at }.into());
    }
    Ok(events)
}

/// What the fields hold: what is asked for, else what they held on the ticket that is followed up.
fn inherited(open: &Open, mut asked: Vec<FieldSet>) -> Vec<FieldSet> {
    let is_asked = |field: &TicketFieldId| open.further.fields.asked.iter().any(|(asked, _)| asked == field);
    for (field, value) in open.inherited.expose().iter().filter(|(field, _)| !is_asked(field)) {
        asked.push(FieldSet { field: *field, value: Some(value.clone()) });
    }
    asked
}

fn opened(open: &Open, (submitter, assignee): (PersonId, Option<PersonId>)) -> Result<TicketOpened, Rejection> {
    Ok(TicketOpened {
        requester: open.requester,
        submitter,
        subject: text::subject(open.subject.expose())?.into(),
        priority: open.priority,
        ticket_type: open.ticket_type,
        assignee,
        group: open.group,
        tags: text::tags(open.tags.expose())?.into(),
        channel: open.channel,
        external_id: open.external_id.expose().as_deref().map(text::external_id).transpose()?.into(),
    })
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
    access::may_solve(turn.by, details, turn.changes)?;
    let mut events = attribute_events(details, turn)?;
    if let Some(comment) = turn.comment {
        access::may_comment(turn.by, comment)?;
        events.push(comment_added(turn.by, (comment, details.is_public), turn.channel)?.into());
    }
    Ok(events)
}

/// What changes, in a fixed order: what the ticket is about, where it belongs, who has it, where it is in its life.
fn attribute_events(details: &Details, turn: &Turn<'_>) -> Result<Vec<TicketEvent>, Rejection> {
    let status = next_status(details, turn)?;
    let assignee = next_assignee(details, turn, status)?;
    let fields = &turn.changes.further.fields;
    let asked = fields::asked(turn.by, fields)?;
    if status != details.status && turn.by.is_agent() {
        fields::check_required(turn.by, details, (fields, &asked), status)?;
    }
    let mut events = attributes::events(details, turn.changes, &fields::because(details, fields, &asked))?;
    let changed = fields::changed(details, asked);
    if !changed.is_empty() {
        events.push(CustomFieldsSet { fields: changed.into() }.into());
    }
    let ticket_type = turn.changes.ticket_type.unwrap_or(details.ticket_type);
    events.extend(further::events(details, ticket_type, &turn.changes.further)?);
    if assignee != details.assignee {
        events.push(AssigneeSet { assignee }.into());
    }
    if status != details.status {
        events.push(StatusSet { status }.into());
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
    // new -> open: somebody has it
    let is_taken = matches!(turn.changes.assignee, Some(Some(asked)) if details.assignee != Some(asked));
    if details.status == Status::New && is_taken {
        return Ok(Status::Open);
    }
    let is_public = |comment: &&Comment| visibility(turn.by, comment, details.is_public) == Visibility::Public;
    let Some(comment) = turn.comment.filter(is_public) else {
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

/// Who may read a comment: whom it says or, on a ticket without any public comment, agents, if an agent writes it.
fn visibility(by: By, comment: &Comment, is_public: bool) -> Visibility {
    let is_among_agents = !is_public && by.is_agent() && comment.author.unwrap_or(by).is_agent();
    comment.visibility.unwrap_or(if is_among_agents { Visibility::Internal } else { Visibility::Public })
}

fn comment_added(by: By, (comment, is_public): (&Comment, bool), channel: Channel) -> Result<CommentAdded, Rejection> {
    Ok(CommentAdded {
        author: comment.author.unwrap_or(by).person,
        visibility: visibility(by, comment, is_public),
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
