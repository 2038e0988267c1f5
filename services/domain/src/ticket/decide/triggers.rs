//! What triggers do, in the command that they look at.
//!
//! They are asked in their order. When one holds it does what it says, and all that have not yet done so are asked again from the first:
//! so each does something once a command at most, and there is an end. What one does is decided by the rules of tickets, as if an agent
//! had asked; what these refuse is left out, and never refuses the command.
//!
//! One command has so much room for what they do, and so much patience to ask them: where either is used up, nobody does anything more.
//! So what people ask for fits into an append whatever the triggers say, and is decided in the blink of an eye.

use std::{cell::OnceCell, sync::Arc};

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
    rule::{Action, Automation, Facts, Happened, Lowered, Trigger, Watching, attempt},
    ticket_field::Known,
};

/// What asking triggers, and trying what they do, may weigh in one command. Ten conditions of each of all triggers weigh a two-hundredth.
const PATIENCE: usize = 1_000_000;

/// A trigger that has not done anything yet.
struct Waiting<'a> {
    trigger: &'a Trigger,
    /// What it weighs to ask it.
    weight: usize,
    /// What was found in texts that stay as they are.
    found: Vec<OnceCell<bool>>,
}

/// What the command does, and what the triggers do because of it.
pub(super) fn fire(ticket: &Ticket, command: &Command, watching: &Watching) -> Result<Vec<TicketEvent>, Rejection> {
    let mut events = decide(ticket, command)?;
    if command.is_watched() {
        events.extend(fired(ticket, command.by(), (&events, watching)));
    }
    Ok(events)
}

/// What people, or time, did in a command that is history: its events, without what triggers did because of them. Nothing, of what
/// triggers do not look at. With [`fired`] that says what other triggers would have done.
pub fn by_people(events: &[TicketEvent]) -> Vec<TicketEvent> {
    let (mut people, mut left) = (Vec::new(), 0);
    for event in events {
        match event {
            TicketEvent::TicketImported(_)
            | TicketEvent::TicketDeleted(_)
            | TicketEvent::TicketRestored(_)
            | TicketEvent::TicketErased(_) => return Vec::new(),
            TicketEvent::RuleApplied(applied) if applied.kind == RuleKind::Trigger => left = applied.changes,
            _ if left > 0 => left -= 1,
            event => people.push(event.clone()),
        }
    }
    people
}

/// What the triggers do after these events on a ticket. Where nothing happened they do nothing.
pub fn fired(ticket: &Ticket, by: By, (events, watching): (&[TicketEvent], &Watching)) -> Vec<TicketEvent> {
    let Watching { triggers, room } = watching;
    if events.is_empty() || triggers.all.is_empty() {
        return Vec::new();
    }
    let mut after = ticket.clone();
    events.iter().for_each(|event| after.evolve(event));
    let (said, channel) = (said(events), channel(events));
    let mut lowered = Lowered::default();
    let mut waiting: Vec<Waiting<'_>> = triggers.all.iter().map(Waiting::of).collect();
    let (mut fired, mut from, mut patience) = (Vec::new(), 0, PATIENCE);
    while let Some(details) = after.details() {
        let happened = Happened {
            before: ticket.details().map(Facts::of),
            now: Facts::of(details),
            by,
            said: said.as_ref().map(|(said, is_public)| (said.expose().as_str(), *is_public)),
            channel,
            lowered: &lowered,
        };
        let Some(next) = next((&waiting, from), &happened, &mut patience) else { break };
        let trigger = waiting.remove(next).trigger;
        let effects = effects(details, (by, channel), (&trigger.actions, &triggers.fields), &mut patience);
        if effects.is_empty() {
            // Nothing is another now, so those before it say what they said.
            from = next;
            continue;
        }
        if fired.len() + 1 + effects.len() > *room {
            break;
        }
        let applied = applied(trigger, effects.len());
        let effects: Vec<TicketEvent> = std::iter::once(applied).chain(effects).collect();
        effects.iter().for_each(|event| after.evolve(event));
        if effects.iter().any(|event| matches!(event, TicketEvent::SubjectSet(_))) {
            lowered.forget_subject();
        }
        fired.extend(effects);
        from = 0;
    }
    fired
}

impl<'a> Waiting<'a> {
    fn of(trigger: &'a Trigger) -> Self {
        Self { trigger, weight: trigger.watches.weight(), found: trigger.watches.unanswered() }
    }
}

/// The first of those that wait, from one of them on, that holds. None, where nobody has the patience to ask.
fn next((waiting, from): (&[Waiting<'_>], usize), happened: &Happened<'_>, patience: &mut usize) -> Option<usize> {
    (from..waiting.len()).find(|index| {
        let Waiting { trigger, weight, found } = &waiting[*index];
        *patience = patience.saturating_sub(*weight);
        *patience > 0 && trigger.watches.hold(happened, found)
    })
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

/// What an automation does to a ticket, if it does anything: as a trigger would, but that nobody set it off.
pub(super) fn automate(ticket: &Ticket, automation: &Automation) -> Result<Vec<TicketEvent>, Rejection> {
    let details = ticket.details.as_ref().filter(|details| !details.is_deleted).ok_or(Rejection::Unknown)?;
    // closed -> nothing
    if details.status == Status::Closed {
        return Err(Rejection::Closed);
    }
    let said = (automation.actions.as_slice(), &automation.fields);
    let effects = effects(details, (By::OPERATOR, Channel::Api), said, &mut { PATIENCE });
    if effects.is_empty() {
        return Ok(effects);
    }
    let Automation { rule, said_at, title, .. } = automation.clone();
    let changes = u32::try_from(effects.len()).unwrap_or(u32::MAX);
    let applied = RuleApplied { rule, kind: RuleKind::Automation, said_at, title, changes };
    Ok(std::iter::once(applied.into()).chain(effects).collect())
}

/// solved -> closed, whatever rules there are. Anything else is left as it is.
pub(super) fn close_solved(ticket: &Ticket) -> Result<Vec<TicketEvent>, Rejection> {
    let details = ticket.details.as_ref().filter(|details| !details.is_deleted).ok_or(Rejection::Unknown)?;
    let is_solved = details.status == Status::Solved;
    Ok(is_solved.then(|| StatusSet { status: Status::Closed }.into()).into_iter().collect())
}

/// What a rule changes: all that it says, where the rules of tickets take it together, else as much of it as they take.
fn effects(
    details: &Details,
    (by, channel): (By, Channel),
    (actions, known): (&[Action], &Arc<[Known]>),
    patience: &mut usize,
) -> Vec<TicketEvent> {
    // As an agent: whoever changed the ticket need not be one, and is then nobody who could have it.
    let by = if by.is_agent() { by } else { By { role: Role::Agent, ..By::OPERATOR } };
    let mut effects = |actions: &[Action]| {
        *patience = patience.saturating_sub(attempt(actions));
        if *patience == 0 {
            return None;
        }
        let fields = Fields { known: known.clone(), asked: Vec::new() };
        let changes = Action::changes(actions, by.person, (details, fields));
        let turn = Turn { by, changes: &changes, comment: None, channel };
        let events = attribute_events(details, &turn).ok()?;
        Some(events).filter(|events| events.iter().all(|event| is_possible(details, event)))
    };
    if let Some(all) = effects(actions) {
        return all;
    }
    // What is refused may be taken together with what comes after it, so they are gone through until nothing more is taken.
    let (mut taken, mut largest) = (Vec::new(), Vec::new());
    loop {
        let before = taken.len();
        for index in 0..actions.len() {
            if taken.contains(&index) {
                continue;
            }
            if let Some(events) = effects(&these(actions, &taken, index)) {
                taken.push(index);
                largest = events;
            }
        }
        if taken.len() == before {
            return largest;
        }
    }
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
