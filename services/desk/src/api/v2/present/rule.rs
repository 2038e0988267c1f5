//! Views, macros, triggers and automations.

use domain::{
    rule::{Column, Unknown, Vocabulary},
    ticket_field::Known,
};
use schemas::{
    rule::{Audience, RuleOutput},
    values::SortOrder,
};
use serde_json::{Value, json};

use super::moment;
use crate::{caller::Caller, read::rules::Rule};

/// The absolute address of a rule.
pub(crate) fn url(caller: &Caller, plural: &str, rule_id: i64) -> String {
    caller.origin.url(&format!("/api/v2/{plural}/{rule_id}.json"))
}

/// The view as the API shows it.
pub(crate) fn view(caller: &Caller, row: &Rule, fields: &[Known]) -> Value {
    let mut shown = common(caller, "views", row);
    shown["conditions"] = json!(row.definition.0.conditions);
    shown["execution"] = row.definition.0.output.as_ref().map_or(Value::Null, |output| execution(output, fields));
    shown
}

/// The macro as the API shows it.
pub(crate) fn macro_of(caller: &Caller, row: &Rule) -> Value {
    let mut shown = common(caller, "macros", row);
    shown["actions"] = json!(row.definition.0.actions);
    shown
}

/// The trigger as the API shows it.
pub(crate) fn trigger(caller: &Caller, row: &Rule) -> Value {
    by_itself(caller, "triggers", row)
}

/// The automation as the API shows it.
pub(crate) fn automation(caller: &Caller, row: &Rule) -> Value {
    let mut shown = by_itself(caller, "automations", row);
    shown.as_object_mut().expect("an object").remove("description");
    shown
}

fn by_itself(caller: &Caller, plural: &str, row: &Rule) -> Value {
    let mut shown = common(caller, plural, row);
    shown["conditions"] = json!(row.definition.0.conditions);
    shown["actions"] = json!(row.definition.0.actions);
    // It is everybody's, so the reference says nothing of that.
    shown.as_object_mut().expect("an object").remove("restriction");
    shown
}

fn common(caller: &Caller, plural: &str, row: &Rule) -> Value {
    let definition = &row.definition.0;
    json!({
        "id": row.rule_id,
        "url": url(caller, plural, row.rule_id),
        "title": definition.title,
        "raw_title": definition.title,
        "description": definition.description,
        "active": definition.is_active,
        "default": false,
        "position": definition.position,
        "restriction": restriction(&row.audience()),
        "created_at": moment(row.created_at.to_jiff()),
        "updated_at": moment(row.updated_at.to_jiff()),
    })
}

fn restriction(audience: &Audience) -> Value {
    match audience {
        Audience::Everybody => Value::Null,
        Audience::Groups(groups) => json!({"type": "Group", "id": groups.first(), "ids": groups}),
        Audience::Person(person) => json!({"type": "User", "id": person}),
    }
}

/// The columns of an output; of a field that is gone there is none.
pub(crate) fn columns(output: &RuleOutput, fields: &[Known]) -> Vec<Column> {
    let vocabulary = Vocabulary { fields, unknown: Unknown::Refused };
    output.columns.iter().filter_map(|word| Column::read("columns", word, vocabulary).ok()).collect()
}

/// A column with its title. Those of the tenant's own fields go by the fields' ids.
pub(crate) fn column(column: Column, fields: &[Known]) -> Value {
    match column {
        Column::Field(id) => {
            let known = fields.iter().find(|known| known.field == id);
            let title = known.map(|known| known.definition.expose().title.as_str()).unwrap_or_default();
            let kind = known.map(|known| known.kind.as_str());
            json!({"id": id, "title": title, "type": kind, "filterable": true, "sortable": false})
        }
        _ => {
            json!({"id": column.word(), "title": column.title(), "filterable": true, "sortable": column.is_sortable()})
        }
    }
}

fn execution(output: &RuleOutput, fields: &[Known]) -> Value {
    let columns = columns(output, fields);
    let shown = |wanted: &dyn Fn(&Column) -> bool| -> Vec<Value> {
        columns.iter().filter(|column| wanted(column)).map(|of| column(*of, fields)).collect()
    };
    let is_own = |column: &Column| matches!(column, Column::Field(_));
    let sorted = |by: Option<&String>, order: SortOrder| {
        let read = |word: &String| Column::read("sort_by", word, Vocabulary { fields, unknown: Unknown::Refused }).ok();
        by.and_then(read).map(|by| {
            let mut shown = column(by, fields);
            shown["order"] = json!(order);
            shown
        })
    };
    json!({
        "group_by": output.group_by,
        "group_order": output.group_order,
        "sort_by": output.sort_by,
        "sort_order": output.sort_order,
        "group": sorted(output.group_by.as_ref(), output.group_order),
        "sort": sorted(output.sort_by.as_ref(), output.sort_order),
        "columns": shown(&|_| true),
        "fields": shown(&|column| !is_own(column)),
        "custom_fields": shown(&is_own),
    })
}
