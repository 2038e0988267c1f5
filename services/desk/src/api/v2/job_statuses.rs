//! Jobs: what clients poll after they asked for something that the reference does later. Here it is done when it is answered, so
//! a job is the place of its last event: `GET /api/v2/job_statuses/{id}`.

use axum::{
    Json,
    extract::{Path, State},
};
use schemas::{Position, StreamName};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// How many of a command's last events are looked at: the erasure list is among them.
const COMMAND_TAIL: i64 = 8;

/// A job that is done, in the reference's shape.
pub(crate) fn completed(caller: &Caller, last: Position, total: Option<usize>, results: Value) -> Value {
    let id = format!("V3-{:032x}", last.get());
    json!({"job_status": {
        "id": id,
        "url": caller.origin.url(&format!("/api/v2/job_statuses/{id}.json")),
        "status": "completed",
        "total": total,
        "progress": total,
        "message": null,
        "results": results,
    }})
}

/// Answers an erasure's status: working until its keys are destroyed, which is a moment after it was recorded.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    caller.require_agent()?;
    let last = position(&id).ok_or_else(ApiError::not_found)?;
    // The list is followed by what the audit log says of the command.
    let before = Position::new((last.get() - COMMAND_TAIL).max(0));
    let logged = read::log::page(&desk, &caller.resident, before, last.get() - before.get()).await?;
    let command = logged.last().filter(|logged| logged.position == last).map(|logged| logged.envelope.command_id);
    let is_list = |logged: &&read::log::Logged| {
        Some(logged.envelope.command_id) == command && logged.envelope.stream == StreamName::Erasures
    };
    // The last of them: long lists are several events.
    let erasure = logged.iter().rev().find(is_list);
    let version = erasure.ok_or_else(ApiError::not_found)?.envelope.version;
    let is_done = desk.vault.erased_to(&caller.resident).await.map_err(ApiError::internal)? >= version;
    let mut job = completed(&caller, last, None, json!({"success": true}));
    if !is_done {
        job["job_status"]["status"] = "working".into();
        job["job_status"]["results"] = Value::Null;
    }
    Ok(Json(job))
}

fn position(id: &str) -> Option<Position> {
    let digits = id.strip_suffix(".json").unwrap_or(id).strip_prefix("V3-").filter(|digits| digits.len() == 32)?;
    i64::from_str_radix(digits, 16).ok().filter(|position| *position > 0).map(Position::new)
}
