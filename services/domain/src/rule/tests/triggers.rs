//! What a trigger may say, as sentences.

use super::*;

fn action(field: &str, value: &str) -> RuleAction {
    RuleAction { field: field.to_owned(), value: RuleValue::Text(value.to_owned()) }
}

fn trigger() -> RuleDefinition {
    RuleDefinition {
        title: "What smokes is urgent".to_owned(),
        conditions: RuleConditions { all: vec![condition("update_type", "is", "Create")], any: Vec::new() },
        actions: vec![action("priority", "urgent")],
        output: None,
        ..view()
    }
}

fn make_trigger(by: By, audience: Audience, definition: RuleDefinition) -> Command {
    make(by, Known { kind: RuleKind::Trigger, ..rule(audience, definition) })
}

#[test]
fn a_trigger_asks_something_and_does_something() {
    let whole = make_trigger(ADMIN, Audience::Everybody, trigger());
    assert_eq!(Rule::default().decide(&whole).map(|events| events.len()), Ok(1));
    let asking = |said| RuleConditions { all: vec![said], any: Vec::new() };
    let doing = |field, value| RuleDefinition { actions: vec![action(field, value)], ..trigger() };
    let wrong = [
        (RuleDefinition { conditions: RuleConditions::default(), ..trigger() }, "conditions"),
        (RuleDefinition { actions: Vec::new(), ..trigger() }, "actions"),
        (RuleDefinition { conditions: asking(condition("NEW", "is", "1")), ..trigger() }, "conditions"),
        (doing("comment_value", "Hello"), "actions"),
        (doing("assignee_id", "requester_id"), "actions"),
        (doing("notification_user", "requester_id"), "actions"),
        (doing("notification_webhook", "1"), "actions"),
        (doing("notification_target", "1"), "actions"),
    ];
    for (definition, field) in wrong {
        given::<Rule>([]).when(make_trigger(ADMIN, Audience::Everybody, definition)).then_refused_field(field);
    }
}

#[test]
fn a_trigger_is_everybodys_and_the_admins_to_make() {
    for audience in [Audience::Person(ADMIN.person), Audience::Groups(vec![GroupId::new(5)])] {
        given::<Rule>([]).when(make_trigger(ADMIN, audience, trigger())).then_refused_field("restriction");
    }
    given::<Rule>([]).when(make_trigger(AGENT, Audience::Everybody, trigger())).then_refused(Rejection::AdminsOnly);
}

#[test]
fn words_that_a_trigger_does_not_know_are_refused_by_name() {
    let vocabulary = Vocabulary { fields: &[], unknown: Unknown::Refused };
    for (field, operator, value, takes) in [
        ("mood", "is", "good", "one of the fields status"),
        ("mood", "changed", "", "the operators changed"),
        ("current_tags", "changed", "", "the operators changed"),
        ("update_type", "is", "Import", "for update_type Create or Change"),
        ("update_type", "value", "Create", "the operators changed"),
        ("comment_is_public", "is", "loud", "for comment_is_public true, false"),
        ("comment_includes_word", "includes", " ", "for comment_includes_word a text"),
        ("current_via_id", "is", "99", "for current_via_id 0 (web), 4 (email) or 5 (api)"),
        ("role", "is", "king", "for role end_user, agent"),
        ("status", "value", "asleep", "for status one of new, open"),
        ("group_id", "is", "current_groups", "for group_id the id of a group"),
        ("updated_at", "less_than", "1", "one of the fields status"),
        ("custom_fields_9", "changed", "", "for custom_fields_9 nothing"),
    ] {
        let sent = RuleConditions { all: vec![condition(field, operator, value)], any: Vec::new() };
        let refused = Watches::read(&sent, vocabulary).expect_err(field);
        assert_eq!(refused.field, "conditions");
        assert!(refused.takes.starts_with(takes), "{field} {operator}: {}", refused.takes);
        let used = Watches::read(&sent, Vocabulary { unknown: Unknown::Empty, ..vocabulary });
        assert!(used.is_ok(), "what was recorded is read all the same: {field} {operator}");
    }
}
