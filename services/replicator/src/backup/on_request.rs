//! Backups and verifications that ops asks for and looks at while they run, one at a time in a process.
//!
//! What is done is in the bucket, so this keeps only what cannot be found there: what is under way, and what became of it.
//! A process that ends in the middle leaves no manifest, and what was archived stays: asking again costs what is new.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archive::BackupManifest;
use runtime::Shutdown;

use super::{
    Progress, Verified,
    create::{create_as, new_id},
    show, verify,
};
use crate::{deps::ReplicatorDeps, error::Error};

/// The backups of a region, for those who ask for them. Cheap to clone.
#[derive(Clone)]
pub struct OnRequest {
    deps: ReplicatorDeps,
    shutdown: Shutdown,
    latest: Arc<Mutex<Option<Work>>>,
}

/// Something that was asked for.
#[derive(Debug, Clone)]
pub struct Work {
    /// Of which backup.
    pub backup_id: String,
    /// How far it is.
    pub state: State,
}

/// How far it is.
#[derive(Debug, Clone)]
pub enum State {
    /// It is being made.
    Creating(Progress),
    /// It was made; some tenants may be incomplete.
    Created(Arc<BackupManifest>),
    /// It is being verified: tenants done, and how many there are.
    Verifying(u64, u64),
    /// It was verified.
    Verified(Arc<Verified>),
    /// It could not be done, and why.
    Failed(String),
}

/// Something else is under way: there is one at a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("backup {backup_id} is being made or verified: one at a time")]
pub struct UnderWay {
    /// Of which backup.
    pub backup_id: String,
}

impl State {
    const fn is_under_way(&self) -> bool {
        matches!(self, Self::Creating(_) | Self::Verifying(..))
    }
}

impl OnRequest {
    /// Nothing asked for yet. What is asked for ends early, without a manifest, when `shutdown` is requested.
    pub fn new(deps: ReplicatorDeps, shutdown: Shutdown) -> Self {
        Self { deps, shutdown, latest: Arc::default() }
    }

    /// What it works with.
    pub const fn deps(&self) -> &ReplicatorDeps {
        &self.deps
    }

    /// The latest that was asked for.
    pub fn latest(&self) -> Option<Work> {
        self.lock().clone()
    }

    /// Begins a backup and gives the id it will have.
    ///
    /// # Errors
    /// If something is under way.
    pub fn create(&self) -> Result<String, UnderWay> {
        let backup_id = new_id(&self.deps);
        let nothing = Progress { tenants: 0, tenants_total: 0, events: 0, events_total: 0 };
        self.begin(&backup_id, State::Creating(nothing), self.clone().make(backup_id.clone()))?;
        Ok(backup_id)
    }

    /// Begins to verify a backup.
    ///
    /// # Errors
    /// If something is under way. That there is no such backup shows as [`State::Failed`].
    pub fn verify(&self, backup_id: &str) -> Result<(), UnderWay> {
        self.begin(backup_id, State::Verifying(0, 0), self.clone().prove(backup_id.to_owned()))
    }

    async fn make(self, backup_id: String) -> Result<State, Error> {
        let created = create_as(&self.deps, backup_id, &mut |at| self.advance(State::Creating(at))).await?;
        Ok(State::Created(Arc::new(created)))
    }

    async fn prove(self, backup_id: String) -> Result<State, Error> {
        let total = show(&self.deps, &backup_id).await?.tenants.len() as u64;
        let mut done = 0;
        let mut advance = |_: &_| {
            done += 1;
            self.advance(State::Verifying(done, total));
        };
        Ok(State::Verified(Arc::new(verify(&self.deps, &backup_id, &mut advance).await?)))
    }

    fn begin<W>(&self, backup_id: &str, state: State, work: W) -> Result<(), UnderWay>
    where
        W: Future<Output = Result<State, Error>> + Send + 'static,
    {
        let mut latest = self.lock();
        if let Some(under_way) = latest.as_ref().filter(|work| work.state.is_under_way()) {
            return Err(UnderWay { backup_id: under_way.backup_id.clone() });
        }
        *latest = Some(Work { backup_id: backup_id.to_owned(), state });
        let this = self.clone();
        self.shutdown.spawn(async move {
            let ended = tokio::select! {
                ended = work => ended.unwrap_or_else(|error| State::Failed(error.chain())),
                () = this.shutdown.requested() => State::Failed("the process is ending".to_owned()),
            };
            if let State::Failed(why) = &ended {
                tracing::error!(why, "a backup that was asked for could not be made or verified");
            }
            this.advance(ended);
        });
        Ok(())
    }

    fn advance(&self, state: State) {
        if let Some(work) = self.lock().as_mut() {
            work.state = state;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Work>> {
        // What is under way is replaced whole, so a panic elsewhere leaves it as it was.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
