//! What a form says of a ticket: every field as the texts that were typed or chosen.
//!
//! A ticket that is read, and a form that is sent, are the same thing here, so that what somebody changed is the difference
//! between two of them, and what two people changed can be laid over each other field by field.

use std::collections::BTreeMap;

use domain::ticket_field::Known;
use schemas::values::FieldKind;
use serde_json::{Map, Value, json};

use super::{names::Names, table::written};
use crate::{body::form::Form, read::tickets::Ticket};

/// The fields that every ticket has and that agents change here.
const FIELDS: [&str; 9] = ["subject", "requester", "status", "priority", "type", "assignee", "group", "tags", "ccs"];

/// The fields by name; those that the tenant made are `field.<id>`. One that is not here is not spoken of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attributes(BTreeMap<String, Vec<String>>);

impl Attributes {
    /// Those of a ticket.
    pub(super) fn of(row: &Ticket, names: &Names, known: &[Known]) -> Self {
        let one = |text: Option<String>| text.filter(|text| !text.is_empty()).into_iter().collect::<Vec<_>>();
        let id = |id: Option<i64>| one(id.map(|id| id.to_string()));
        let mut fields: BTreeMap<String, Vec<String>> = [
            ("subject", one(Some(row.subject.clone()))),
            ("requester", one(Some(names.address(row.requester_id)))),
            ("status", one(Some(row.status.clone()))),
            ("priority", one(row.priority.clone())),
            ("type", one(row.ticket_type.clone())),
            ("assignee", id(row.assignee_id)),
            ("group", id(row.group_id)),
            ("tags", sorted(row.tags.clone())),
            ("ccs", sorted(row.email_cc_ids.iter().map(|id| names.address(*id)).collect())),
        ]
        .map(|(name, values)| (name.to_owned(), values))
        .into();
        for known in known {
            let value = &row.custom_fields[known.field.to_string()];
            let values = match (known.kind, value) {
                (FieldKind::Checkbox, value) => {
                    one(value.as_bool().filter(|ticked| *ticked).map(|_| "true".to_owned()))
                }
                (FieldKind::Multiselect, Value::Array(values)) => sorted(values.iter().map(written).collect()),
                (_, value) => one(Some(written(value))),
            };
            fields.insert(key(known), values);
        }
        Self(fields)
    }

    /// Those that a form speaks of. Boxes that are not ticked are not sent: the form names them among `shown`.
    pub(super) fn read(form: &Form, known: &[Known]) -> Self {
        Self::read_as("", form, known)
    }

    /// What the fields of a form held before anybody touched them, as far as it says so: read as what is typed is, so that whatever a
    /// browser makes of a text happens to both.
    pub(super) fn untouched(form: &Form, known: &[Known]) -> Self {
        Self::read_as("was.", form, known)
    }

    fn read_as(before: &str, form: &Form, known: &[Known]) -> Self {
        let is_sent = |name: &str| {
            let name = format!("{before}{name}");
            form.has(&name) || form.all("shown").any(|shown| shown == name)
        };
        let texts = |name: &str| -> Vec<String> {
            form.all(&format!("{before}{name}")).filter(|text| !text.is_empty()).map(str::to_owned).collect()
        };
        // Browsers have no line ends in inputs of one line.
        let in_a_line = |values: Vec<String>| values.into_iter().map(|text| text.replace(['\r', '\n'], "")).collect();
        let mut fields = BTreeMap::new();
        for name in FIELDS.into_iter().filter(|name| is_sent(name)) {
            let values = texts(name);
            let values = match name {
                "tags" => {
                    sorted(values.iter().flat_map(|text| text.split([' ', ',', '\n'])).map(str::to_owned).collect())
                }
                "ccs" => sorted(
                    values.iter().flat_map(|text| text.split([' ', ',', ';', '\n'])).map(str::to_lowercase).collect(),
                ),
                _ => in_a_line(values),
            };
            fields.insert(name.to_owned(), values);
        }
        for known in known {
            let name = key(known);
            if is_sent(&name) {
                let values = texts(&name);
                let values = match known.kind {
                    FieldKind::Multiselect => sorted(values),
                    // Browsers send line ends as networks have them.
                    FieldKind::Textarea => values.into_iter().map(|text| text.replace("\r\n", "\n")).collect(),
                    _ => in_a_line(values),
                };
                fields.insert(name, values);
            }
        }
        Self(fields)
    }

    /// What a field holds; the first text, if several.
    pub(super) fn text(&self, name: &str) -> &str {
        self.all(name).first().map_or("", String::as_str)
    }

    /// All that a field holds.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Those of these fields that are not as in `before`.
    pub(super) fn changed_from(&self, before: &Self) -> Self {
        let is_changed = |(name, values): &(&String, &Vec<String>)| before.all(name) != values.as_slice();
        Self(self.0.iter().filter(is_changed).map(|(name, values)| (name.clone(), values.clone())).collect())
    }

    /// These fields with `changes` laid over them.
    pub(super) fn with(mut self, changes: &Self) -> Self {
        self.0.extend(changes.0.clone());
        self
    }

    /// These fields with what was done to `before`, so that it is `after`, done to them: of tags one by one, of others as a whole.
    pub(super) fn changed_like(self, before: &Self, after: &Self) -> Self {
        let (was, is) = (before.all("tags"), after.all("tags"));
        let kept = self.all("tags").iter().filter(|tag| !was.contains(tag) || is.contains(tag));
        let added = is.iter().filter(|tag| !was.contains(tag));
        let tags = sorted(kept.chain(added).cloned().collect());
        let mut changed = self.with(&after.changed_from(before));
        changed.0.insert("tags".to_owned(), tags);
        changed
    }

    /// The fields that are spoken of.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The same as the API takes it.
    pub(super) fn request(&self, known: &[Known]) -> Map<String, Value> {
        let mut request = Map::new();
        for (name, values) in &self.0 {
            let first = values.first();
            let (name, value) = match name.as_str() {
                "requester" => match first.map(|text| (text, text.parse::<i64>())) {
                    Some((_, Ok(id))) => ("requester_id", json!(id)),
                    Some((email, Err(_))) => ("requester", json!({"email": email})),
                    None => continue,
                },
                "assignee" => ("assignee_id", json!(first)),
                "group" => ("group_id", json!(first)),
                "tags" => ("tags", json!(values)),
                "ccs" => ("email_cc_ids", json!(values)),
                name @ ("subject" | "status" | "priority" | "type") => (name, json!(first)),
                _ => continue,
            };
            request.insert(name.to_owned(), value);
        }
        let own = known.iter().filter_map(|known| Some((known, self.0.get(&key(known))?)));
        let own: Vec<Value> =
            own.map(|(known, values)| json!({"id": known.field, "value": held(known, values)})).collect();
        if !own.is_empty() {
            request.insert("custom_fields".to_owned(), json!(own));
        }
        request
    }
}

/// The name of a field that the tenant made.
pub(super) fn key(known: &Known) -> String {
    format!("field.{}", known.field)
}

fn held(known: &Known, values: &[String]) -> Value {
    match known.kind {
        FieldKind::Checkbox => json!(values.first().is_some_and(|text| text == "true")),
        FieldKind::Multiselect => json!(values),
        _ => json!(values.first()),
    }
}

fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.retain(|value| !value.is_empty());
    values.sort_unstable();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(fields: &[(&str, &[&str])]) -> Attributes {
        let owned = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        Attributes(fields.iter().map(|(name, values)| ((*name).to_owned(), owned(values))).collect())
    }

    #[test]
    fn what_two_people_changed_is_laid_over_each_other_field_by_field() {
        let seen = attributes(&[("status", &["open"]), ("priority", &[]), ("tags", &["a"])]);
        let typed = attributes(&[("status", &["solved"]), ("priority", &[]), ("tags", &["a"])]);
        let now = attributes(&[("status", &["open"]), ("priority", &["high"]), ("tags", &["a", "b"])]);
        let mine = typed.changed_from(&seen);
        assert_eq!(mine, attributes(&[("status", &["solved"])]));
        let expected = attributes(&[("status", &["solved"]), ("priority", &["high"]), ("tags", &["a", "b"])]);
        assert_eq!(now.with(&mine), expected);
    }

    #[test]
    fn only_what_is_said_becomes_a_request() {
        let said = attributes(&[("assignee", &[]), ("requester", &["ada@acme.example"]), ("tags", &["a", "b"])]);
        let expected = json!({"assignee_id": null, "requester": {"email": "ada@acme.example"}, "tags": ["a", "b"]});
        assert_eq!(Value::Object(said.request(&[])), expected);
    }
}
