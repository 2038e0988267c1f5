//! What automations do to a ticket, and time alone.

use std::sync::Arc;

use jiff::Timestamp;
use schemas::{
    RuleId,
    rule::{RuleAction, RuleCondition, RuleConditions, RuleDefinition, RuleValue},
    ticket::RuleApplied,
    values::RuleKind,
};

use super::*;
use crate::{
    rule::{Automation, Trigger, Triggers},
    ticket::decide::by_people,
};

fn definition(conditions: &[(&str, &str, &str)], actions: &[(&str, &str)]) -> RuleDefinition {
    let text = |value: &str| RuleValue::Text(value.to_owned());
    let condition = |(field, operator, value): &(&str, &str, &str)| RuleCondition {
        field: (*field).to_owned(),
        operator: (*operator).to_owned(),
        value: text(value),
    };
    let action = |(field, value): &(&str, &str)| RuleAction { field: (*field).to_owned(), value: text(value) };
    RuleDefinition {
        title: "Rule".to_owned(),
        description: None,
        position: 1,
        is_active: true,
        conditions: RuleConditions { all: conditions.iter().map(condition).collect(), any: Vec::new() },
        actions: actions.iter().map(action).collect(),
        output: None,
    }
}

fn automated(actions: &[(&str, &str)]) -> Command {
    let read = Automation::read((RuleId::new(40), Timestamp::UNIX_EPOCH), &definition(&[], actions), &[]);
    Command::Automated(Arc::new(read.expect("a few clauses")))
}

fn applied(rule: i64, kind: RuleKind, changes: u32) -> TicketEvent {
    let (rule, title, said_at) = (RuleId::new(rule), "Rule".to_owned().into(), Timestamp::UNIX_EPOCH);
    RuleApplied { rule, kind, said_at, title, changes }.into()
}

#[test]
fn what_an_automation_does_follows_the_word_that_it_did() {
    let raise = automated(&[("priority", "urgent"), ("status", "solved")]);
    given::<Ticket>(ticket_in(Status::Pending)).when(raise).then([
        applied(40, RuleKind::Automation, 2),
        PrioritySet { priority: Some(Priority::Urgent) }.into(),
        status_set(Status::Solved),
    ]);
}

#[test]
fn what_is_so_already_is_nobodys_doing() {
    given::<Ticket>(ticket_in(Status::Pending)).when(automated(&[("status", "pending")])).then([]);
}

#[test]
fn what_the_rules_of_tickets_refuse_is_left_out() {
    // Solving needs somebody who did, and an automation is nobody.
    let solve = automated(&[("status", "solved"), ("priority", "high")]);
    given::<Ticket>(ticket_in(Status::New))
        .when(solve)
        .then([applied(40, RuleKind::Automation, 1), PrioritySet { priority: Some(Priority::High) }.into()]);
}

#[test]
fn what_is_closed_or_deleted_is_left_alone() {
    let close = automated(&[("priority", "high")]);
    given::<Ticket>(ticket_in(Status::Closed)).when(close.clone()).then_refused(Rejection::Closed);
    let mut deleted = ticket_in(Status::Open);
    deleted.push(TicketDeleted {}.into());
    given::<Ticket>(deleted.clone()).when(close).then_refused(Rejection::Unknown);
    given::<Ticket>(deleted).when(Command::CloseSolved).then_refused(Rejection::Unknown);
}

#[test]
fn only_what_is_solved_is_closed_for_its_age() {
    given::<Ticket>(ticket_in(Status::Solved)).when(Command::CloseSolved).then([status_set(Status::Closed)]);
    for other in [Status::New, Status::Open, Status::Pending, Status::Hold, Status::Closed] {
        given::<Ticket>(ticket_in(other)).when(Command::CloseSolved).then([]);
    }
}

#[test]
fn triggers_look_at_what_an_automation_does_and_at_it_alone() {
    let said = definition(&[("status", "changed", "")], &[("current_tags", "moved")]);
    let trigger = Trigger::read((RuleId::new(50), Timestamp::UNIX_EPOCH), &said, &[]).expect("a few clauses");
    let watching = Triggers::new(vec![trigger], Vec::new());
    let watched = |command| Command::Watched(Box::new(command), watching.clone().into());
    let history = ticket_in(Status::Pending);
    let events = Ticket::after(&history).decide(&watched(automated(&[("status", "open")]))).expect("it is there");
    assert_eq!(
        events,
        [
            applied(40, RuleKind::Automation, 1),
            status_set(Status::Open),
            applied(50, RuleKind::Trigger, 1),
            TagsSet { tags: vec!["moved".to_owned()].into() }.into(),
        ]
    );
    assert_eq!(by_people(&events), events[..2], "history tells them apart");
    let untouched = watched(automated(&[("priority", "high")]));
    let events = Ticket::after(&history).decide(&untouched).expect("it is there");
    assert_eq!(events.len(), 2);
}
