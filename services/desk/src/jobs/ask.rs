//! Asking for a job.

use domain::job::{Job, Queue};
use schemas::{JobId, PersonId, StreamName, values::JobKind};
use serde_json::{Map, Value};

use crate::{
    execute::{Batch, Done, Failure, Issuer, replayed},
    problem::ApiError,
    read,
    state::Desk,
};

/// How many unfinished jobs a tenant has at most, where clients ask for them.
const UNFINISHED_MAX: i64 = 30;

/// What is asked for.
#[derive(Clone)]
pub(crate) struct Asked {
    /// What is done to each item.
    pub(crate) kind: JobKind,
    /// The items.
    pub(crate) items: Vec<Map<String, Value>>,
    /// What is the same for all of them.
    pub(crate) shared: Option<Map<String, Value>>,
}

/// Records the job and takes it on. A request that was sent before is answered with the job of then.
pub(crate) async fn ask(desk: &Desk, by: &Issuer, person: PersonId, asked: Asked) -> Result<(JobId, Done), ApiError> {
    let done = match replayed(desk, by).await? {
        Some(done) => done,
        None => {
            check_room(desk, by).await?;
            queue(Batch::new(desk, by), by, person, asked).await?.commit().await?
        }
    };
    let Some(StreamName::Job(job)) = done.stream else { return Err(ApiError::idempotency_key_reused()) };
    desk.jobs().take_on(&by.resident, job);
    Ok((job, done))
}

/// Adds a job to a command: it is named after it. Whoever commits it takes the job on.
pub(crate) async fn queue<'a>(
    batch: Batch<'a>,
    by: &Issuer,
    person: PersonId,
    Asked { kind, items, shared }: Asked,
) -> Result<Batch<'a>, Failure> {
    let job = JobId::new(by.command_id.get());
    let text = |object: Map<String, Value>| Value::Object(object).to_string();
    let queue = Queue {
        job,
        kind,
        items: items.into_iter().map(text).collect::<Vec<_>>().into(),
        shared: shared.map(text).into(),
        by: person,
        means: by.provenance.means,
        token: by.provenance.token,
    };
    let stream = StreamName::Job(job);
    batch.decide::<Job>(stream.clone(), None, &queue.into()).await.map_err(|refusal| match refusal {
        crate::execute::Refusal::Failed(failure) => failure,
        // The stream of a new id is empty, so somebody has the id.
        crate::execute::Refusal::Rejected(_) => Failure::Conflict { stream },
    })
}

/// Too many at once would only wait.
async fn check_room(desk: &Desk, by: &Issuer) -> Result<(), ApiError> {
    let mut transaction = desk.reading(&by.resident).await?;
    let unfinished = read::jobs::count_unfinished(&mut transaction, &by.resident).await?;
    if unfinished >= UNFINISHED_MAX { Err(ApiError::too_many_jobs()) } else { Ok(()) }
}
