//! Jobs: what clients poll after they asked for something that is done later: `GET /api/v2/job_statuses`, `job_statuses/{id}` and
//! `job_statuses/show_many?ids=`.
//!
//! Erasures are done when they are answered, but for a database that fails just then: they are no jobs, and their number is the place
//! of their last event.

use axum::{
    Json,
    extract::{Path, State},
};
use domain::job::ITEMS_MAX;
use schemas::{JobId, Position, StreamName};
use serde_json::{Value, json};

use super::{page::PageQuery, present};
use crate::{
    api::settle,
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

/// Answers the jobs of the account.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    check(&caller)?;
    let page = query.page(&caller)?;
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let (slice, count) = page.read(&mut transaction, &read::jobs::list()).await?;
    let rows = read::jobs::many(&mut transaction, resident, &[], &slice.ids).await?;
    let jobs = rows.iter().map(|row| present::job::job(&caller, row)).collect();
    Ok(Json(page.answer("job_statuses", jobs, &slice, count)))
}

/// Answers those of the jobs that there are.
pub(crate) async fn show_many(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    check(&caller)?;
    let ids = query.get("ids").filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| ApiError::invalid_parameter("ids", "a comma-separated list of ids of jobs"))?;
    let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
    if ids.len() > ITEMS_MAX {
        return Err(ApiError::too_many_values(ITEMS_MAX));
    }
    let ids: Vec<JobId> = ids.into_iter().filter_map(job).collect();
    let rows = of_now(&desk, &caller, &ids).await?;
    let jobs = rows.iter().map(|row| present::job::job(&caller, row)).collect();
    let found = rows.iter().map(|row| row.queued_position).collect();
    Ok(Json(query.offset_page(&caller)?.all("job_statuses", jobs, found)))
}

/// Answers a job's status.
pub(crate) async fn show(State(desk): State<Desk>, caller: Caller, Path(id): Path<String>) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let id = id.strip_suffix(".json").unwrap_or(&id);
    if let Some(last) = position(id) {
        return erasure(&desk, &caller, last).await;
    }
    let job = job(id).ok_or_else(ApiError::not_found)?;
    check(&caller)?;
    let rows = of_now(&desk, &caller, &[job]).await?;
    let row = rows.first().ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({"job_status": present::job::job(&caller, row)})))
}

/// Results name tickets, which those whose grant is about certain ones do not learn of.
fn check(caller: &Caller) -> Result<(), ApiError> {
    caller.require_insider()?;
    let is_about_all = caller.is_granted(None);
    if is_about_all { Ok(()) } else { Err(ApiError::forbidden("This grant is about certain tickets only")) }
}

/// The jobs, also those that were asked for a moment ago.
async fn of_now(desk: &Desk, caller: &Caller, ids: &[JobId]) -> Result<Vec<read::jobs::Job>, ApiError> {
    settle::catch_up(desk, &caller.resident, settle::JOBS).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    Ok(read::jobs::many(&mut transaction, &caller.resident, ids, &[]).await?)
}

/// An erasure's status: working until its keys are destroyed, which is a moment after it was recorded.
async fn erasure(desk: &Desk, caller: &Caller, last: Position) -> ApiResult<Json<Value>> {
    // The list is followed by what the audit log says of the command.
    let before = Position::new((last.get() - COMMAND_TAIL).max(0));
    let logged = read::log::page(desk, &caller.resident, before, last.get() - before.get()).await?;
    let command = logged.last().filter(|logged| logged.position == last).map(|logged| logged.envelope.command_id);
    let is_list = |logged: &&read::log::Logged| {
        Some(logged.envelope.command_id) == command && logged.envelope.stream == StreamName::Erasures
    };
    // The last of them: long lists are several events.
    let erasure = logged.iter().rev().find(is_list);
    let version = erasure.ok_or_else(ApiError::not_found)?.envelope.version;
    let is_done = desk.vault.erased_to(&caller.resident).await.map_err(ApiError::internal)? >= version;
    Ok(Json(Job { last, total: None, is_done }.shown(caller, json!({"success": true}))))
}

/// The digits of an id.
fn digits(id: &str) -> Option<&str> {
    let digits = id.strip_prefix("V3-").filter(|digits| digits.len() == 32)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(digits)
}

fn job(id: &str) -> Option<JobId> {
    digits(id)?.parse().ok()
}

/// The ids of jobs begin with a moment, so that none is a position.
fn position(id: &str) -> Option<Position> {
    i64::from_str_radix(digits(id)?, 16).ok().filter(|position| *position > 0).map(Position::new)
}
