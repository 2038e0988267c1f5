//! The rules of rules, as sentences.

use schemas::{
    GroupId,
    rule::{RuleAction, RuleChanged, RuleCondition, RuleConditions, RuleDeleted, RuleOutput, RuleValue},
    values::{Role, SortOrder},
};

use super::*;
use crate::{scenario::given, ticket_field};

mod automations;
mod triggers;

const ADMIN: By = By { person: PersonId::new(1), role: Role::Admin };
const AGENT: By = By { person: PersonId::new(2), role: Role::Agent };

fn condition(field: &str, operator: &str, value: &str) -> RuleCondition {
    let value = RuleValue::Text(value.to_owned());
    RuleCondition { field: field.to_owned(), operator: operator.to_owned(), value }
}

fn view() -> RuleDefinition {
    RuleDefinition {
        title: "Unsolved".to_owned(),
        description: None,
        position: 1,
        is_active: true,
        conditions: RuleConditions { all: vec![condition("status", "less_than", "solved")], any: Vec::new() },
        actions: Vec::new(),
        output: Some(Box::new(RuleOutput {
            columns: vec!["subject".to_owned()],
            group_by: None,
            group_order: SortOrder::Ascending,
            sort_by: Some("created".to_owned()),
            sort_order: SortOrder::Descending,
        })),
    }
}

fn rule(audience: Audience, definition: RuleDefinition) -> Known {
    Known { rule: RuleId::new(7), kind: RuleKind::View, audience, definition: definition.into() }
}

fn make(by: By, rule: Known) -> Command {
    Command::Make { by, rule, fields: Vec::new() }
}

fn change(by: By, audience: Audience, definition: RuleDefinition) -> Command {
    Command::Change { by, audience, definition: definition.into(), fields: Vec::new() }
}

fn made(by: By, audience: Audience) -> Vec<RuleEvent> {
    Rule::default().decide(&make(by, rule(audience, view()))).expect("it is right")
}

#[test]
fn a_rule_is_made_changed_and_deleted() {
    let history = made(ADMIN, Audience::Everybody);
    let renamed = RuleDefinition { title: "To do".to_owned(), ..view() };
    let audience = Audience::Groups(vec![GroupId::new(5)]);
    given::<Rule>(history.clone()).when(change(ADMIN, audience.clone(), renamed.clone())).then([RuleChanged {
        audience,
        definition: renamed.into(),
    }
    .into()]);
    given::<Rule>(history.clone()).when(change(ADMIN, Audience::Everybody, view())).then_nothing();
    given::<Rule>(history.clone()).when(Command::Delete(ADMIN)).then([RuleDeleted {}.into()]);
    let gone = [history, vec![RuleDeleted {}.into()]].concat();
    given::<Rule>(gone.clone()).when(Command::Delete(ADMIN)).then_refused(Rejection::Unknown);
    given::<Rule>(gone).when(make(ADMIN, rule(Audience::Everybody, view()))).then_refused(Rejection::AlreadyExists);
}

#[test]
fn agents_have_their_own_and_admins_make_what_is_shared() {
    let (own, groups) = (Audience::Person(AGENT.person), Audience::Groups(vec![GroupId::new(5)]));
    for shared in [Audience::Everybody, groups.clone()] {
        given::<Rule>([]).when(make(AGENT, rule(shared.clone(), view()))).then_refused(Rejection::AdminsOnly);
        let history = made(ADMIN, shared.clone());
        given::<Rule>(history.clone()).when(change(AGENT, own.clone(), view())).then_refused(Rejection::AdminsOnly);
        given::<Rule>(history).when(Command::Delete(AGENT)).then_refused(Rejection::AdminsOnly);
    }
    let history = made(AGENT, own.clone());
    given::<Rule>(history.clone()).when(change(AGENT, groups, view())).then_refused(Rejection::AdminsOnly);
    let other = By { person: PersonId::new(3), ..AGENT };
    given::<Rule>(history.clone()).when(Command::Delete(other)).then_refused(Rejection::Unknown);
    for by in [AGENT, ADMIN] {
        given::<Rule>(history.clone()).when(Command::Delete(by)).then([RuleDeleted {}.into()]);
    }
    given::<Rule>(history.clone()).when(change(ADMIN, own.clone(), view())).then_refused(Rejection::Unknown);
    given::<Rule>([]).when(make(ADMIN, rule(own, view()))).then_refused_field("restriction");
    assert!(history.iter().all(|event| Rule::default().change(event).is_none()), "one's own is nobody's audit");
    let deleted = RuleDeleted {}.into();
    let noted = given_history(&history).change(&deleted).map(|noted| (noted.action, noted.label.expose().clone()));
    assert_eq!(
        noted,
        Some((AuditAction::Destroy, String::new())),
        "but that it is deleted, and not what it was called"
    );
    assert!(made(ADMIN, Audience::Everybody).iter().all(|event| Rule::default().change(event).is_some()));
}

#[test]
fn what_is_shared_and_was_not_or_the_other_way_round_is_made_anew() {
    let own = Audience::Person(ADMIN.person);
    let secret = RuleDefinition { title: "Secret".to_owned(), ..view() };
    let history = made(ADMIN, Audience::Everybody);
    let anew = |audience: Audience, definition: RuleDefinition| {
        RuleEvent::from(RuleMade {
            rule: RuleId::new(7),
            kind: RuleKind::View,
            audience,
            definition: definition.into(),
        })
    };
    let kept = anew(own.clone(), secret.clone());
    given::<Rule>(history.clone()).when(change(ADMIN, own.clone(), secret.clone())).then([kept.clone()]);
    let label = given_history(&history).change(&kept).map(|noted| (noted.action, noted.label.expose().clone()));
    assert_eq!(label, Some((AuditAction::Update, "Unsolved".to_owned())), "its new name is nobody's");

    let history = [history, vec![kept]].concat();
    let renamed = RuleDefinition { title: "Mine".to_owned(), ..secret.clone() };
    given::<Rule>(history.clone()).when(change(ADMIN, own.clone(), renamed.clone())).then([RuleChanged {
        audience: own,
        definition: renamed.into(),
    }
    .into()]);
    let shared = anew(Audience::Everybody, secret.clone());
    given::<Rule>(history.clone()).when(change(ADMIN, Audience::Everybody, secret)).then([shared.clone()]);
    let label = given_history(&history).change(&shared).map(|noted| (noted.action, noted.label.expose().clone()));
    assert_eq!(label, Some((AuditAction::Update, "Secret".to_owned())));
}

#[test]
fn a_view_says_what_it_needs() {
    let output = |change: fn(&mut RuleOutput)| {
        let mut output = view().output.expect("an output");
        change(&mut output);
        RuleDefinition { output: Some(output), ..view() }
    };
    let with =
        |all: Vec<RuleCondition>| RuleDefinition { conditions: RuleConditions { all, any: Vec::new() }, ..view() };
    let wrong = [
        (RuleDefinition { title: " ".to_owned(), ..view() }, "title"),
        (RuleDefinition { description: Some("\0".to_owned()), ..view() }, "description"),
        (with(Vec::new()), "conditions"),
        (with(vec![condition("current_tags", "includes", "a")]), "conditions"),
        (with(vec![condition("status", "is", "open"); CLAUSES_MAX + 1]), "conditions"),
        (with(vec![condition("status", "is", "open"), condition("custom_fields_9", "is", "1")]), "conditions"),
        (output(|output| output.columns.clear()), "columns"),
        (output(|output| output.columns = vec!["subject".to_owned(); 2]), "columns"),
        (output(|output| output.columns = vec!["shoe_size".to_owned()]), "columns"),
        (output(|output| output.sort_by = Some("mood".to_owned())), "sort_by"),
        (output(|output| output.group_by = Some("7".to_owned())), "group_by"),
    ];
    for (definition, field) in wrong {
        given::<Rule>([]).when(make(ADMIN, rule(Audience::Everybody, definition))).then_refused_field(field);
    }
    let none = make(ADMIN, rule(Audience::Groups(Vec::new()), view()));
    given::<Rule>([]).when(none).then_refused_field("restriction");
}

#[test]
fn unknown_fields_operators_and_values_are_refused_by_name() {
    let vocabulary = Vocabulary { fields: &[], unknown: Unknown::Refused };
    for (field, operator, value, takes) in [
        ("mood", "is", "good", "one of the fields status"),
        ("status", "includes", "open", "for status one of the operators is, is_not, less_than, greater_than"),
        ("status", "is", "", "for status one of new, open"),
        ("type", "less_than", "task", "for type one of the operators is, is_not"),
        ("priority", "is", "asap", "for priority one of low, normal, high, urgent or \"\""),
        ("via_id", "is", "99", "for via_id 0 (web), 4 (email) or 5 (api)"),
        ("group_id", "is", "current_user", "for group_id the id of a group"),
        ("requester_id", "is", "", "for requester_id the id of a user"),
        ("current_tags", "includes", "", "for current_tags tags"),
        ("subject_includes_word", "includes", " ", "for subject_includes_word a text"),
        ("NEW", "is", "-1", "for NEW a whole number of hours"),
        ("updated_at", "less_than", "soon", "for updated_at a whole number of hours"),
        ("custom_fields_9", "is", "1", "for custom_fields_9 nothing"),
    ] {
        let sent = RuleConditions { all: vec![condition(field, operator, value)], any: Vec::new() };
        let refused = Conditions::read(&sent, vocabulary).expect_err(field);
        assert_eq!(refused.field, "conditions");
        assert!(refused.takes.starts_with(takes), "{field}: {}", refused.takes);
    }
}

#[test]
fn a_rule_looks_for_so_many_words_in_all_and_one_that_looks_for_more_already_is_put_out_of_use() {
    let words = |count: usize| vec!["smoke"; count].join(" ");
    let with = |all: &str, any: &str| {
        let sought = |field, words| condition(field, "includes", words);
        let mut definition = view();
        definition.conditions.all.push(sought("subject_includes_word", all));
        definition.conditions.any.push(sought("description_includes_word", any));
        definition
    };
    let is_made = |all: usize, any: usize| {
        let rule = rule(Audience::Everybody, with(&words(all), &words(any)));
        Rule::default().decide(&make(ADMIN, rule))
    };
    assert!(is_made(WORDS_MAX - 1, 1).is_ok());
    for (all, any) in [(WORDS_MAX, 1), (1, WORDS_MAX), (WORDS_MAX + 1, 1)] {
        match is_made(all, any) {
            Err(Rejection::Invalid { field, takes }) => {
                assert_eq!((field, takes.contains("at most 100 words")), ("conditions", true), "{takes}");
            }
            other => panic!("{other:?}"),
        }
    }
    let whole = condition("subject_includes_word", "is", &words(WORDS_MAX + 1));
    let conditions = RuleConditions { all: view().conditions.all, any: vec![whole] };
    let one = rule(Audience::Everybody, RuleDefinition { conditions, ..view() });
    assert!(Rule::default().decide(&make(ADMIN, one)).is_ok(), "a text as it stands is one");

    // As it was recorded before there was a limit.
    let Known { rule, kind, audience, definition } =
        rule(Audience::Everybody, with(&words(WORDS_MAX), &words(WORDS_MAX)));
    let history = vec![RuleMade { rule, kind, audience, definition: definition.clone() }.into()];
    let off = RuleDefinition { is_active: false, ..definition.expose().clone() };
    assert!(given_history(&history).decide(&change(ADMIN, Audience::Everybody, off)).is_ok());
    let mut more = definition.expose().clone();
    more.conditions.any.push(condition("status", "is", "open"));
    given::<Rule>(history).when(change(ADMIN, Audience::Everybody, more)).then_refused_field("conditions");
}

fn given_history(history: &[RuleEvent]) -> Rule {
    let mut rule = Rule::default();
    history.iter().for_each(|event| rule.evolve(event));
    rule
}

#[test]
fn what_is_about_a_field_that_is_gone_holds_as_of_an_empty_one() {
    let vocabulary = Vocabulary { fields: &[], unknown: Unknown::Empty };
    for (operator, holds) in
        [("is", false), ("is_not", true), ("present", false), ("not_present", true), ("includes", false)]
    {
        let sent = RuleConditions { all: vec![condition("custom_fields_9", operator, "1")], any: Vec::new() };
        let read = Conditions::read(&sent, vocabulary).expect("it is read");
        assert_eq!(read.all, [Condition::Fixed(holds)], "{operator}");
    }
}

#[test]
fn a_macro_does_something() {
    let action =
        |field: &str, value: &str| RuleAction { field: field.to_owned(), value: RuleValue::Text(value.to_owned()) };
    let with = |actions: Vec<RuleAction>| {
        let definition = RuleDefinition { actions, output: None, ..view() };
        make(ADMIN, Known { kind: RuleKind::Macro, ..rule(Audience::Everybody, definition) })
    };
    for (field, value) in [
        ("status", "new"),
        ("status", ""),
        ("priority", "asap"),
        ("assignee_id", "somebody"),
        ("current_tags", "a,b"),
        ("comment_value", " "),
        ("comment_mode_is_public", "perhaps"),
        ("notification_user", "all_agents"),
        ("custom_fields_9", "1"),
    ] {
        given::<Rule>([]).when(with(vec![action(field, value)])).then_refused_field("actions");
    }
    given::<Rule>([]).when(with(Vec::new())).then_refused_field("actions");
    let right =
        [("status", "solved"), ("assignee_id", "current_user"), ("set_tags", "a b"), ("comment_value", "Done.")];
    let sent: Vec<RuleAction> = right.iter().map(|(field, value)| action(field, value)).collect();
    assert!(Rule::default().decide(&with(sent.clone())).is_ok());
    let vocabulary = Vocabulary { fields: &[] as &[ticket_field::Known], unknown: Unknown::Refused };
    let actions = Action::read_all(&sent, vocabulary).expect("they are right");
    assert_eq!(said(&actions), Some(Said { body: Some("Done.".to_owned()), ..Said::default() }));
    assert_eq!(actions[1], Action::Assignee(Whom::Asker));
}

#[test]
fn no_word_of_a_rule_holds_what_read_models_cannot() {
    let action = |value| RuleAction { field: "comment_value".to_owned(), value };
    let with = |action| RuleDefinition { actions: vec![action], ..view() };
    let many = |texts: [&str; 2]| RuleValue::Many(texts.map(str::to_owned).to_vec());
    let spoilt_condition = |spoil: fn(&mut RuleCondition)| {
        let mut definition = view();
        definition.conditions.any.push(condition("tags", "includes", "a"));
        definition.conditions.any.iter_mut().for_each(spoil);
        definition
    };
    for (kind, definition, field) in [
        (RuleKind::Macro, with(action(many(["a\0b", "hi"]))), "actions"),
        (RuleKind::Macro, with(action(many(["channel:all", "a\0b"]))), "actions"),
        (RuleKind::Macro, with(action(RuleValue::Text("a\0b".to_owned()))), "actions"),
        (RuleKind::Macro, with(action(many([&"a".repeat(70_000), "hi"]))), "actions"),
        (RuleKind::View, spoilt_condition(|it| it.field.push('\0')), "conditions"),
        (RuleKind::View, spoilt_condition(|it| it.operator.push('\0')), "conditions"),
        (RuleKind::View, spoilt_condition(|it| it.value = RuleValue::Many(vec!["\0".to_owned()])), "conditions"),
    ] {
        let rule = Known { kind, ..rule(Audience::Everybody, definition) };
        match Rule::default().decide(&make(ADMIN, rule)) {
            Err(Rejection::Invalid { field: refused, .. }) => assert_eq!(refused, field),
            other => panic!("{other:?}"),
        }
    }
    let sound = Known { kind: RuleKind::Macro, ..rule(Audience::Everybody, with(action(many(["channel:all", "hi"])))) };
    assert!(Rule::default().decide(&make(ADMIN, sound)).is_ok());
}
