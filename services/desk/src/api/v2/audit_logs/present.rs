//! An entry in the API's shape, with the structured changes that its sentence is made of.

use std::collections::HashMap;

use regions::Resident;
use schemas::{audit::FieldChange, values::Means};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    caller::Caller,
    read::{self, audit_log::AuditLog},
};

/// The id of an actor that is nobody: the product itself.
const SYSTEM: i64 = -1;

/// The names of those who did things, by id.
pub(super) async fn names(
    conn: &mut PgConnection,
    resident: &Resident,
    rows: &[AuditLog],
) -> Result<HashMap<i64, String>, sqlx::Error> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.actor_id).collect();
    let people = read::people::many(conn, resident, &ids).await?;
    Ok(people.into_iter().map(|person| (person.person_id, person.name)).collect())
}

/// The entry.
pub(super) fn entry(caller: &Caller, row: &AuditLog, names: &HashMap<i64, String>) -> Value {
    let changes: Vec<FieldChange> = serde_json::from_value(row.changes.clone()).unwrap_or_default();
    json!({
        "id": row.audit_log_id,
        "url": caller.origin.url(&format!("/api/v2/audit_logs/{}.json", row.audit_log_id)),
        "action": row.action,
        "action_label": label(&row.action),
        "actor_id": row.actor_id.unwrap_or(SYSTEM),
        "actor_name": name_of(row, names),
        "source_id": row.source_id,
        "source_type": row.source_type,
        "source_label": row.source_label,
        "change_description": described(&row.action, &changes),
        "ip_address": row.ip_address,
        "created_at": row.created_at.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "changes": changes,
        "means": row.means,
        "token_id": row.token_id,
        "client": row.client,
    })
}

pub(super) fn name_of<'n>(row: &AuditLog, names: &'n HashMap<i64, String>) -> &'n str {
    match row.actor_id {
        None if row.means.as_deref().is_some_and(is_operator) => "Operator",
        None => "System",
        Some(actor) => names.get(&actor).map_or("", String::as_str),
    }
}

fn is_operator(means: &str) -> bool {
    [Means::CommandLine, Means::Configuration].iter().any(|of_operator| of_operator.as_str() == means)
}

fn label(action: &str) -> &str {
    match action {
        "create" => "Created",
        "update" => "Updated",
        "destroy" => "Deleted",
        "exported" => "Exported",
        "accessed" => "Accessed",
        "login" => "Signed in",
        "login_failed" => "Failed login",
        other => other,
    }
}

/// The changes as a sentence a field.
pub(super) fn described(action: &str, changes: &[FieldChange]) -> String {
    let field = |change: &FieldChange| {
        let name = change.field.replace('_', " ");
        match (&change.old, &change.new) {
            (Some(old), Some(new)) => format!("{name} changed from {old} to {new}"),
            (None, Some(new)) => format!("{name} set to {new}"),
            (Some(old), None) => format!("{name} removed, was {old}"),
            (None, None) if action == "create" => String::new(),
            (None, None) => format!("{name} changed"),
        }
    };
    changes.iter().map(field).filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join("; ")
}
