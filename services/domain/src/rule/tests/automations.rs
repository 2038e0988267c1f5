//! What an automation may say, as sentences.

use std::ops::RangeBounds;

use jiff::{SignedDuration, Timestamp};

use super::*;

fn action(field: &str, value: &str) -> RuleAction {
    RuleAction { field: field.to_owned(), value: RuleValue::Text(value.to_owned()) }
}

fn automation(conditions: &[(&str, &str, &str)], actions: &[(&str, &str)]) -> RuleDefinition {
    let all = conditions.iter().map(|(field, operator, value)| condition(field, operator, value)).collect();
    RuleDefinition {
        title: "Close what was solved".to_owned(),
        conditions: RuleConditions { all, any: Vec::new() },
        actions: actions.iter().map(|(field, value)| action(field, value)).collect(),
        output: None,
        ..view()
    }
}

fn made(definition: RuleDefinition) -> Result<usize, &'static str> {
    let known = Known { kind: RuleKind::Automation, ..rule(Audience::Everybody, definition) };
    match Rule::default().decide(&make(ADMIN, known)) {
        Ok(events) => Ok(events.len()),
        Err(Rejection::Invalid { field, .. }) => Err(field),
        Err(other) => panic!("{other:?}"),
    }
}

/// Conditions with field, operator and value, and actions with field and value.
type Words<'a> = (&'a [(&'a str, &'a str, &'a str)], &'a [(&'a str, &'a str)]);

const SOLVED: (&str, &str, &str) = ("status", "is", "solved");
const LONG_AGO: (&str, &str, &str) = ("SOLVED", "greater_than", "96");
const CLOSE: (&str, &str) = ("status", "closed");

#[test]
fn an_automation_asks_of_hours_and_of_some_tickets_and_does_something() {
    assert_eq!(made(automation(&[SOLVED, LONG_AGO], &[CLOSE])), Ok(1));
    for (conditions, actions, field) in [
        (&[SOLVED][..], &[CLOSE][..], "conditions"),
        (&[LONG_AGO], &[CLOSE], "conditions"),
        (&[LONG_AGO, ("current_tags", "includes", "a")], &[CLOSE], "conditions"),
        (&[SOLVED, LONG_AGO, ("update_type", "is", "Create")], &[CLOSE], "conditions"),
        (&[SOLVED, LONG_AGO, ("assignee_id", "is", "current_user")], &[CLOSE], "conditions"),
        (&[SOLVED, LONG_AGO, ("group_id", "is", "current_groups")], &[CLOSE], "conditions"),
        (&[SOLVED, LONG_AGO], &[], "actions"),
        (&[SOLVED, LONG_AGO], &[CLOSE, ("comment_value", "Closed.")], "actions"),
        (&[SOLVED, LONG_AGO], &[CLOSE, ("assignee_id", "current_user")], "actions"),
        (&[SOLVED, LONG_AGO], &[CLOSE, ("assignee_id", "requester_id")], "actions"),
    ] {
        assert_eq!(made(automation(conditions, actions)), Err(field), "{conditions:?} {actions:?}");
    }
    let mut elsewhere = automation(&[SOLVED, LONG_AGO], &[CLOSE]);
    std::mem::swap(&mut elsewhere.conditions.all, &mut elsewhere.conditions.any);
    assert_eq!(made(elsewhere), Err("conditions"), "of `any` another may hold");
}

#[test]
fn what_an_automation_does_ends_what_it_asks() {
    let pending = ("status", "is", "pending");
    let since = ("PENDING", "greater_than", "24");
    let ending: &[Words<'_>] = &[
        (&[pending, since], &[("status", "open")]),
        (&[("status", "less_than", "solved"), since], &[("status", "solved")]),
        (&[("type", "is", "task"), since], &[("type", "")]),
        (&[("type", "is_not", ""), since], &[("type", "")]),
        (&[pending, since, ("priority", "less_than", "high")], &[("priority", "high")]),
        (&[pending, since, ("priority", "is", "")], &[("priority", "low")]),
        (&[pending, since, ("current_tags", "not_includes", "late")], &[("current_tags", "late")]),
        (&[pending, since, ("current_tags", "not_includes", "late")], &[("set_tags", "late other")]),
        (&[pending, since, ("current_tags", "includes", "late")], &[("remove_tags", "late")]),
        (&[pending, since, ("current_tags", "includes", "late")], &[("set_tags", "other")]),
        (&[("group_id", "is", "5"), since], &[("group_id", "6")]),
        (&[("group_id", "is_not", "6"), since], &[("group_id", "6")]),
        (&[("assignee_id", "is", ""), since], &[("assignee_id", "7")]),
        (&[("assignee_id", "is_not", ""), ("assigned_at", "greater_than", "8")], &[("assignee_id", "")]),
        (&[pending, since, ("subject_includes_word", "not_includes", "late")], &[("subject", "LATE")]),
        (&[pending, ("PENDING", "is", "24")], &[("priority", "high")]),
        (&[pending, ("due_date", "is", "1")], &[("priority", "high")]),
        (&[pending, ("updated_at", "greater_than", "24")], &[("priority", "high")]),
        (&[pending, since, ("priority", "is", "low")], &[("priority", "low"), ("priority", "high")]),
    ];
    for (conditions, actions) in ending {
        assert_eq!(made(automation(conditions, actions)), Ok(1), "{conditions:?} {actions:?}");
    }
    let endless: &[Words<'_>] = &[
        (&[pending, since], &[("status", "pending")]),
        (&[pending, since], &[("priority", "high")]),
        (&[pending, since, ("priority", "less_than", "high")], &[("priority", "normal")]),
        (&[pending, since, ("priority", "is", "low")], &[("priority", "high"), ("priority", "low")]),
        (&[pending, since, ("current_tags", "not_includes", "late")], &[("current_tags", "later")]),
        (&[pending, since, ("current_tags", "not_includes", "a")], &[("current_tags", "a"), ("remove_tags", "a")]),
        (&[pending, since, ("current_tags", "includes", "a b")], &[("remove_tags", "a")]),
        (&[("group_id", "is_not", "6"), since], &[("group_id", "5")]),
        (&[("assignee_id", "is", "requester_id"), since], &[("assignee_id", "7")]),
        (&[pending, ("NEW", "greater_than", "24")], &[("status", "closed"), ("status", "pending")]),
        (&[pending, ("updated_at", "less_than", "24")], &[("priority", "high")]),
        (&[pending, ("updated_at", "is", "0")], &[("priority", "high")]),
        (&[pending, ("NEW", "greater_than", "24")], &[("priority", "high")]),
    ];
    for (conditions, actions) in endless {
        assert_eq!(made(automation(conditions, actions)), Err("actions"), "{conditions:?} {actions:?}");
    }
}

#[test]
fn an_automation_is_everybodys_and_the_admins_to_make() {
    let definition = automation(&[SOLVED, LONG_AGO], &[CLOSE]);
    let whole = |audience| Known { kind: RuleKind::Automation, ..rule(audience, definition.clone()) };
    given::<Rule>([]).when(make(ADMIN, whole(Audience::Person(ADMIN.person)))).then_refused_field("restriction");
    given::<Rule>([]).when(make(AGENT, whole(Audience::Everybody))).then_refused(Rejection::AdminsOnly);
}

#[test]
fn one_about_a_field_that_is_gone_can_be_put_out_of_use() {
    let field = ticket_field::Known {
        field: schemas::TicketFieldId::new(9),
        kind: schemas::values::FieldKind::Integer,
        definition: schemas::ticket_field::FieldDefinition { is_active: true, ..Default::default() }.into(),
    };
    let about = [SOLVED, LONG_AGO, ("custom_fields_9", "is", "1")];
    let definition = automation(&about, &[("custom_fields_9", "2")]);
    let known = Known { kind: RuleKind::Automation, ..rule(Audience::Everybody, definition.clone()) };
    let make = Command::Make { by: ADMIN, rule: known, fields: vec![field] };
    let history = Rule::default().decide(&make).expect("there is such a field");
    let unused = RuleDefinition { is_active: false, ..definition };
    given::<Rule>(history).when(change(ADMIN, Audience::Everybody, unused.clone())).then([RuleChanged {
        audience: Audience::Everybody,
        definition: unused.into(),
    }
    .into()]);
}

#[test]
fn what_is_no_hour_old_is_so_as_of_one_hour_only() {
    let of_an_hour = |hour: i64| {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
        let asking = Asking { person: ADMIN.person, groups: Vec::new(), now, is_past: true };
        Moment::Created.range(Compare::Is, 0, &asking)
    };
    // One that happened at the very beginning of an hour, and one in the midst of one.
    for (minutes, found) in [(120, 2), (150, 3)] {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let hours: Vec<i64> = (0..6).filter(|hour| of_an_hour(*hour).contains(&at)).collect();
        assert_eq!(hours, [found]);
    }
}
