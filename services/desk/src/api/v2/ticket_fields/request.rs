//! A field as a client sends it.

use domain::text;
use schemas::ticket_field::{FieldDefinition, FieldOption};
use serde_json::Value;

use crate::body::Fields;

/// Where a new field stands.
const LAST: i64 = 9999;

/// What shall be said of a field: what is sent, else what is said already. Options without an id keep the one that their value has, and
/// new ones have none yet: their id is 0. What is wrong is noted in `fields`.
pub(super) fn definition(fields: &mut Fields<'_>, now: Option<&FieldDefinition>) -> FieldDefinition {
    let sent_title = match now {
        None => fields.required("title", text::name_of("title")),
        Some(_) => fields.checked("title", text::name_of("title")),
    };
    let title = sent_title.or(now.map(|now| now.title.clone())).unwrap_or_default();
    let string = |fields: &mut Fields<'_>, name: &str, is: Option<&str>, blank: &str| {
        fields.string(name).or(is).unwrap_or(blank).to_owned()
    };
    let optional = |fields: &mut Fields<'_>, name: &str, is: Option<&String>| match fields.has(name) {
        true => fields.string(name).filter(|sent| !sent.is_empty()).map(str::to_owned),
        false => is.cloned(),
    };
    let flag = |fields: &mut Fields<'_>, name: &str, is: Option<bool>| fields.boolean(name).or(is);
    FieldDefinition {
        title_in_portal: string(fields, "title_in_portal", now.map(|now| now.title_in_portal.as_str()), &title),
        description: string(fields, "description", now.map(|now| now.description.as_str()), &title),
        agent_description: optional(fields, "agent_description", now.and_then(|now| now.agent_description.as_ref())),
        position: fields.integer("position").or(now.map(|now| now.position)).unwrap_or(LAST),
        is_active: flag(fields, "active", now.map(|now| now.is_active)).unwrap_or(true),
        is_required: flag(fields, "required", now.map(|now| now.is_required)).unwrap_or_default(),
        is_required_in_portal: flag(fields, "required_in_portal", now.map(|now| now.is_required_in_portal))
            .unwrap_or_default(),
        is_visible_in_portal: flag(fields, "visible_in_portal", now.map(|now| now.is_visible_in_portal))
            .unwrap_or_default(),
        is_editable_in_portal: flag(fields, "editable_in_portal", now.map(|now| now.is_editable_in_portal))
            .unwrap_or_default(),
        is_collapsed_for_agents: flag(fields, "collapsed_for_agents", now.map(|now| now.is_collapsed_for_agents))
            .unwrap_or_default(),
        regexp: optional(fields, "regexp_for_validation", now.and_then(|now| now.regexp.as_ref())),
        tag: optional(fields, "tag", now.and_then(|now| now.tag.as_ref())),
        options: options(fields, now.map(|now| now.options.as_slice()).unwrap_or_default()),
        title,
    }
}

fn options(fields: &mut Fields<'_>, now: &[FieldOption]) -> Vec<FieldOption> {
    const NAME: &str = "custom_field_options";
    if !fields.has(NAME) {
        return now.to_vec();
    }
    let items = fields.items(NAME).unwrap_or_default();
    let options: Vec<FieldOption> = items.iter().filter_map(|item| option(item, now)).collect();
    if options.len() != items.len() {
        fields.fault(NAME, "takes objects with a name and a value", "InvalidFormat");
    }
    options
}

fn option(item: &Value, now: &[FieldOption]) -> Option<FieldOption> {
    let text = |name: &str| item.get(name)?.as_str().map(str::to_owned);
    let (name, value) = (text("name").or_else(|| text("raw_name"))?, text("value")?);
    let is = |option: &&FieldOption| item.get("id").and_then(Value::as_i64) == Some(option.id) || option.value == value;
    let id = now.iter().find(is).map(|option| option.id).unwrap_or_default();
    Some(FieldOption { id, name, value })
}
