//! Jobs, from the projection `jobs`.

use regions::Resident;
use schemas::JobId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::List;

/// One job.
pub(crate) struct Job {
    pub(crate) job_id: Uuid,
    pub(crate) queued_position: i64,
    pub(crate) kind: String,
    pub(crate) total: i32,
    pub(crate) done: i32,
    /// A list of index, item, error and details.
    pub(crate) results: serde_json::Value,
    pub(crate) finished_at: Option<jiff_sqlx::Timestamp>,
}

/// The jobs of the account, by position.
pub(crate) fn list() -> List {
    List::new(("job", "queued_position"), |_| {})
}

/// How many jobs are not finished.
pub(crate) async fn count_unfinished(conn: &mut PgConnection, resident: &Resident) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from job where tenant_id = $1 and finished_at is null"#,
        resident.tenant_id().get()
    )
    .fetch_one(conn)
    .await
}

/// Those of these jobs that there are, oldest first: by their ids or by their positions.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[JobId],
    positions: &[i64],
) -> Result<Vec<Job>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.get()).collect();
    sqlx::query_as!(
        Job,
        r#"select job_id, queued_position, kind, total, done, results, finished_at as "finished_at: jiff_sqlx::Timestamp"
           from job where tenant_id = $1 and (job_id = any($2) or queued_position = any($3)) order by queued_position"#,
        resident.tenant_id().get(),
        &ids,
        positions,
    )
    .fetch_all(conn)
    .await
}
