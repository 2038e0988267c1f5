//! Random triggers and commands.

use domain::{
    rule::{Trigger, Triggers, Watching},
    ticket::{By, Changes, Command, Comment, Fields, Further, Open, Update},
    ticket_field::Known,
};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::select};
use schemas::{
    GroupId, PersonId, Personal, RuleId, TicketFieldId,
    rule::{RuleAction, RuleCondition, RuleConditions, RuleDefinition, RuleValue},
    ticket_field::{FieldDefinition, FieldOption, FieldValue},
    values::{Channel, FieldKind, Priority, Role, Status, TicketType, Visibility},
};

pub(crate) const REQUESTER: By = By { person: PersonId::new(1), role: Role::EndUser };
pub(crate) const AGENT: By = By { person: PersonId::new(8), role: Role::Agent };

/// Field, operator and value.
pub(crate) type Said = (&'static str, &'static str, &'static str);

/// A trigger as somebody said it.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    pub(crate) all: Vec<Said>,
    pub(crate) any: Vec<Said>,
    pub(crate) actions: Vec<(&'static str, &'static str)>,
}

const CONDITIONS: &[Said] = &[
    ("update_type", "is", "Create"),
    ("update_type", "is", "Change"),
    ("status", "is", "open"),
    ("status", "is_not", "solved"),
    ("status", "less_than", "solved"),
    ("status", "changed", ""),
    ("status", "not_changed", ""),
    ("status", "value", "open"),
    ("status", "value", "closed"),
    ("status", "value_previous", "new"),
    ("status", "not_value", "solved"),
    ("status", "not_value_previous", "new"),
    ("priority", "is", ""),
    ("priority", "is", "high"),
    ("priority", "is_not", "low"),
    ("priority", "changed", ""),
    ("priority", "value", "high"),
    ("priority", "value_previous", ""),
    ("type", "is", "task"),
    ("type", "changed", ""),
    ("group_id", "is", "5"),
    ("group_id", "is", ""),
    ("group_id", "changed", ""),
    ("assignee_id", "is", ""),
    ("assignee_id", "is", "current_user"),
    ("assignee_id", "value", "8"),
    ("assignee_id", "changed", ""),
    ("requester_id", "is", "current_user"),
    ("current_tags", "includes", "a b"),
    ("current_tags", "not_includes", "a"),
    ("comment_is_public", "is", "true"),
    ("comment_is_public", "is", "false"),
    ("comment_is_public", "is", "not_relevant"),
    ("comment_includes_word", "includes", "smoke fire"),
    ("comment_includes_word", "not_includes", "smoke"),
    ("role", "is", "end_user"),
    ("role", "is", "agent"),
    ("role", "is_not", "8"),
    ("current_via_id", "is", "5"),
    ("current_via_id", "is_not", "4"),
    ("custom_fields_21", "is", "red"),
    ("custom_fields_21", "is_not", "red"),
    ("custom_fields_21", "is", ""),
    ("custom_fields_21", "changed", ""),
    ("custom_fields_21", "value", "blue"),
    ("custom_fields_21", "value_previous", "red"),
    ("custom_fields_22", "is", "true"),
    ("custom_fields_22", "not_value", "true"),
    ("custom_fields_22", "not_changed", ""),
    ("current_tags", "includes", "red checked"),
];

const ACTIONS: &[(&str, &str)] = &[
    ("status", "open"),
    ("status", "pending"),
    ("status", "solved"),
    ("status", "closed"),
    ("priority", "high"),
    ("priority", "low"),
    ("priority", ""),
    ("type", "task"),
    ("type", ""),
    ("group_id", "5"),
    ("group_id", "6"),
    ("group_id", ""),
    ("assignee_id", "8"),
    ("assignee_id", "9"),
    ("assignee_id", "current_user"),
    ("assignee_id", ""),
    ("set_tags", "a"),
    ("current_tags", "b c"),
    ("remove_tags", "a"),
    ("custom_fields_21", "red"),
    ("custom_fields_21", "blue"),
    ("custom_fields_21", ""),
    ("custom_fields_22", "true"),
    ("custom_fields_22", "false"),
    ("remove_tags", "red"),
];

/// A dropdown, and a checkbox with a tag.
fn fields() -> Vec<Known> {
    let option = |value: &str| FieldOption { id: 1, name: value.to_owned(), value: value.to_owned() };
    let dropdown =
        FieldDefinition { is_active: true, options: vec![option("red"), option("blue")], ..FieldDefinition::default() };
    let checkbox = FieldDefinition { is_active: true, tag: Some("checked".to_owned()), ..FieldDefinition::default() };
    let known = |id, kind, definition: FieldDefinition| Known {
        field: TicketFieldId::new(id),
        kind,
        definition: definition.into(),
    };
    vec![known(21, FieldKind::Tagger, dropdown), known(22, FieldKind::Checkbox, checkbox)]
}

pub(crate) fn triggers() -> impl Strategy<Value = Vec<Words>> {
    let one = (vec(select(CONDITIONS), 0..3), vec(select(CONDITIONS), 0..3), vec(select(ACTIONS), 1..4));
    vec(one.prop_map(|(all, any, actions)| Words { all, any, actions }), 0..7)
}

fn comments() -> impl Strategy<Value = Comment> {
    let said = select(&["It smokes, SMOKE", "all quiet", "fire"][..]);
    (said, any::<bool>()).prop_map(|(said, is_public)| {
        if is_public { Comment::public(said.to_owned()) } else { Comment::internal(said.to_owned()) }
    })
}

pub(crate) fn openings() -> impl Strategy<Value = Command> {
    let handled = (option::of(Just(AGENT.person)), option::of(Just(GroupId::new(5))));
    (any::<bool>(), option::of(select(Priority::ALL)), handled, vec(select(&["a", "b"][..]), 0..2)).prop_map(
        |(is_own, priority, (assignee, group), tags)| {
            let comment = Comment::public("It smokes".to_owned());
            let open =
                Open::new(if is_own { REQUESTER } else { AGENT }, REQUESTER.person, "Kettle".to_owned(), comment);
            let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
            let plain = Open { priority, ..open };
            if is_own { plain.into() } else { Open { assignee, group, tags: tags.into(), ..plain }.into() }
        },
    )
}

pub(crate) fn updates() -> impl Strategy<Value = Command> {
    let described = (
        option::weighted(0.3, option::of(select(Priority::ALL))),
        option::weighted(0.3, option::of(select(TicketType::ALL))),
    );
    let handled = (
        option::weighted(0.3, option::of(Just(GroupId::new(6)))),
        option::weighted(0.3, option::of(select(vec![AGENT.person, PersonId::new(9)]))),
        option::weighted(0.5, select(&Status::ALL[1..])),
    );
    let tags = option::weighted(0.3, vec(select(&["a", "b", "d"][..]), 0..3));
    let chosen = select(&["red", "blue", ""][..]).prop_map(|value| (21, Some(FieldValue::Text(value.to_owned()))));
    let checked = any::<bool>().prop_map(|value| (22, Some(FieldValue::Flag(value))));
    let asked = vec(prop_oneof![chosen, checked], 0..2);
    (any::<bool>(), described, handled, (tags, asked), option::of(comments())).prop_map(
        |(is_requester, (priority, ticket_type), (group, assignee, status), (tags, asked), comment)| {
            if is_requester {
                let comment = comment.map(|comment| Comment { visibility: Some(Visibility::Public), ..comment });
                return Update { by: REQUESTER, changes: Changes::default(), comment, channel: Channel::Email }.into();
            }
            let tags: Option<Vec<String>> = tags.map(|tags| tags.into_iter().map(str::to_owned).collect());
            let changes = Changes {
                priority,
                ticket_type,
                group,
                assignee,
                status,
                tags: tags.map(Into::into),
                further: Further { fields: filled(asked), ..Further::default() },
                ..Changes::default()
            };
            Update { by: AGENT, changes, comment, channel: Channel::Api }.into()
        },
    )
}

fn filled(asked: Vec<(i64, Option<FieldValue>)>) -> Fields {
    let asked = asked.into_iter().map(|(field, value)| (TicketFieldId::new(field), Personal::from(value)));
    Fields { known: fields().into(), asked: asked.collect() }
}

fn definition(words: &Words) -> RuleDefinition {
    let text = |value: &str| RuleValue::Text(value.to_owned());
    let conditions = |said: &[Said]| {
        let one = |(field, operator, value): &Said| RuleCondition {
            field: (*field).to_owned(),
            operator: (*operator).to_owned(),
            value: text(value),
        };
        said.iter().map(one).collect()
    };
    let action = |(field, value): &(&str, &str)| RuleAction { field: (*field).to_owned(), value: text(value) };
    RuleDefinition {
        title: "T".to_owned(),
        description: None,
        position: 1,
        is_active: true,
        conditions: RuleConditions { all: conditions(&words.all), any: conditions(&words.any) },
        actions: words.actions.iter().map(action).collect(),
        output: None,
    }
}

/// Read as the platform reads them; their ids are their places.
pub(crate) fn typed(words: &[Words]) -> Watching {
    let read = words.iter().enumerate().map(|(place, words)| {
        let rule = RuleId::new(i64::try_from(place).expect("a few"));
        Trigger::read((rule, Timestamp::UNIX_EPOCH), &definition(words), &fields()).expect("a few clauses")
    });
    Triggers::new(read.collect(), fields()).into()
}
