//! What triggers do, in the command that they look at.
//!
//! They are asked in their order. When one holds it does what it says, and all that have not yet done so are asked again from the first:
//! so each does something once a command at most, and there is an end. What one does is decided by the rules of tickets, as if an agent
//! had asked; what these refuse is left out, and never refuses the command.

use schemas::{
    Personal,
    ticket::{AssigneeSet, RuleApplied, StatusSet, TicketEvent},
    values::{Channel, Role, RuleKind, Status, Visibility},
};

use super::{
    super::{By, Command, Details, Fields, Rejection, Ticket},
    Turn, attribute_events, decide,
};
use crate::{
    aggregate::Aggregate,
    rule::{Action, Facts, Happened, Trigger, Triggers},
};

/// What the command does, and what the triggers do because of it.
pub(super) fn fire(ticket: &Ticket, command: &Command, triggers: &Triggers) -> Result<Vec<TicketEvent>, Rejection> {
    let mut events = decide(ticket, command)?;
    if command.is_watched() {
        events.extend(fired(ticket, command.by(), (&events, triggers)));
    }
    Ok(events)
}

/// What people did in a command that is history: its events, without what rules did because of them. Nothing, of what triggers do not
/// look at. With [`fired`] that says what other triggers would have done.
pub fn by_people(events: &[TicketEvent]) -> Vec<TicketEvent> {
    let (mut people, mut left) = (Vec::new(), 0);
    for event in events {
        match event {
            TicketEvent::TicketImported(_)
            | TicketEvent::TicketDeleted(_)
            | TicketEvent::TicketRestored(_)
            | TicketEvent::TicketErased(_) => return Vec::new(),
            TicketEvent::RuleApplied(applied) => left = applied.changes,
            _ if left > 0 => left -= 1,
            event => people.push(event.clone()),
        }
    }
    people
}

/// What the triggers do after these events on a ticket. Where nothing happened they do nothing.
pub fn fired(ticket: &Ticket, by: By, (events, triggers): (&[TicketEvent], &Triggers)) -> Vec<TicketEvent> {
    if events.is_empty() || triggers.all.is_empty() {
        return Vec::new();
    }
    let mut after = ticket.clone();
    events.iter().for_each(|event| after.evolve(event));
    let (said, channel) = (said(events), channel(events));
    let mut waiting: Vec<&Trigger> = triggers.all.iter().collect();
    let mut fired = Vec::new();
    while let Some(details) = after.details() {
        let happened = Happened {
            before: ticket.details().map(Facts::of),
            now: Facts::of(details),
            by,
            said: said.as_ref().map(|(said, is_public)| (said.expose().as_str(), *is_public)),
            channel,
        };
        let Some(next) = waiting.iter().position(|trigger| trigger.watches.hold(&happened)) else { break };
        let trigger = waiting.remove(next);
        let effects = effects(details, (by, channel), (trigger, triggers));
        if effects.is_empty() {
            continue;
        }
        let applied = applied(trigger, effects.len());
        let effects: Vec<TicketEvent> = std::iter::once(applied).chain(effects).collect();
        effects.iter().for_each(|event| after.evolve(event));
        fired.extend(effects);
    }
    fired
}

fn applied(trigger: &Trigger, changes: usize) -> TicketEvent {
    let Trigger { rule, said_at, title, .. } = trigger.clone();
    let changes = u32::try_from(changes).unwrap_or(u32::MAX);
    RuleApplied { rule, kind: RuleKind::Trigger, said_at, title, changes }.into()
}

/// What was said, and whether everybody may read it. Of several comments, which only an opening that was elsewhere has, the last.
fn said(events: &[TicketEvent]) -> Option<(Personal<String>, bool)> {
    events.iter().rev().find_map(|event| match event {
        TicketEvent::CommentAdded(added) => Some((added.body.clone(), added.visibility == Visibility::Public)),
        _ => None,
    })
}

/// Where it came in, as the events have it: of what says nothing, by the API. So audits show it, too.
fn channel(events: &[TicketEvent]) -> Channel {
    let channel = events.iter().rev().find_map(|event| match event {
        TicketEvent::TicketOpened(opened) => Some(opened.channel),
        TicketEvent::CommentAdded(added) => Some(added.channel),
        _ => None,
    });
    channel.unwrap_or(Channel::Api)
}

/// What a trigger changes: all that it says, where the rules take it together, else as much of it as they take.
fn effects(
    details: &Details,
    (by, channel): (By, Channel),
    (trigger, triggers): (&Trigger, &Triggers),
) -> Vec<TicketEvent> {
    // As an agent: whoever changed the ticket need not be one, and is then nobody who could have it.
    let by = if by.is_agent() { by } else { By { role: Role::Agent, ..By::OPERATOR } };
    let effects = |actions: &[Action]| {
        let fields = Fields { known: triggers.fields.clone(), asked: Vec::new() };
        let changes = Action::changes(actions, by.person, (details, fields));
        let turn = Turn { by, changes: &changes, comment: None, channel };
        let events = attribute_events(details, &turn).ok()?;
        Some(events).filter(|events| events.iter().all(|event| is_possible(details, event)))
    };
    if let Some(all) = effects(&trigger.actions) {
        return all;
    }
    let (mut taken, mut left): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..trigger.actions.len()).collect());
    loop {
        let more = left.iter().position(|index| effects(&these(&trigger.actions, &taken, *index)).is_some());
        let Some(more) = more else { break };
        taken.push(left.remove(more));
    }
    taken.sort_unstable();
    effects(&taken.iter().map(|index| trigger.actions[*index].clone()).collect::<Vec<_>>()).unwrap_or_default()
}

/// Some of the actions and one more, in their order.
fn these(actions: &[Action], taken: &[usize], more: usize) -> Vec<Action> {
    let is_meant = |index: &usize| *index == more || taken.contains(index);
    (0..actions.len()).filter(is_meant).map(|index| actions[index].clone()).collect()
}

/// What the rules would take from somebody who asks, and not from a trigger.
fn is_possible(details: &Details, event: &TicketEvent) -> bool {
    match event {
        // closed -> nothing, also in the command that closed it
        TicketEvent::StatusSet(StatusSet { status }) => details.status != Status::Closed || *status == Status::Closed,
        TicketEvent::AssigneeSet(AssigneeSet { assignee }) => *assignee != Some(By::OPERATOR.person),
        _ => true,
    }
}
