//! What triggers do to a ticket, and what they leave alone.

use jiff::Timestamp;
use schemas::{
    RuleId,
    rule::{RuleAction, RuleCondition, RuleConditions, RuleDefinition, RuleValue},
    ticket::RuleApplied,
    ticket_field::FieldDefinition,
    values::{FieldKind, RuleKind},
};

use super::*;
use crate::{
    rule::{EFFECTS_MAX, TRIGGERS_MAX, Trigger, Triggers, Watching},
    ticket::{Imported, decide::fired},
    ticket_field::Known,
};

const SAID_AT: Timestamp = Timestamp::UNIX_EPOCH;

fn trigger(conditions: &[(&str, &str, &str)], actions: &[(&str, &str)]) -> RuleDefinition {
    let text = |value: &str| RuleValue::Text(value.to_owned());
    let condition = |(field, operator, value): &(&str, &str, &str)| RuleCondition {
        field: (*field).to_owned(),
        operator: (*operator).to_owned(),
        value: text(value),
    };
    let action = |(field, value): &(&str, &str)| RuleAction { field: (*field).to_owned(), value: text(value) };
    RuleDefinition {
        title: "Trigger".to_owned(),
        description: None,
        position: 1,
        is_active: true,
        conditions: RuleConditions { all: conditions.iter().map(condition).collect(), any: Vec::new() },
        actions: actions.iter().map(action).collect(),
        output: None,
    }
}

fn read(definition: &RuleDefinition) -> Watching {
    all(std::iter::once(definition))
}

fn all<'a>(definitions: impl Iterator<Item = &'a RuleDefinition>) -> Watching {
    let one = |definition| Trigger::read((RuleId::new(40), SAID_AT), definition, &[]).expect("a few clauses");
    Triggers::new(definitions.map(one).collect(), Vec::new()).into()
}

fn watched(command: impl Into<Command>, conditions: &[(&str, &str, &str)], actions: &[(&str, &str)]) -> Command {
    Command::Watched(Box::new(command.into()), read(&trigger(conditions, actions)))
}

fn applied(changes: u32) -> TicketEvent {
    let (rule, kind, title) = (RuleId::new(40), RuleKind::Trigger, "Trigger".to_owned().into());
    RuleApplied { rule, kind, said_at: SAID_AT, title, changes }.into()
}

#[test]
fn what_a_trigger_does_follows_in_the_same_command_and_says_who_did_it() {
    let update = watched(
        comment_by(REQUESTER, public("It smokes.")),
        &[("role", "is", "end_user"), ("comment_includes_word", "includes", "smokes")],
        &[("priority", "urgent"), ("current_tags", "smoke")],
    );
    given::<Ticket>(ticket_in(Status::Open)).when(update).then([
        said(REQUESTER, Visibility::Public, "It smokes."),
        applied(2),
        PrioritySet { priority: Some(Priority::Urgent) }.into(),
        TagsSet { tags: vec!["smoke".to_owned()].into() }.into(),
    ]);
}

#[test]
fn a_trigger_that_changes_nothing_leaves_no_trace() {
    let update = watched(comment_by(REQUESTER, public("x")), &[("status", "is", "open")], &[("status", "open")]);
    given::<Ticket>(ticket_in(Status::Open)).when(update).then([said(REQUESTER, Visibility::Public, "x")]);
}

#[test]
fn where_nothing_happens_no_trigger_is_asked() {
    let update =
        watched(change_by(AGENT, to_status(Status::Open)), &[("status", "is", "open")], &[("priority", "low")]);
    given::<Ticket>(ticket_in(Status::Open)).when(update).then_nothing();
}

#[test]
fn what_the_rules_do_not_take_is_left_out_and_refuses_nothing() {
    let update = watched(
        comment_by(REQUESTER, public("x")),
        &[("role", "is", "end_user")],
        &[("status", "solved"), ("assignee_id", "current_user"), ("priority", "low")],
    );
    given::<Ticket>(ticket_in(Status::New)).when(update).then([
        said(REQUESTER, Visibility::Public, "x"),
        applied(1),
        PrioritySet { priority: Some(Priority::Low) }.into(),
    ]);
}

#[test]
fn the_command_that_closes_a_ticket_is_looked_at_and_the_ticket_stays_closed() {
    let close = change_by(AGENT, to_status(Status::Closed));
    let update = watched(close, &[("status", "value", "closed")], &[("status", "open"), ("current_tags", "gone")]);
    given::<Ticket>(ticket_in(Status::Solved)).when(update).then([
        status_set(Status::Closed),
        applied(1),
        TagsSet { tags: vec!["gone".to_owned()].into() }.into(),
    ]);
    let comment = watched(comment_by(REQUESTER, public("x")), &[("status", "is", "closed")], &[("priority", "low")]);
    given::<Ticket>(ticket_in(Status::Closed)).when(comment).then_refused(Rejection::Closed);
}

#[test]
fn what_was_elsewhere_and_what_ends_a_ticket_is_not_looked_at() {
    let imported = Imported {
        created_at: SAID_AT,
        updated_at: SAID_AT,
        solved_at: None,
        comments: Vec::new(),
        said_at: vec![SAID_AT],
    };
    let open = Open { imported: Some(imported), ..open_by(ADMIN) };
    let always = &[("status", "is_not", "closed")];
    for (history, command) in [(Vec::new(), open.into()), (ticket_in(Status::Open), Command::Delete(AGENT))] {
        let ticket = Ticket::after(&history);
        let plain = ticket.decide(&command);
        assert_eq!(ticket.decide(&watched(command, always, &[("priority", "low")])), plain);
        assert!(plain.is_ok());
    }
}

#[test]
fn what_must_be_filled_in_is_for_people_to_fill_in() {
    let definition = FieldDefinition { is_required: true, is_active: true, ..FieldDefinition::default() };
    let known = Known { field: TicketFieldId::new(7), kind: FieldKind::Text, definition: definition.into() };
    let solve = trigger(&[("comment_is_public", "is", "true")], &[("status", "solved")]);
    let solve = Trigger::read((RuleId::new(40), SAID_AT), &solve, &[]).expect("a few clauses");
    let triggers = Triggers::new(vec![solve], vec![known]).into();
    let ticket = Ticket::after(&ticket_in(Status::Open));
    let happened = [said(AGENT, Visibility::Public, "Done.")];
    assert_eq!(fired(&ticket, AGENT, (&happened, &triggers)), [applied(1), status_set(Status::Solved)]);
}

/// As many triggers as there may be, and what they do when somebody says something.
fn all_of_them(one: impl Fn(usize) -> RuleDefinition) -> Vec<TicketEvent> {
    let definitions: Vec<RuleDefinition> = (0..TRIGGERS_MAX).map(one).collect();
    let ticket = Ticket::after(&ticket_in(Status::Open));
    let happened = [said(REQUESTER, Visibility::Public, "It smokes.")];
    fired(&ticket, REQUESTER, (&happened, &all(definitions.iter())))
}

#[test]
fn what_triggers_do_takes_no_more_room_than_there_is() {
    let always = &[("status", "is", "open")];
    let events = all_of_them(|index| {
        let subject = format!("Kettle {index}");
        let tag = index.to_string();
        trigger(always, &[("subject", &subject), ("set_tags", &tag)])
    });
    // Three events each: the last that fits whole.
    assert_eq!(events.len(), EFFECTS_MAX / 3 * 3);
    let done = events.iter().filter(|event| matches!(event, TicketEvent::RuleApplied(_))).count();
    assert_eq!((done, &events[events.len() - 3]), (EFFECTS_MAX / 3, &applied(2)));

    let opening = trigger(always, &[("priority", "low")]);
    let ticket = Ticket::after(&ticket_in(Status::Open));
    let happened = [said(REQUESTER, Visibility::Public, "It smokes.")];
    for (room, does) in [(2, 2), (1, 0), (0, 0)] {
        let watching = Watching { room, ..read(&opening) };
        assert_eq!(fired(&ticket, REQUESTER, (&happened, &watching)).len(), does, "{room}");
    }
}

/// The last of all triggers, and those before it.
fn last_after(before: impl Fn(usize) -> RuleDefinition) -> Vec<TicketEvent> {
    all_of_them(|index| match index == TRIGGERS_MAX - 1 {
        true => trigger(&[("status", "is", "open")], &[("priority", "low")]),
        false => before(index),
    })
}

#[test]
fn what_changes_nothing_does_not_make_all_others_be_asked_again() {
    let many = [("status", "is", "open"); 30];
    let waits = [&many[..], &[("status", "is", "pending")]].concat();
    let events = last_after(|index| match index < TRIGGERS_MAX / 2 {
        true => trigger(&waits, &[("priority", "high")]),
        false => trigger(&many, &[("status", "open")]),
    });
    assert_eq!(events, [applied(1), PrioritySet { priority: Some(Priority::Low) }.into()]);
}

#[test]
fn asking_triggers_has_an_end_also_where_they_ask_a_lot() {
    let tags: Vec<String> = (0..100).map(|tag| tag.to_string()).collect();
    let tags = tags.join(" ");
    let a_lot = trigger(&[("current_tags", "not_includes", tags.as_str()); 50], &[("status", "open")]);
    assert_eq!(last_after(|_| a_lot.clone()), [], "nobody has the patience");
    let little = trigger(&[("current_tags", "not_includes", "smoke"); 50], &[("status", "open")]);
    assert_eq!(last_after(|_| little.clone()).len(), 2);
}

#[test]
fn words_are_sought_in_what_the_subject_is_by_then() {
    let happened = [said(REQUESTER, Visibility::Public, "It SMOKES.")];
    let rules = [
        trigger(&[("subject_includes_word", "includes", "fire")], &[("priority", "high")]),
        trigger(&[("comment_includes_word", "includes", "smokes")], &[("subject", "FIRE")]),
    ];
    let events = fired(&Ticket::after(&ticket_in(Status::Open)), REQUESTER, (&happened, &all(rules.iter())));
    assert!(events.contains(&PrioritySet { priority: Some(Priority::High) }.into()), "{events:?}");
}

#[test]
fn more_is_taken_with_what_comes_after_it() {
    // A solved ticket has an assignee: alone nobody takes the first, nor the status that nothing is.
    let update = watched(
        comment_by(REQUESTER, public("x")),
        &[("role", "is", "end_user")],
        &[("status", "solved"), ("assignee_id", "current_user"), ("assignee_id", "8"), ("priority", "low")],
    );
    let events = Ticket::after(&ticket_in(Status::New)).decide(&update).expect("it is taken");
    assert!(events.contains(&status_set(Status::Solved)), "{events:?}");
}
