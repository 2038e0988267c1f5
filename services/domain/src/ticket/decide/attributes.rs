//! The changes that no other change depends on.

use schemas::{
    Personal,
    ticket::{ExternalIdSet, GroupSet, PrioritySet, RequesterSet, SubjectSet, TagsSet, TicketEvent, TypeSet},
};

use super::{
    super::{Changes, Details, Rejection},
    fields::Because,
};
use crate::text;

/// What changes, in a fixed order.
pub(super) fn events(details: &Details, changes: &Changes, because: &Because) -> Result<Vec<TicketEvent>, Rejection> {
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
    if let Some(requester) = changes.requester.filter(|&asked| asked != details.requester) {
        events.push(RequesterSet { requester }.into());
    }
    if let Some(group) = changes.group.filter(|&asked| asked != details.group) {
        events.push(GroupSet { group }.into());
    }
    let tags = tags(details, changes, because)?;
    if tags != details.tags {
        events.push(TagsSet { tags }.into());
    }
    if let Some(external_id) = &changes.external_id {
        let external_id = external_id.expose().as_deref().map(text::external_id).transpose()?.into();
        if external_id != details.external_id {
            events.push(ExternalIdSet { external_id }.into());
        }
    }
    Ok(events)
}

/// All its tags afterwards: those that are set, or those it has, with what comes and without what goes.
fn tags(details: &Details, changes: &Changes, because: &Because) -> Result<Personal<Vec<String>>, Rejection> {
    let (added, removed) = (changes.added_tags.expose(), changes.removed_tags.expose());
    if changes.tags.is_none() && added.is_empty() && removed.is_empty() && because.is_empty() {
        return Ok(details.tags.clone());
    }
    let base = changes.tags.as_ref().unwrap_or(&details.tags).expose();
    let removed: Vec<String> = removed.iter().map(|tag| tag.trim().to_lowercase()).collect();
    let mut tags = text::tags(&base.iter().chain(added).cloned().collect::<Vec<_>>())?;
    tags.retain(|tag| !removed.contains(tag) && !because.gone.contains(tag));
    let tags = text::tags(&tags.into_iter().chain(because.come.iter().cloned()).collect::<Vec<_>>())?;
    Ok(tags.into())
}
