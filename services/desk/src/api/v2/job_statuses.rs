//! Jobs: what clients poll after they asked for something that the reference does later. Here it is done when it is answered, but
//! for a database that fails just then, so a job is the place of its last event: `GET /api/v2/job_statuses/{id}`.

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

/// An erasure that is recorded.
pub(crate) struct Job {
    /// The place of its last event.
    pub(crate) last: Position,
    /// How many things it is about, if it is about a list.
    pub(crate) total: Option<usize>,
    /// Whether its keys are destroyed.
    pub(crate) is_done: bool,
}

impl Job {
    /// In the reference's shape. Until it is done it has no results but those of a list, which nothing else would tell.
    pub(crate) fn shown(&self, caller: &Caller, results: Value) -> Value {
        let id = format!("V3-{:032x}", self.last.get());
        let is_shown = self.is_done || self.total.is_some();
        json!({"job_status": {
            "id": id,
            "url": caller.origin.url(&format!("/api/v2/job_statuses/{id}.json")),
            "status": if self.is_done { "completed" } else { "working" },
            "total": self.total,
            "progress": self.total.filter(|_| self.is_done),
            "message": null,
            "results": is_shown.then_some(results),
        }})
    }
}

/// Answers an erasure's status: working until its keys are destroyed, which is a moment after it was recorded.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
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
    Ok(Json(Job { last, total: None, is_done }.shown(&caller, json!({"success": true}))))
}

fn position(id: &str) -> Option<Position> {
    let digits = id.strip_suffix(".json").unwrap_or(id).strip_prefix("V3-").filter(|digits| digits.len() == 32)?;
    i64::from_str_radix(digits, 16).ok().filter(|position| *position > 0).map(Position::new)
}
