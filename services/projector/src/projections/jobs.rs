//! The projection `jobs`: one row a job, with what became of its items.

use std::collections::{BTreeMap, HashSet};

use jiff_sqlx::{Timestamp, ToSqlx};
use regions::Resident;
use schemas::{
    JobId, StreamName, TenantId, TenantLogEvent,
    job::{JobEvent, JobQueued},
};
use serde_json::{Value, json};
use sqlx::error::BoxDynError;
use uuid::Uuid;

use crate::{
    batch::Applied,
    build::{Columns, OpenBuild, Row},
    error::ApplyError,
    projections::{Projection, apply_span},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "jobs",
    shape: 1,
    tables_sql: include_str!("../../sql/jobs/tables.sql"),
    indexes_sql: include_str!("../../sql/jobs/indexes.sql"),
    tables: &[Table { name: "job", key: "job_id" }],
    reads: |stream| matches!(stream, StreamName::Job(_)),
    // What was asked is for whoever does it, and gone when it is done.
    passes_over: &["job_described"],
    span: || apply_span!("projection.jobs.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

struct Job {
    job_id: Uuid,
    queued_position: i64,
    kind: String,
    total: i32,
    done: i32,
    results: Value,
    asked_by: i64,
    queued_at: Timestamp,
    changed_at: Timestamp,
    finished_at: Option<Timestamp>,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let wanted: Vec<_> = events.iter().filter_map(|applied| Some((job_of(applied)?, applied))).collect();
    let mut jobs = load(build, resident.tenant_id(), &wanted).await?;
    let known: HashSet<JobId> = jobs.keys().copied().collect();
    for (id, applied) in wanted {
        let Some(TenantLogEvent::Job(event)) = applied.event() else { continue };
        if let JobEvent::JobQueued(queued) = event {
            jobs.insert(id, opened(queued, applied));
        } else if let Some(job) = jobs.get_mut(&id) {
            job.change(event, applied.envelope.recorded_at.to_sqlx());
        }
    }
    let (changed, new): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|(id, _)| known.contains(id));
    build.put(&changed.into_iter().map(|(_, job)| job).collect::<Vec<_>>()).await?;
    build.add(&new.into_iter().map(|(_, job)| job).collect::<Vec<_>>()).await?;
    Ok(())
}

const fn job_of(applied: &Applied) -> Option<JobId> {
    match applied.envelope.stream {
        StreamName::Job(job) => Some(job),
        _ => None,
    }
}

fn opened(queued: &JobQueued, applied: &Applied) -> Job {
    let at = applied.envelope.recorded_at.to_sqlx();
    Job {
        job_id: queued.job.get(),
        queued_position: applied.position.get(),
        kind: queued.kind.to_string(),
        total: i32::try_from(queued.total).unwrap_or(i32::MAX),
        done: 0,
        results: json!([]),
        asked_by: queued.by.get(),
        queued_at: at,
        changed_at: at,
        finished_at: None,
    }
}

impl Job {
    fn change(&mut self, event: &JobEvent, at: Timestamp) {
        match event {
            JobEvent::JobQueued(_) | JobEvent::JobDescribed(_) => {}
            JobEvent::JobItemDone(done) => {
                (self.done, self.changed_at) = (self.done + 1, at);
                if let Value::Array(results) = &mut self.results {
                    results.push(json!({
                        "index": done.index, "item": done.item, "error": done.error, "details": done.details.expose(),
                    }));
                }
            }
            JobEvent::JobFinished(_) => (self.finished_at, self.changed_at) = (Some(at), at),
        }
    }
}

async fn load(
    build: &mut OpenBuild,
    tenant: TenantId,
    wanted: &[(JobId, &Applied)],
) -> Result<BTreeMap<JobId, Job>, sqlx::Error> {
    let ids: Vec<Uuid> = wanted.iter().map(|(job, _)| job.get()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let jobs = sqlx::query_as!(
        Job,
        r#"select job_id, queued_position, kind, total, done, results, asked_by, queued_at as "queued_at: Timestamp",
                  changed_at as "changed_at: Timestamp", finished_at as "finished_at: Timestamp"
           from job where tenant_id = $1 and job_id = any($2)"#,
        tenant.get(),
        &ids,
    )
    .fetch_all(build)
    .await?;
    Ok(jobs.into_iter().map(|job| (JobId::new(job.job_id), job)).collect())
}

impl Row for Job {
    const TABLE: &'static str = "job";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("job_id", self.job_id)?;
        to.value("queued_position", self.queued_position)?;
        to.value("kind", self.kind.as_str())?;
        to.value("total", self.total)?;
        to.value("done", self.done)?;
        to.value("results", &self.results)?;
        to.value("asked_by", self.asked_by)?;
        to.value("queued_at", self.queued_at)?;
        to.value("changed_at", self.changed_at)?;
        to.value("finished_at", self.finished_at)
    }
}
