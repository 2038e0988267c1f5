//! An audit: the entries of one command.

use serde_json::{Value, json};

use super::{attachment::Files, metadata, moment, via};
use crate::{api::html, caller::Caller, problem::ApiError, read::audits::Audit, state::Desk};

/// The author of what the product did by itself.
const SYSTEM: i64 = -1;

/// The audits as the API shows them.
pub(crate) async fn audits(desk: &Desk, caller: &Caller, rows: &[Audit]) -> Result<Vec<Value>, ApiError> {
    let events = rows.iter().flat_map(|row| row.events.as_array().into_iter().flatten());
    let ids: Vec<i64> = events.flat_map(attachment_ids).collect();
    let files = Files::load(desk, caller, &ids).await?;
    Ok(rows.iter().map(|row| audit(row, &files)).collect())
}

/// One of them.
pub(crate) async fn one(desk: &Desk, caller: &Caller, row: &Audit) -> Result<Value, ApiError> {
    let shown = audits(desk, caller, std::slice::from_ref(row)).await?;
    Ok(shown.into_iter().next().unwrap_or_default())
}

fn audit(row: &Audit, files: &Files) -> Value {
    let mut events: Vec<Value> = row.events.as_array().into_iter().flatten().map(|event| entry(event, files)).collect();
    events.sort_by_key(place);
    json!({
        "id": row.audit_id,
        "ticket_id": row.ticket_id,
        "author_id": row.author_id.unwrap_or(SYSTEM),
        "created_at": moment(row.created_at),
        "events": events,
        "via": via(&row.channel),
        "metadata": metadata(),
    })
}

/// Where an entry stands: first what was said, then what was created, in the order of the reference, then what changed.
fn place(entry: &Value) -> usize {
    const CREATED: [&str; 5] = ["subject", "requester_id", "priority", "type", "status"];
    match entry["type"].as_str() {
        Some("Comment") => 0,
        Some("Create") => 1 + CREATED.iter().position(|field| entry["field_name"] == *field).unwrap_or(CREATED.len()),
        _ => CREATED.len() + 2,
    }
}

/// The projection keeps what was said and which files came along; rendering and addresses are added here.
fn entry(event: &Value, files: &Files) -> Value {
    let mut entry = event.clone();
    if event["type"] == "Comment" {
        let body = event["body"].as_str().unwrap_or_default();
        entry["html_body"] = json!(html::of_comment(body, event["html_body"].as_str()));
        entry["plain_body"] = json!(body);
        entry["attachments"] = json!(files.of(&attachment_ids(event)));
    }
    entry
}

fn attachment_ids(event: &Value) -> Vec<i64> {
    event["attachments"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect()
}
