//! All tenants of a region: woken by hints, kept honest by sweeps.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use eventlog::{Wakeup, Wakeups};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use regions::{DatabaseRole, Region, Resident};
use runtime::{Queued, Shutdown};
use schemas::TenantId;
use tokio::{sync::mpsc, task::JoinError, time::Instant};
use topic::Hints;

use crate::{
    Error, ProjectorDeps,
    backoff::Backoff,
    checkpoint::Patience,
    delivery::{Delivery, Standing},
    follow::{self, Manner, Round},
    projections::Projection,
    rebuild,
    sweep::{self, Behind, Sweeper},
};

/// How often heads are compared with checkpoints.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How many tenants are served at the same time.
const TENANTS_AT_ONCE: usize = 4;

/// The worker of a region.
pub struct Projector {
    deps: ProjectorDeps,
}

impl Projector {
    /// A worker that has not begun.
    pub const fn new(deps: ProjectorDeps) -> Self {
        Self { deps }
    }

    /// Keeps the read models up with the log until asked to stop; then finishes the rounds it is in.
    pub async fn run(self, shutdown: Shutdown) {
        let (hints, mut wakeups) = Hints::new(self.deps.metrics.queue("projector_wakeups"));
        let delivery = Delivery::start(&self.deps, hints.clone(), &shutdown);
        shutdown.spawn(listen(self.deps.region.clone(), (hints, delivery.clone()), shutdown.clone()));
        let builder = shutdown.spawn(build_missing(self.deps.clone(), shutdown.clone()));
        let (found, mut swept) = mpsc::channel(1);
        shutdown.spawn(sweep(self.deps.clone(), found, shutdown.clone()));
        let mut work = Work { delivery, ..Work::new(self.deps, shutdown.clone()) };
        loop {
            work.begin_rounds();
            tokio::select! {
                () = shutdown.requested() => break,
                Some(tenant) = wakeups.recv() => work.enqueue(tenant),
                Some(served) = work.rounds.next() => work.end_round(served).await,
                Some(behind) = swept.recv() => work.take_up(behind),
            }
        }
        while let Some(served) = work.rounds.next().await {
            work.end_round(served).await;
        }
        builder.await.expect("the builder does not panic");
    }
}

/// Passes the log's wake-ups on, but for those of tenants whose events are delivered: nobody need be woken twice, nor everywhere.
/// While the topic is not read, every process hears everything, as it does without one.
async fn listen(region: Region, (hints, delivery): (Hints, Delivery), shutdown: Shutdown) {
    let mut wakeups = None;
    while !shutdown.is_requested() {
        let Some(listening) = &mut wakeups else {
            wakeups = match Wakeups::listen(&region, DatabaseRole::Projector).await {
                Ok(listening) => Some(listening),
                Err(error) => {
                    tracing::warn!(error = runtime::chain(&error), "no wake-ups: sweeping only");
                    shutdown.sleep(SWEEP_INTERVAL).await;
                    None
                }
            };
            continue;
        };
        tokio::select! {
            () = shutdown.requested() => {}
            wakeup = listening.changed(SWEEP_INTERVAL) => {
                if let Wakeup::Tenants(tenants) = wakeup {
                    tenants.into_iter().filter(|tenant| !delivery.comes(*tenant)).for_each(|tenant| hints.give(tenant));
                }
            }
        }
    }
}

/// Looks for who is behind, beside everything else: with many tenants it takes its time.
async fn sweep(deps: ProjectorDeps, found: mpsc::Sender<Vec<Behind>>, shutdown: Shutdown) {
    let mut sweeper = Sweeper::default();
    while !shutdown.is_requested() {
        match sweeper.behind(&deps).await {
            Ok(behind) => {
                sweep::measure(&deps.metrics, deps.clock.now(), &behind);
                if found.send(behind).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!(error = runtime::chain(&error), "a sweep failed, to be tried again"),
        }
        shutdown.sleep(SWEEP_INTERVAL).await;
    }
}

/// Builds what nothing serves yet, beside everything else. Broken off, it goes on after the next start; when another process
/// is at it, that one does it.
async fn build_missing(deps: ProjectorDeps, shutdown: Shutdown) {
    while !shutdown.is_requested() {
        let built = tokio::select! {
            () = shutdown.requested() => return,
            built = rebuild::build_missing(&deps) => built,
        };
        match built {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(error = runtime::chain(&error), "a projection is not built yet, to be tried again")
            }
        }
        shutdown.sleep(SWEEP_INTERVAL).await;
    }
}

/// What became of a tenant's round: the projections tried, and what they did.
pub(crate) struct Served {
    tenant: TenantId,
    tried: Vec<&'static Projection>,
    /// A panic ends the round, not the worker.
    round: Result<Result<Round, Error>, JoinError>,
}

/// Which tenants wait, and which are being served.
pub(crate) struct Work {
    deps: Arc<ProjectorDeps>,
    shutdown: Shutdown,
    delivery: Delivery,
    standing: Standing,
    /// Who comes next, each once.
    waiting: VecDeque<(TenantId, Queued)>,
    queued: HashSet<TenantId>,
    /// Being served, and whether it was woken meanwhile: what it has read may not be all.
    serving: HashMap<TenantId, bool>,
    /// What is being done, until it is noted.
    pub(crate) rounds: FuturesUnordered<BoxFuture<'static, Served>>,
    /// Who is not to be tried yet.
    pub(crate) backoff: Backoff,
}

impl Work {
    /// Nobody waits.
    pub(crate) fn new(deps: ProjectorDeps, shutdown: Shutdown) -> Self {
        Self {
            deps: Arc::new(deps),
            shutdown,
            delivery: Delivery::default(),
            standing: Standing::default(),
            waiting: VecDeque::new(),
            queued: HashSet::new(),
            serving: HashMap::new(),
            rounds: FuturesUnordered::new(),
            backoff: Backoff::default(),
        }
    }

    /// A tenant probably has something to do.
    pub(crate) fn enqueue(&mut self, tenant: TenantId) {
        match self.serving.get_mut(&tenant) {
            Some(again) => *again = true,
            None if self.queued.insert(tenant) => {
                let counted = self.deps.metrics.queue("projector_tenants").enter();
                self.waiting.push_back((tenant, counted));
            }
            None => {}
        }
    }

    /// Serves as many of those that wait as may be served at the same time.
    pub(crate) fn begin_rounds(&mut self) {
        while self.rounds.len() < TENANTS_AT_ONCE {
            let Some((tenant, _)) = self.waiting.pop_front() else { return };
            self.queued.remove(&tenant);
            let tried = self.backoff.ready(tenant, Instant::now());
            let manner = Manner { patience: Patience::Leave, delivery: self.delivery.clone() };
            self.begin_round(tenant, tried.clone(), serve(Arc::clone(&self.deps), tenant, tried, manner));
        }
    }

    /// Whose round it is stays known outside of it, whatever becomes of it.
    pub(crate) fn begin_round<F>(&mut self, tenant: TenantId, tried: Vec<&'static Projection>, round: F)
    where
        F: Future<Output = Result<Round, Error>> + Send + 'static,
    {
        self.serving.insert(tenant, false);
        let round = self.shutdown.spawn(round);
        self.rounds.push(Box::pin(async move { Served { tenant, tried, round: round.await } }));
    }

    /// Takes note of what became of a round.
    pub(crate) async fn end_round(&mut self, Served { tenant, mut tried, round }: Served) {
        let names = tried.iter().map(|projection| projection.name).collect();
        let round = match round {
            Ok(Ok(round)) => round,
            // The next sweep finds the tenant again.
            Ok(Err(error)) => Round { failed: names, errors: vec![error], ..Round::default() },
            Err(_panic) => halt_panicked(&self.deps, tenant, &tried).await.unwrap_or_else(|error| Round {
                halted: names,
                errors: vec![error],
                ..Round::default()
            }),
        };
        for error in &round.errors {
            tracing::warn!(tenant.id = %tenant, error = runtime::chain(error), "a round failed, to be tried again");
        }
        // What failed is neither halted nor known to have got over a halt.
        tried.retain(|projection| !round.failed.contains(&projection.name));
        self.backoff.note(tenant, &tried, &round.halted, Instant::now());
        let woken = self.serving.remove(&tenant).unwrap_or_default();
        if round.more || woken {
            self.enqueue(tenant);
        }
    }

    /// Those that a sweep found behind.
    fn take_up(&mut self, behind: Vec<Behind>) {
        let now = Instant::now();
        for Behind { tenant_id, projection, .. } in self.standing.due(&self.delivery, behind) {
            if self.backoff.is_ready(tenant_id, &projection, now) {
                self.enqueue(tenant_id);
            }
        }
    }
}

/// One round of a tenant that is at home here; one that has left has nothing to be done for.
async fn serve(
    deps: Arc<ProjectorDeps>,
    tenant: TenantId,
    tried: Vec<&'static Projection>,
    manner: Manner,
) -> Result<Round, Error> {
    match prove(&deps, tenant).await? {
        Some(resident) => follow::round(&deps, &resident, &tried, &manner).await,
        None => Ok(Round::default()),
    }
}

async fn halt_panicked(deps: &ProjectorDeps, tenant: TenantId, tried: &[&'static Projection]) -> Result<Round, Error> {
    match prove(deps, tenant).await? {
        Some(resident) => follow::halt_panicked(deps, &resident, tried).await,
        None => Ok(Round::default()),
    }
}

async fn prove(deps: &ProjectorDeps, tenant: TenantId) -> Result<Option<Resident>, Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    Resident::prove_id(&mut conn, &deps.region.id, tenant).await.map_err(Error::Resident)
}
