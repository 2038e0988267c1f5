//! A job's status.

use regions::Resident;
use schemas::{JobId, values::JobKind};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    problem::ApiError,
    read::{self, jobs::Job},
    state::Desk,
};

/// An id as clients write it: `V3-` and 32 hex digits.
pub(crate) fn id(job: JobId) -> String {
    format!("V3-{}", job.get().simple())
}

/// A job that was asked for just now.
pub(crate) fn queued(caller: &Caller, (job, kind): (JobId, JobKind), total: usize) -> Value {
    status(
        caller,
        (job, kind),
        json!({"status": "queued", "total": total, "progress": null, "message": null, "results": null}),
    )
}

/// A job that was asked for a while ago.
pub(crate) async fn of(desk: &Desk, caller: &Caller, id: JobId) -> Result<Value, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::jobs::many(&mut transaction, &caller.resident, &[id], &[]).await?;
    Ok(job(caller, rows.first().ok_or_else(|| ApiError::unavailable("the read models do not show the job yet"))?))
}

/// A job as it stands. Its results are there when all of them are.
pub(crate) fn job(caller: &Caller, row: &Job) -> Value {
    let kind = row.kind.parse().unwrap_or(JobKind::UpdateTickets);
    let of = (JobId::new(row.job_id), kind);
    let Some(finished_at) = row.finished_at else {
        if row.done == 0 {
            return queued(caller, of, usize::try_from(row.total).unwrap_or_default());
        }
        let message = format!("{} #{}", doing(kind), row.done);
        let shown =
            json!({"status": "working", "total": row.total, "progress": row.done, "message": message, "results": null});
        return status(caller, of, shown);
    };
    let message = finished_at.to_jiff().strftime("Completed at %Y-%m-%d %H:%M:%S +0000").to_string();
    let results = row.results.as_array().into_iter().flatten();
    let results: Vec<Value> = results.map(|result| self::result(kind, &caller.resident, result)).collect();
    let shown = json!({
        "status": "completed", "total": row.total, "progress": row.total, "message": message, "results": results,
    });
    status(caller, of, shown)
}

fn status(caller: &Caller, (job, kind): (JobId, JobKind), mut shown: Value) -> Value {
    let id = id(job);
    shown["url"] = json!(caller.origin.url(&format!("/api/v2/job_statuses/{id}.json")));
    shown["id"] = json!(id);
    shown["job_type"] = json!(job_type(kind));
    shown
}

/// What became of an item, in the shape of the reference.
fn result(kind: JobKind, resident: &Resident, result: &Value) -> Value {
    let (index, item) = (&result["index"], &result["item"]);
    if !result["error"].is_null() {
        let mut refused =
            json!({"index": index, "error": result["error"], "details": result["details"], "success": false});
        if !item.is_null() {
            refused["id"] = item.clone();
        }
        return refused;
    }
    match kind {
        JobKind::CreateTickets | JobKind::ImportTickets | JobKind::DeleteTickets | JobKind::MarkTicketsAsSpam => {
            json!({"index": index, "id": item, "account_id": account(resident), "success": true})
        }
        JobKind::UpdateTickets | JobKind::MergeTickets | JobKind::SolveIncidents => {
            json!({"index": index, "id": item, "action": "update", "status": "Updated", "success": true})
        }
    }
}

/// The account's number, which the reference shows here and nowhere else: the random end of the tenant's id.
fn account(resident: &Resident) -> u64 {
    u64::try_from(resident.tenant_id().get().as_u128() & 0xffff_ffff).unwrap_or_default()
}

const fn job_type(kind: JobKind) -> &'static str {
    match kind {
        JobKind::CreateTickets => "Bulk Create Ticket",
        JobKind::UpdateTickets => "Bulk Update Ticket",
        JobKind::DeleteTickets => "Bulk Delete Ticket",
        JobKind::ImportTickets => "Bulk Import Ticket",
        JobKind::MergeTickets => "Ticket Merge",
        JobKind::SolveIncidents => "Solve Incidents",
        JobKind::MarkTicketsAsSpam => "Bulk Mark Ticket as Spam",
    }
}

const fn doing(kind: JobKind) -> &'static str {
    match kind {
        JobKind::CreateTickets => "Creating ticket",
        JobKind::UpdateTickets => "Updating ticket",
        JobKind::DeleteTickets => "Deleting ticket",
        JobKind::ImportTickets => "Importing ticket",
        JobKind::MergeTickets => "Merging ticket",
        JobKind::SolveIncidents => "Solving incident",
        JobKind::MarkTicketsAsSpam => "Marking as spam ticket",
    }
}
