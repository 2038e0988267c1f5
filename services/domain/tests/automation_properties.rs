//! An automation that is taken ends what it asks: whatever ticket it changes, it does not ask for that ticket again.

use std::sync::Arc;

use domain::{
    Aggregate,
    rule::{Asking, Automation, Facts, Moments, checked},
    ticket::{By, Command, Comment, Open, Ticket},
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, option, prelude::*, sample::select};
use schemas::{
    GroupId, PersonId, RuleId,
    rule::{RuleAction, RuleCondition, RuleConditions, RuleDefinition, RuleValue},
    ticket::TicketEvent,
    values::{Priority, Role, RuleKind, Status, TicketType},
};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);
const AGENT: By = By { person: PersonId::new(1), role: Role::Agent };

type Words = (&'static str, &'static [&'static str], &'static [&'static str]);

const IS: &[&str] = &["is", "is_not"];
const ORDER: &[&str] = &["is", "is_not", "less_than", "greater_than"];

const CONDITIONS: &[Words] = &[
    ("status", ORDER, &["new", "open", "pending", "hold", "solved"]),
    ("priority", ORDER, &["", "low", "normal", "high"]),
    ("type", IS, &["", "task", "question"]),
    ("group_id", IS, &["", "1", "2"]),
    ("assignee_id", IS, &["", "1", "2", "requester_id"]),
    ("requester_id", IS, &["1", "2", "assignee_id"]),
    ("current_tags", &["includes", "not_includes"], &["a", "b", "a b"]),
    ("subject_includes_word", &["includes", "not_includes"], &["a", "b"]),
    ("OPEN", &["greater_than", "less_than"], &["0", "5"]),
    ("PENDING", &["greater_than", "less_than"], &["0", "5"]),
    ("SOLVED", &["greater_than", "less_than"], &["0", "5"]),
    ("assigned_at", &["greater_than"], &["0", "5"]),
];

const ACTIONS: &[(&str, &[&str])] = &[
    ("status", &["open", "pending", "solved", "closed"]),
    ("priority", &["", "low", "normal", "high"]),
    ("type", &["", "task", "question"]),
    ("group_id", &["", "1", "2"]),
    ("assignee_id", &["1", "2"]),
    ("set_tags", &["a", "b", "a b", "c"]),
    ("current_tags", &["a", "b", "a b", "c"]),
    ("remove_tags", &["a", "b", "a b", "c"]),
    ("subject", &["A", "b", "c"]),
];

fn definitions() -> impl Strategy<Value = RuleDefinition> {
    let text = |value: &str| RuleValue::Text(value.to_owned());
    let condition = select(CONDITIONS).prop_flat_map(move |(field, operators, values)| {
        (select(operators), select(values)).prop_map(move |(operator, value)| RuleCondition {
            field: field.to_owned(),
            operator: operator.to_owned(),
            value: text(value),
        })
    });
    let action = select(ACTIONS).prop_flat_map(move |(field, values)| {
        select(values).prop_map(move |value| RuleAction { field: field.to_owned(), value: text(value) })
    });
    (vec(condition, 1..5), vec(action, 1..4)).prop_map(|(all, actions)| RuleDefinition {
        title: "x".to_owned(),
        description: None,
        position: 1,
        is_active: true,
        conditions: RuleConditions { all, any: Vec::new() },
        actions,
        output: None,
    })
}

/// Somebody works on each, so that the rules of tickets refuse nothing of what is done.
fn tickets() -> impl Strategy<Value = Ticket> {
    let words = (
        select(&[Status::New, Status::Open, Status::Pending, Status::Hold, Status::Solved][..]),
        option::of(select(&[Priority::Low, Priority::Normal, Priority::High][..])),
        option::of(select(&[TicketType::Task, TicketType::Question][..])),
    );
    let parties = (1..3_i64, 1..3_i64, option::of(1..3_i64));
    let texts = (select(&["a", "b", "c"][..]), vec(select(&["a", "b", "c"][..]), 0..3));
    (words, parties, texts).prop_map(
        |((status, priority, ticket_type), (requester, assignee, group), (subject, tags))| {
            let comment = Comment::public("It whistles.".to_owned());
            let mut open = Open::new(AGENT, PersonId::new(requester), subject.to_owned(), comment);
            open.status = Some(status);
            (open.priority, open.ticket_type) = (priority, ticket_type);
            (open.assignee, open.group) = (Some(PersonId::new(assignee)), group.map(GroupId::new));
            open.tags = tags.into_iter().map(str::to_owned).collect::<Vec<_>>().into();
            Ticket::after(&Ticket::default().decide(&open.into()).expect("an agent opens what they like"))
        },
    )
}

/// Whether all conditions hold of a ticket whose status and assignee are this many hours old.
fn holds(automation: &Automation, ticket: &Ticket, (since, assigned): (i64, i64)) -> bool {
    let details = ticket.details().expect("it is open");
    let ago = |hours| NOW - SignedDuration::from_hours(hours);
    let assigned = details.assignee.map(|_| ago(assigned));
    let moments = Moments { status_updated: Some(ago(since)), assigned, ..Moments::default() };
    let facts = Facts { moments, ..Facts::of(details) };
    let asking = Asking { person: By::OPERATOR.person, groups: Vec::new(), now: NOW, is_past: true };
    // No automation looks at what is closed.
    details.status != Status::Closed && automation.conditions.hold(&facts, &asking)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60_000, ..ProptestConfig::default() })]

    #[test]
    fn what_an_automation_changed_it_does_not_ask_for_again(
        said in definitions(),
        ticket in tickets(),
        ages in (0..10_i64, 0..10_i64),
    ) {
        let Ok(definition) = checked(RuleKind::Automation, &said, None, &[]) else { return Ok(()) };
        let automation = Automation::read((RuleId::new(9), NOW), &definition, &[]).expect("it was taken");
        if !holds(&automation, &ticket, ages) {
            return Ok(());
        }
        let events = ticket.decide(&Command::Automated(Arc::new(automation.clone()))).expect("it is open");
        let mut after = ticket.clone();
        events.iter().for_each(|event| after.evolve(event));
        let is_set = |of: fn(&TicketEvent) -> bool| events.iter().any(of);
        let since = if is_set(|event| matches!(event, TicketEvent::StatusSet(_))) { 0 } else { ages.0 };
        let assigned = if is_set(|event| matches!(event, TicketEvent::AssigneeSet(_))) { 0 } else { ages.1 };
        prop_assert!(!holds(&automation, &after, (since, assigned)), "{:?} {:?}", said, events);
    }
}
