//! A field that a tenant made for its tickets.

use serde_json::{Value, json};

use super::moment;
use crate::{caller::Caller, read::ticket_fields::TicketField};

/// The absolute address of a field.
pub(crate) fn url(caller: &Caller, field_id: i64) -> String {
    caller.origin.url(&format!("/api/v2/ticket_fields/{field_id}.json"))
}

/// The field as the API shows it.
pub(crate) fn ticket_field(caller: &Caller, row: &TicketField) -> Value {
    let definition = &row.definition.0;
    let mut shown = json!({
        "id": row.field_id,
        "url": url(caller, row.field_id),
        "type": row.kind,
        "key": null,
        "title": definition.title,
        "raw_title": definition.title,
        "description": definition.description,
        "raw_description": definition.description,
        "title_in_portal": definition.title_in_portal,
        "raw_title_in_portal": definition.title_in_portal,
        "agent_description": definition.agent_description,
        "position": definition.position,
        "active": definition.is_active,
        "required": definition.is_required,
        "required_in_portal": definition.is_required_in_portal,
        "visible_in_portal": definition.is_visible_in_portal,
        "editable_in_portal": definition.is_editable_in_portal,
        "collapsed_for_agents": definition.is_collapsed_for_agents,
        "regexp_for_validation": definition.regexp,
        "tag": definition.tag,
        "removable": true,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    });
    if matches!(row.kind.as_str(), "tagger" | "multiselect") {
        let option = |option: &schemas::ticket_field::FieldOption| json!({"id": option.id, "name": option.name, "raw_name": option.name, "value": option.value, "default": false});
        shown["custom_field_options"] = definition.options.iter().map(option).collect();
    }
    shown
}
