//! Rules are used and changed as before, whatever becomes of the fields that they are about.

use std::collections::BTreeMap;

use domain::{
    Aggregate,
    rule::{
        Action, Asking, Command, Condition, Conditions, Facts, Known as KnownRule, Moments, Rule, Unknown, Vocabulary,
    },
    ticket::By,
    ticket_field::Known,
};
use jiff::Timestamp;
use proptest::{prelude::*, sample::select, sample::subsequence};
use schemas::{
    PersonId, RuleId, TicketFieldId,
    rule::{Audience, RuleAction, RuleCondition, RuleConditions, RuleDefinition, RuleEvent, RuleOutput, RuleValue},
    ticket_field::{FieldDefinition, FieldOption},
    values::{Channel, FieldKind, Role, RuleKind, SortOrder, Status},
};

const FIELD: &str = "custom_fields_7";
const ADMIN: By = By { person: PersonId::new(1), role: Role::Admin };

fn field(kind: FieldKind, options: &[&str], regexp: &str) -> Known {
    let option = |value: &&str| FieldOption { id: 1, name: (*value).to_owned(), value: (*value).to_owned() };
    let definition = FieldDefinition {
        title: "x".to_owned(),
        title_in_portal: "x".to_owned(),
        description: String::new(),
        agent_description: None,
        position: 1,
        is_active: true,
        is_required: false,
        is_required_in_portal: false,
        is_visible_in_portal: false,
        is_editable_in_portal: false,
        is_collapsed_for_agents: false,
        regexp: Some(regexp.to_owned()),
        tag: None,
        options: options.iter().map(option).collect(),
    };
    Known { field: TicketFieldId::new(7), kind, definition: definition.into() }
}

/// A field of each kind.
fn kinds() -> impl Strategy<Value = FieldKind> {
    select(FieldKind::ALL)
}

/// What a field may become: other options, another expression, or gone.
fn fields(kind: FieldKind) -> impl Strategy<Value = Vec<Known>> {
    let options = subsequence(vec!["red", "green", "blue"], 1..=3);
    let regexps = select(&["", "^red$", "^[a-z ]+$", "^[0-9]+$"][..]);
    let some = (options, regexps).prop_map(move |(options, regexp)| vec![field(kind, &options, regexp)]);
    prop_oneof![4 => some, 1 => Just(Vec::new())]
}

fn values() -> impl Strategy<Value = RuleValue> {
    let texts = select(&["", "red", "RED", "red green", "blue", "5", "2.5", "2026-01-31", "true"][..]);
    let many = subsequence(vec!["red", "green", "blue"], 0..=3);
    prop_oneof![
        4 => texts.prop_map(|text| RuleValue::Text(text.to_owned())),
        2 => many.prop_map(|many| RuleValue::Many(many.into_iter().map(str::to_owned).collect())),
        1 => Just(RuleValue::Integer(5)),
        1 => Just(RuleValue::Flag(false)),
        1 => Just(RuleValue::Nothing),
    ]
}

fn conditions() -> impl Strategy<Value = RuleCondition> {
    let operators = select(
        &["is", "is_not", "less_than", "greater_than", "includes", "not_includes", "present", "not_present"][..],
    );
    (operators, values()).prop_map(|(operator, value)| RuleCondition {
        field: FIELD.to_owned(),
        operator: operator.to_owned(),
        value,
    })
}

fn read(fields: &[Known], unknown: Unknown, condition: &RuleCondition) -> Option<Condition> {
    let sent = RuleConditions { all: vec![condition.clone()], any: Vec::new() };
    Conditions::read(&sent, Vocabulary { fields, unknown }).ok()?.all.pop()
}

fn read_action(fields: &[Known], unknown: Unknown, action: &RuleAction) -> Option<Vec<Action>> {
    Action::read_all(std::slice::from_ref(action), Vocabulary { fields, unknown }).ok()
}

/// Whether a condition holds of a ticket on which no field holds anything.
fn holds_of_an_empty_one(condition: &Condition) -> bool {
    let asking = Asking { person: PersonId::new(3), groups: Vec::new(), now: Timestamp::UNIX_EPOCH, is_past: false };
    let facts = Facts {
        status: Status::Open,
        priority: None,
        ticket_type: None,
        channel: Channel::Api,
        group: None,
        assignee: None,
        requester: PersonId::new(4),
        tags: &[],
        subject: "",
        description: "",
        fields: &BTreeMap::new(),
        created_at: asking.now,
        updated_at: asking.now,
        due_at: None,
        moments: Moments::default(),
    };
    condition.holds(&facts, &asking)
}

fn definition() -> RuleDefinition {
    RuleDefinition {
        title: "x".to_owned(),
        description: None,
        position: 1,
        is_active: true,
        conditions: RuleConditions::default(),
        actions: Vec::new(),
        output: None,
    }
}

/// A view of open tickets that asks this, and shows the field.
fn view(asks: &RuleCondition) -> RuleDefinition {
    let open = RuleCondition {
        field: "status".to_owned(),
        operator: "is".to_owned(),
        value: RuleValue::Text("open".to_owned()),
    };
    let output = RuleOutput {
        columns: vec!["subject".to_owned(), "7".to_owned()],
        group_by: None,
        group_order: SortOrder::Ascending,
        sort_by: None,
        sort_order: SortOrder::Ascending,
    };
    let conditions = RuleConditions { all: vec![open], any: vec![asks.clone()] };
    RuleDefinition { conditions, output: Some(Box::new(output)), ..definition() }
}

fn macro_of(action: &RuleAction) -> RuleDefinition {
    RuleDefinition { actions: vec![action.clone()], ..definition() }
}

/// The rule as it was made while the fields were these; nothing, if they did not take it.
fn made(kind: RuleKind, definition: RuleDefinition, fields: &[Known]) -> Option<Rule> {
    let mut rule = Rule::default();
    let known = KnownRule { rule: RuleId::new(9), kind, audience: Audience::Everybody, definition: definition.into() };
    for event in rule.decide(&Command::Make { by: ADMIN, rule: known, fields: fields.to_vec() }).ok()? {
        rule.evolve(&event);
    }
    Some(rule)
}

/// What becomes of a rule that shall say something else while the fields are these.
fn changed(rule: &Rule, definition: RuleDefinition, fields: &[Known]) -> Option<Vec<RuleEvent>> {
    let definition = definition.into();
    let fields = fields.to_vec();
    rule.decide(&Command::Change { by: ADMIN, audience: Audience::Everybody, definition, fields }).ok()
}

fn before_and_after() -> impl Strategy<Value = (Vec<Known>, Vec<Known>)> {
    kinds().prop_flat_map(|kind| (fields(kind), fields(kind)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_condition_says_what_it_said_and_of_a_field_that_is_gone_what_it_says_of_an_empty_one(
        (before, after) in before_and_after(),
        asks in conditions(),
    ) {
        let Some(said) = read(&before, Unknown::Refused, &asks) else { return Ok(()) };
        let says = read(&after, Unknown::Empty, &asks);
        let expected = if after.is_empty() { Condition::Fixed(holds_of_an_empty_one(&said)) } else { said };
        prop_assert_eq!(says, Some(expected));
    }

    #[test]
    fn an_action_does_what_the_field_takes_and_nothing_else((before, after) in before_and_after(), value in values()) {
        let action = RuleAction { field: FIELD.to_owned(), value };
        let Some(did) = read_action(&before, Unknown::Refused, &action) else { return Ok(()) };
        let does = read_action(&after, Unknown::Empty, &action);
        let is_taken = read_action(&after, Unknown::Refused, &action).is_some();
        prop_assert_eq!(does.as_ref().map(Vec::len), Some(usize::from(is_taken)));
        prop_assert!(!is_taken || does == Some(did));
    }

    #[test]
    fn whatever_becomes_of_fields_a_rule_is_put_out_of_use_and_says_nothing_new_that_is_wrong(
        (before, after) in before_and_after(),
        asks in conditions(),
        other in conditions(),
    ) {
        let action = RuleAction { field: FIELD.to_owned(), value: asks.value.clone() };
        let trigger = RuleDefinition { conditions: view(&asks).conditions, ..macro_of(&action) };
        let solved = RuleCondition { field: "SOLVED".to_owned(), operator: "is".to_owned(), value: RuleValue::Integer(9) };
        let mut automation = trigger.clone();
        automation.conditions.all.push(solved);
        for (kind, said) in [
            (RuleKind::View, view(&asks)),
            (RuleKind::Macro, macro_of(&action)),
            (RuleKind::Trigger, trigger),
            (RuleKind::Automation, automation),
        ] {
            let Some(rule) = made(kind, said.clone(), &before) else { continue };
            let out_of_use = RuleDefinition { is_active: false, title: "y".to_owned(), ..said.clone() };
            prop_assert_eq!(changed(&rule, out_of_use, &after).map(|events| events.len()), Some(1));
            let mut more = said;
            more.conditions.all.push(other.clone());
            more.actions.push(RuleAction { field: FIELD.to_owned(), value: other.value.clone() });
            let asks_right = read(&after, Unknown::Refused, &other).is_some() || other == asks;
            let last = more.actions.last().expect("one was added");
            let does_right = read_action(&after, Unknown::Refused, last).is_some() || other.value == asks.value;
            let is_right = match kind {
                RuleKind::View => asks_right,
                RuleKind::Macro => does_right,
                RuleKind::Trigger | RuleKind::Automation => asks_right && does_right,
            };
            prop_assert_eq!(changed(&rule, more, &after).is_some(), is_right);
        }
    }
}
