//! Working on one job: every item that waits, in order, then its end.

use domain::job::{Command, Job};
use regions::Resident;
use runtime::Shutdown;
use schemas::{Actor, JobId, StreamName, job::JobQueued, values::ErasureReason};
use vault::Scope;

use super::item;
use crate::{
    caller::{Caller, provenance::Provenance},
    erase,
    execute::{Failure, Issuer, Refusal, execute, load},
    problem::ApiError,
    state::Desk,
};

/// Why a job is left for later.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot read the job")]
    Load(#[source] Failure),
    #[error("cannot look who asked for it")]
    Asker(#[source] Failure),
    #[error("cannot do an item of it now: {}", .0.status())]
    Item(ApiError),
    #[error("cannot destroy the key of what was asked")]
    Destroy(#[source] erase::Error),
    #[error("cannot say that it is finished")]
    Finish(#[source] Refusal<domain::job::Rejection>),
}

/// Does what waits of a job. What cannot be done now waits on; what is refused is noted and done with.
pub(super) async fn work(desk: &Desk, shutdown: &Shutdown, resident: &Resident, job: JobId) -> Result<(), Error> {
    let stream = StreamName::Job(job);
    let (state, _) = load::<Job>(desk, resident, &stream).await.map_err(Error::Load)?;
    let Some(queued) = state.queued().filter(|_| !state.is_finished()) else { return Ok(()) };
    let asker = Caller::of_job(desk, resident, queued).await.map_err(Error::Asker)?;
    for index in state.waiting() {
        if shutdown.is_requested() {
            return Ok(());
        }
        item::finish(desk, (resident, asker.as_ref()), (&state, queued), index).await.map_err(Error::Item)?;
    }
    // Before the end is said: a crash in between leaves a job that is not finished, and is found.
    let asked = [Scope::Job(job)];
    erase::destroy(desk, resident, ErasureReason::JobFinished, &asked).await.map_err(Error::Destroy)?;
    let by = issuer(desk, resident, queued);
    execute::<Job>(desk, &by, stream, None, &Command::Finish).await.map_err(Error::Finish)?;
    Ok(())
}

/// What a job does itself, it does for whoever asked.
pub(super) fn issuer(desk: &Desk, resident: &Resident, queued: &JobQueued) -> Issuer {
    let provenance = Provenance { means: queued.means, token: queued.token, ..Provenance::system() };
    Issuer { actor: Actor::Person(queued.by), ..Issuer::system(desk, resident, provenance) }
}
