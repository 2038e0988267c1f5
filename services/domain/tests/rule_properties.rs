//! What conditions say of tickets, held against a reading of their words that takes nothing from the rules.

use std::collections::BTreeMap;

use domain::{
    rule::{Asking, Conditions, Facts, Moments, Unknown, Vocabulary},
    ticket_field::Known,
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, option, prelude::*, sample::select};
use schemas::{
    GroupId, PersonId, TicketFieldId,
    rule::{RuleCondition, RuleConditions, RuleValue},
    ticket_field::{FieldDefinition, FieldOption, FieldValue},
    values::{Channel, FieldKind, Priority, Status, TicketType},
};

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

#[derive(Debug, Clone)]
struct Ticket {
    status: Status,
    priority: Option<Priority>,
    ticket_type: Option<TicketType>,
    channel: Channel,
    group: Option<i64>,
    assignee: Option<i64>,
    requester: i64,
    tags: Vec<String>,
    subject: String,
    number: Option<i64>,
    colours: Vec<String>,
    /// Minutes ago.
    created: i64,
    /// Minutes ahead.
    due: Option<i64>,
    /// Minutes ago, since when it has its status, and since when somebody works on it.
    since: (i64, Option<i64>),
}

fn tickets() -> impl Strategy<Value = Ticket> {
    let words = (
        select(Status::ALL),
        option::of(select(Priority::ALL)),
        option::of(select(TicketType::ALL)),
        select(Channel::ALL),
    );
    let people = (option::of(1..4_i64), option::of(1..4_i64), 1..4_i64);
    let texts = (vec(select(&["a", "b", "c"][..]), 0..3), "[aA ÄöxX]{0,6}");
    let fields = (option::of(0..5_i64), vec(select(&["red", "green"][..]), 0..2));
    let since = (0..400_i64, option::of(0..400_i64));
    (words, people, texts, fields, 0..400_i64, option::of(-400..400_i64), since).prop_map(
        |(words, people, texts, fields, created, due, since)| Ticket {
            status: words.0,
            priority: words.1,
            ticket_type: words.2,
            channel: words.3,
            group: people.0,
            assignee: people.1,
            requester: people.2,
            tags: texts.0.into_iter().map(str::to_owned).collect(),
            subject: texts.1,
            number: fields.0,
            colours: fields.1.into_iter().map(str::to_owned).collect(),
            created,
            due,
            since,
        },
    )
}

/// Field, operator and value, of which some do not go together.
fn conditions() -> impl Strategy<Value = (String, String, String)> {
    let fields = select(
        &[
            "status",
            "priority",
            "type",
            "via_id",
            "group_id",
            "assignee_id",
            "requester_id",
            "current_tags",
            "subject_includes_word",
            "NEW",
            "OPEN",
            "SOLVED",
            "assigned_at",
            "requester_updated_at",
            "due_date",
            "until_due_date",
            "custom_fields_1",
            "custom_fields_2",
            "mood",
        ][..],
    );
    let operators = select(
        &["is", "is_not", "less_than", "greater_than", "includes", "not_includes", "present", "not_present", "changed"]
            [..],
    );
    let values = select(
        &[
            "",
            "open",
            "solved",
            "low",
            "high",
            "task",
            "0",
            "1",
            "2",
            "3",
            "4",
            "5",
            "current_user",
            "current_groups",
            "requester_id",
            "assignee_id",
            "a",
            "a b",
            "Ä x",
            "red",
            "red green",
        ][..],
    );
    (fields, operators, values)
        .prop_map(|(field, operator, value)| (field.to_owned(), operator.to_owned(), value.to_owned()))
}

fn known() -> Vec<Known> {
    let option = |value: &str| FieldOption { id: 1, name: value.to_owned(), value: value.to_owned() };
    let definition = FieldDefinition {
        title: "x".to_owned(),
        title_in_portal: "x".to_owned(),
        position: 1,
        is_active: true,
        options: vec![option("red"), option("green")],
        ..FieldDefinition::default()
    };
    let field = |id, kind| Known { field: TicketFieldId::new(id), kind, definition: definition.clone().into() };
    vec![field(1, FieldKind::Integer), field(2, FieldKind::Multiselect)]
}

fn order(operator: &str, one: i64, other: i64) -> Option<bool> {
    match operator {
        "is" => Some(one == other),
        "is_not" => Some(one != other),
        "less_than" => Some(one < other),
        "greater_than" => Some(one > other),
        _ => None,
    }
}

fn same(operator: &str, one: bool) -> Option<bool> {
    match operator {
        "is" => Some(one),
        "is_not" => Some(!one),
        _ => None,
    }
}

fn list(operator: &str, has_one: bool) -> Option<bool> {
    match operator {
        "includes" => Some(has_one),
        "not_includes" => Some(!has_one),
        _ => None,
    }
}

fn hours(operator: &str, minutes: Option<i64>, value: &str) -> Option<bool> {
    let asked: i64 = value.parse().ok()?;
    if operator == "is_not" {
        return None;
    }
    let counted = minutes.filter(|minutes| *minutes >= 0).map(|minutes| minutes / 60);
    counted.map_or_else(|| order(operator, 0, 0).map(|_| false), |counted| order(operator, counted, asked))
}

fn party(operator: &str, found: Option<i64>, (value, ticket): (&str, &Ticket), field: &str) -> Option<bool> {
    let is = match (value, field) {
        ("", "group_id" | "assignee_id") => found.is_none(),
        ("current_groups", "group_id") => matches!(found, Some(1 | 2)),
        ("current_user", "assignee_id" | "requester_id") => found == Some(3),
        ("requester_id", "assignee_id") => found == Some(ticket.requester),
        ("assignee_id", "requester_id") => ticket.assignee.is_some() && found == ticket.assignee,
        _ => found == Some(value.parse().ok()?),
    };
    same(operator, is)
}

fn word(operator: &str, (found, value): (Option<&str>, &str), words: &[&str], is_optional: bool) -> Option<bool> {
    let rank = |word: &str| match word {
        "" if is_optional => Some(0),
        word => words.iter().position(|known| *known == word).map(|index| i64::try_from(index).unwrap_or(0) + 1),
    };
    order(operator, rank(found.unwrap_or_default())?, rank(value)?)
}

/// Whether it holds; nothing, where the words make no condition.
fn naive((field, operator, value): &(String, String, String), ticket: &Ticket) -> Option<bool> {
    let (operator, value) = (operator.as_str(), value.as_str());
    let has = |words: &[String], text: &str| text.split(' ').any(|word| words.iter().any(|known| known == word));
    match field.as_str() {
        "status" => word(
            operator,
            (Some(ticket.status.as_str()), value),
            &["new", "open", "pending", "hold", "solved", "closed"],
            false,
        ),
        "priority" => {
            word(operator, (ticket.priority.map(Priority::as_str), value), &["low", "normal", "high", "urgent"], true)
        }
        "type" => {
            let found = (ticket.ticket_type.map(TicketType::as_str), value);
            let words = ["problem", "incident", "question", "task"];
            word(operator, found, &words, true).filter(|_| operator.starts_with("is"))
        }
        "via_id" => {
            let named = match value {
                "0" => "web",
                "4" => "email",
                "5" => "api",
                _ => return None,
            };
            same(operator, ticket.channel.as_str() == named)
        }
        "group_id" => party(operator, ticket.group, (value, ticket), field),
        "assignee_id" => party(operator, ticket.assignee, (value, ticket), field),
        "requester_id" => party(operator, Some(ticket.requester), (value, ticket), field),
        "current_tags" if value.is_empty() => None,
        "current_tags" => list(operator, has(&ticket.tags, &value.to_lowercase())),
        "subject_includes_word" => {
            let (subject, value) = (ticket.subject.to_lowercase(), value.to_lowercase());
            let has_word = value.split(' ').any(|word| subject.contains(word));
            let found = list(operator, has_word).or_else(|| same(operator, subject.contains(&value)));
            found.filter(|_| !value.is_empty())
        }
        "NEW" => hours(operator, Some(ticket.created), value),
        "OPEN" => hours(operator, Some(ticket.since.0).filter(|_| ticket.status == Status::Open), value),
        "SOLVED" => hours(operator, Some(ticket.since.0).filter(|_| ticket.status == Status::Solved), value),
        "assigned_at" => hours(operator, ticket.since.1, value),
        "requester_updated_at" => hours(operator, None, value),
        "due_date" => hours(operator, ticket.due.map(|due| -due), value),
        "until_due_date" => hours(operator, ticket.due, value),
        "custom_fields_1" => match operator {
            "present" => Some(ticket.number.is_some()),
            "not_present" => Some(ticket.number.is_none()),
            _ if value.is_empty() => same(operator, ticket.number.is_none()),
            _ => {
                let value: i64 = value.parse().ok()?;
                let empty = order(operator, 0, 0).map(|_| operator == "is_not");
                ticket.number.map_or(empty, |number| order(operator, number, value))
            }
        },
        "custom_fields_2" => match operator {
            "present" => Some(!ticket.colours.is_empty()),
            "not_present" => Some(ticket.colours.is_empty()),
            _ if matches!(value, "red" | "red green") => list(operator, has(&ticket.colours, value)),
            _ => None,
        },
        _ => None,
    }
}

fn sent((field, operator, value): &(String, String, String)) -> RuleCondition {
    let value = RuleValue::Text(value.clone());
    RuleCondition { field: field.clone(), operator: operator.clone(), value }
}

fn holds(conditions: &Conditions, ticket: &Ticket) -> bool {
    let mut fields = BTreeMap::new();
    fields.extend(ticket.number.map(|number| (TicketFieldId::new(1), FieldValue::Integer(number))));
    if !ticket.colours.is_empty() {
        fields.insert(TicketFieldId::new(2), FieldValue::Many(ticket.colours.clone()));
    }
    let facts = Facts {
        status: ticket.status,
        priority: ticket.priority,
        ticket_type: ticket.ticket_type,
        channel: ticket.channel,
        group: ticket.group.map(GroupId::new),
        assignee: ticket.assignee.map(PersonId::new),
        requester: PersonId::new(ticket.requester),
        tags: &ticket.tags,
        subject: &ticket.subject,
        description: "",
        fields: &fields,
        created_at: NOW - SignedDuration::from_mins(ticket.created),
        updated_at: NOW,
        due_at: ticket.due.map(|due| NOW + SignedDuration::from_mins(due)),
        moments: Moments {
            status_updated: Some(NOW - SignedDuration::from_mins(ticket.since.0)),
            assigned: ticket.since.1.map(|assigned| NOW - SignedDuration::from_mins(assigned)),
            ..Moments::default()
        },
    };
    let groups = vec![GroupId::new(1), GroupId::new(2)];
    let asking = Asking { person: PersonId::new(3), groups, now: NOW, is_past: false };
    conditions.hold(&facts, &asking)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_condition_says_what_its_words_say_and_other_words_are_refused(words in conditions(), ticket in tickets()) {
        let sent = RuleConditions { all: vec![sent(&words)], any: Vec::new() };
        let fields = known();
        let read = Conditions::read(&sent, Vocabulary { fields: &fields, unknown: Unknown::Refused });
        match naive(&words, &ticket) {
            None => prop_assert!(read.is_err(), "{words:?} is no condition"),
            Some(expected) => prop_assert_eq!(holds(&read.expect("a condition"), &ticket), expected),
        }
    }

    #[test]
    fn all_of_all_hold_and_one_of_any(all in vec(conditions(), 0..3), any in vec(conditions(), 0..3), ticket in tickets()) {
        let right = |words: Vec<(String, String, String)>| -> Vec<_> {
            words.into_iter().filter(|words| naive(words, &ticket).is_some()).collect()
        };
        let (all, any) = (right(all), right(any));
        let holds_naively = |words: &(String, String, String)| naive(words, &ticket) == Some(true);
        let expected = all.iter().all(holds_naively) && (any.is_empty() || any.iter().any(holds_naively));
        let sent = RuleConditions { all: all.iter().map(sent).collect(), any: any.iter().map(sent).collect() };
        let fields = known();
        let read = Conditions::read(&sent, Vocabulary { fields: &fields, unknown: Unknown::Refused }).expect("conditions");
        prop_assert_eq!(holds(&read, &ticket), expected);
    }
}
