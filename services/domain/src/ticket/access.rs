//! What an end user may ask of a ticket: open their own, comment on it publicly, and say that it is solved.

use schemas::values::{Role, Status, TicketType, Visibility};

use super::{By, Changes, Circle, Comment, Details, Further, Open, Rejection};

/// Refuses what an end user may not open. The comment is a matter of its own.
pub(super) fn may_open(open: &Open) -> Result<(), Rejection> {
    if open.imported.is_some() && open.by.role != Role::Admin {
        return Err(Rejection::AdminsImport);
    }
    if open.by.is_agent() {
        return Ok(());
    }
    if open.requester != open.by.person {
        return Err(Rejection::NotYours);
    }
    for (is_asked, field) in [
        (open.status.is_some_and(|status| status != Status::New), "status"),
        (open.assignee.is_some(), "assignee_id"),
        (open.group.is_some(), "group_id"),
        (!open.tags.expose().is_empty(), "tags"),
        (open.external_id.expose().is_some(), "external_id"),
        (open.recipient.expose().is_some(), "recipient"),
    ] {
        if is_asked {
            return Err(Rejection::AgentsOnly { field });
        }
    }
    may_link(&open.further)
}

/// Refuses what an end user may not change.
pub(super) fn may_change(by: By, changes: &Changes) -> Result<(), Rejection> {
    if by.is_agent() {
        return Ok(());
    }
    for (is_asked, field) in [
        (changes.subject.is_some(), "subject"),
        (changes.ticket_type.is_some(), "type"),
        (changes.priority.is_some(), "priority"),
        (changes.group.is_some(), "group_id"),
        (changes.tags.is_some(), "tags"),
        (changes.assignee.is_some(), "assignee_id"),
        (changes.status.is_some_and(|status| status != Status::Solved), "status"),
        (changes.external_id.is_some(), "external_id"),
        (changes.requester.is_some(), "requester_id"),
        (!changes.further.fields.asked.is_empty(), "custom_fields"),
        (!changes.added_tags.expose().is_empty() || !changes.removed_tags.expose().is_empty(), "tags"),
    ] {
        if is_asked {
            return Err(Rejection::AgentsOnly { field });
        }
    }
    may_link(&changes.further)
}

/// Refuses an end user to solve a problem: its incidents would be solved with it.
pub(super) fn may_solve(by: By, details: &Details, changes: &Changes) -> Result<(), Rejection> {
    if !by.is_agent() && changes.status.is_some() && details.ticket_type == Some(TicketType::Problem) {
        return Err(Rejection::AgentsOnly { field: "status" });
    }
    Ok(())
}

/// Refuses an end user what ties a ticket to others.
fn may_link(further: &Further) -> Result<(), Rejection> {
    let is_asked = |circle: &Circle| *circle != Circle::default();
    for (is_asked, field) in [
        (further.due_at.is_some(), "due_at"),
        (further.problem.is_some(), "problem_id"),
        (further.collaborators.is_some(), "collaborator_ids"),
        (is_asked(&further.email_ccs), "email_ccs"),
        (is_asked(&further.followers), "followers"),
    ] {
        if is_asked {
            return Err(Rejection::AgentsOnly { field });
        }
    }
    Ok(())
}

/// Refuses internal notes of end users, and words that an end user puts into another's mouth.
pub(super) fn may_comment(by: By, comment: &Comment) -> Result<(), Rejection> {
    let author = comment.author.unwrap_or(by);
    if !by.is_agent() && author.person != by.person {
        return Err(Rejection::AgentsOnly { field: "comment.author_id" });
    }
    // Whoever cannot read a note cannot have written it, also when an agent brings it in.
    let writes_as_agent = by.is_agent() && author.is_agent();
    if comment.visibility == Some(Visibility::Internal) && !writes_as_agent {
        return Err(Rejection::AgentsOnly { field: "comment.public" });
    }
    Ok(())
}
