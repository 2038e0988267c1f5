//! A rule as a client sends it.

use domain::{rule::Column, text};
use schemas::{
    GroupId, PersonId,
    rule::{Audience, RuleAction, RuleCondition, RuleConditions, RuleDefinition, RuleOutput, RuleValue},
    values::{RuleKind, SortOrder},
};
use serde::Deserialize;
use serde_json::Value;

use crate::body::Fields;

/// Where a new rule stands.
const LAST: i64 = 10_000;

/// What a rule shall say: what is sent, else what it says already. What is wrong is noted in `fields`.
pub(crate) fn definition(fields: &mut Fields<'_>, kind: RuleKind, now: Option<&RuleDefinition>) -> RuleDefinition {
    let title = match now {
        None => fields.required("title", text::name_of("title")),
        Some(_) => fields.checked("title", text::name_of("title")),
    };
    let description = match fields.has("description") {
        true => fields.string("description").map(str::to_owned),
        false => now.and_then(|now| now.description.clone()),
    };
    let (asks, does) = (kind != RuleKind::Macro, kind != RuleKind::View);
    // Whoever says a condition or an action of what works by itself says all of both.
    let is_said_anew = ["all", "any", "conditions", "actions"].iter().any(|name| fields.has(name));
    let kept = now.filter(|_| !matches!(kind, RuleKind::Trigger | RuleKind::Automation) || !is_said_anew);
    RuleDefinition {
        title: title.or(now.map(|now| now.title.clone())).unwrap_or_default(),
        description,
        position: fields.integer("position").or(now.map(|now| now.position)).unwrap_or(LAST),
        is_active: fields.boolean("active").or(now.map(|now| now.is_active)).unwrap_or(true),
        conditions: if asks { conditions(fields, kept) } else { RuleConditions::default() },
        actions: if does { actions(fields, kept) } else { Vec::new() },
        output: (kind == RuleKind::View).then(|| Box::new(output(fields, now))),
    }
}

/// Whose it shall be: a `restriction` of type Group or User, or null for everybody.
pub(super) fn audience(fields: &mut Fields<'_>, now: Option<&Audience>) -> Audience {
    const NAME: &str = "restriction";
    if !fields.has(NAME) {
        return now.cloned().unwrap_or_default();
    }
    let Some(sent) = fields.value(NAME) else { return Audience::Everybody };
    let id = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let (one, many) =
        (id(&sent["id"]), sent["ids"].as_array().into_iter().flatten().map(id).collect::<Option<Vec<i64>>>());
    let audience = match (sent["type"].as_str(), one, many) {
        (Some("User"), Some(person), _) => Some(Audience::Person(PersonId::new(person))),
        (Some("Group"), one, Some(many)) => {
            let groups = if many.is_empty() { Vec::from_iter(one) } else { many };
            Some(Audience::Groups(groups.into_iter().map(GroupId::new).collect()))
        }
        _ => None,
    };
    audience.unwrap_or_else(|| {
        fields.fault(NAME, "takes null, or an object with type Group or User and the id", "InvalidFormat");
        Audience::Everybody
    })
}

/// `all` and `any`, at the top or within `conditions`. Each that is sent takes the place of the one there was.
fn conditions(fields: &mut Fields<'_>, now: Option<&RuleDefinition>) -> RuleConditions {
    let mut conditions = now.map(|now| now.conditions.clone()).unwrap_or_default();
    let within = fields.object("conditions");
    let mut read = |name: &str, into: &mut Vec<RuleCondition>| {
        let within = within.as_ref().filter(|within| within.has(name)).map(|within| within.value(name));
        let sent = if fields.has(name) { Some(fields.value(name)) } else { within };
        let Some(sent) = sent else { return };
        match listed(sent, condition) {
            Some(read) => *into = read,
            None => fields.fault(name, "takes a list of objects with field, operator and value", "InvalidFormat"),
        }
    };
    read("all", &mut conditions.all);
    read("any", &mut conditions.any);
    conditions
}

fn actions(fields: &mut Fields<'_>, now: Option<&RuleDefinition>) -> Vec<RuleAction> {
    if !fields.has("actions") {
        return now.map(|now| now.actions.clone()).unwrap_or_default();
    }
    listed(fields.value("actions"), action).unwrap_or_else(|| {
        fields.fault("actions", "takes a list of objects with field and value", "InvalidFormat");
        Vec::new()
    })
}

fn listed<T>(sent: Option<&Value>, one: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    match sent {
        None => Some(Vec::new()),
        Some(sent) => sent.as_array()?.iter().map(one).collect(),
    }
}

fn condition(sent: &Value) -> Option<RuleCondition> {
    let text = |name: &str| sent[name].as_str().map(str::to_owned);
    Some(RuleCondition { field: text("field")?, operator: text("operator")?, value: value(&sent["value"])? })
}

fn action(sent: &Value) -> Option<RuleAction> {
    Some(RuleAction { field: sent["field"].as_str()?.to_owned(), value: value(&sent["value"])? })
}

fn value(sent: &Value) -> Option<RuleValue> {
    RuleValue::deserialize(sent).ok()
}

fn output(fields: &mut Fields<'_>, now: Option<&RuleDefinition>) -> RuleOutput {
    let now = now.and_then(|now| now.output.as_deref().cloned()).unwrap_or_else(|| RuleOutput {
        columns: Column::DEFAULT.map(str::to_owned).to_vec(),
        group_by: None,
        group_order: SortOrder::Ascending,
        sort_by: None,
        sort_order: SortOrder::Ascending,
    });
    let Some(mut sent) = fields.object("output") else { return now };
    let columns = match sent.items("columns") {
        Some(columns) => columns.iter().map(column).collect(),
        None => Some(now.columns),
    };
    if columns.is_none() {
        sent.fault("columns", "takes a list of names of columns and ids of ticket fields", "InvalidFormat");
    }
    let mut by = |name: &str, now: Option<String>| match sent.has(name) {
        true => sent.string(name).filter(|by| !by.is_empty()).map(str::to_owned),
        false => now,
    };
    let (group_by, sort_by) = (by("group_by", now.group_by), by("sort_by", now.sort_by));
    let output = RuleOutput {
        columns: columns.unwrap_or_default(),
        group_by,
        group_order: sent.word("group_order").unwrap_or(now.group_order),
        sort_by,
        sort_order: sent.word("sort_order").unwrap_or(now.sort_order),
    };
    fields.absorb(sent);
    output
}

fn column(sent: &Value) -> Option<String> {
    sent.as_str().map(str::to_owned).or_else(|| sent.as_i64().map(|id| id.to_string()))
}
