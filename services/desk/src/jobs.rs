//! Jobs: work on many things that one request asked for.
//!
//! ```text
//! request -> job_queued, answered at once -> each item: its own command and job_item_done, in one append -> job_finished
//! ```
//!
//! Whoever dies in the middle leaves items that wait. Another pass goes on with them, in this process or another: an item whose
//! command is in the log is done, since the same append says so, and of two that do it at once one is refused.

mod ask;
mod item;
mod work;

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt;
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use runtime::Shutdown;
use schemas::{JobId, TenantId};
use tokio::sync::Notify;

pub(crate) use self::ask::{Asked, ask, queue};
use crate::state::Desk;

/// How often to look for jobs that were left, by any process of the region.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long nothing was done to a job before it counts as left.
const QUIET: SignedDuration = SignedDuration::from_secs(30);
/// How many jobs are worked on at once, so that one tenant's do not hold up all others'.
const AT_ONCE: usize = 4;
/// How many jobs that were left are taken on at a time.
const LEFT_MAX: i32 = 100;

/// What waits in this process.
#[derive(Default)]
pub(crate) struct Jobs {
    waiting: Mutex<VecDeque<(Resident, JobId)>>,
    wake: Notify,
}

impl Jobs {
    /// Takes a job on. One that is lost with the process is found again by [`run`].
    pub(crate) fn take_on(&self, resident: &Resident, job: JobId) {
        let mut waiting = self.waiting();
        if !waiting.iter().any(|(_, known)| *known == job) {
            waiting.push_back((resident.clone(), job));
        }
        drop(waiting);
        self.wake.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(Resident, JobId)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<(Resident, JobId)> {
        self.waiting().pop_front()
    }
}

/// Works on jobs until the process ends, and now and then takes on those that were left.
pub(crate) async fn run(desk: Desk, shutdown: Shutdown) {
    let looking = async {
        loop {
            take_on_left(&desk, QUIET).await;
            if !shutdown.sleep(INTERVAL).await {
                return;
            }
        }
    };
    let working = async {
        loop {
            pass(&desk, &shutdown).await;
            tokio::select! {
                () = desk.jobs().wake.notified() => {}
                () = shutdown.requested() => return,
            }
        }
    };
    tokio::join!(looking, working);
}

/// Works on everything that waits.
async fn pass(desk: &Desk, shutdown: &Shutdown) {
    let waiting = futures::stream::iter(std::iter::from_fn(|| desk.jobs().next()));
    waiting
        .for_each_concurrent(AT_ONCE, async |(resident, job)| {
            if let Err(error) = work::work(desk, shutdown, &resident, job).await {
                tracing::warn!(tenant.id = %resident.tenant_id(), job.id = %job, error = runtime::chain(&error), "a job is left for later");
            }
        })
        .await;
}

/// Takes on what was left since `quiet`. What cannot be asked for now is asked for again.
pub(crate) async fn take_on_left(desk: &Desk, quiet: SignedDuration) {
    match left(desk, quiet).await {
        Ok(jobs) => jobs.iter().for_each(|(resident, job)| desk.jobs().take_on(resident, *job)),
        Err(error) => tracing::debug!(error = runtime::chain(&error), "cannot ask which jobs were left"),
    }
}

async fn left(desk: &Desk, quiet: SignedDuration) -> Result<Vec<(Resident, JobId)>, sqlx::Error> {
    let mut connection = desk.pool.acquire().await?;
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", job_id as "job_id!" from read.unfinished_jobs($1, $2)"#,
        (desk.clock.now() - quiet).to_sqlx() as _,
        LEFT_MAX,
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        let tenant = TenantId::new(row.tenant_id);
        // One that moved away took its jobs along.
        if let Some(resident) = Resident::prove_id(&mut connection, &desk.region.id, tenant).await? {
            jobs.push((resident, JobId::new(row.job_id)));
        }
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests;
