//! What every handler is given.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use eventlog::Appender;
use regions::{Bucket, Gate, ReadModels, Region, Regions, Resident};
use runtime::{Clock, Ids, RegionMetrics};
use schemas::CommandId;
use sqlx::{PgPool, Postgres, Transaction};
use vault::Vault;

use crate::{
    access::Recorder,
    api::v2::{incremental::Taken, search::turns::Turns},
    body::room::Room,
    caller::{guard::Guard, sign_ins::SignIns},
    jobs::Jobs,
    limits::{Limits, RateLimits},
    pages::agent::live::Live,
    session::seen::Seen,
    webhooks, witness,
    witness::Witness,
};

/// What a desk is made of. All of it belongs to one region.
pub struct Deps {
    /// The region it serves.
    pub region: Region,
    /// Every region of the deployment and the hosting policy: signup shows and judges them.
    pub regions: Arc<Regions>,
    /// The deployment's host as people type it, with the port if there is one: `localhost:8080`.
    pub apex: String,
    /// Connections to the region's database in the role of the desk.
    pub pool: PgPool,
    /// Which read models this program reads, in which shape.
    pub read_models: ReadModels,
    /// The region's keys.
    pub vault: Vault,
    /// The only way into the log.
    pub appender: Appender,
    /// The region's bucket, for attachments.
    pub bucket: Bucket,
    /// What it cosigns other regions' tree heads with.
    pub witness: Witness,
    /// The directory of names and homes.
    pub directory: directory::Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub ids: Arc<dyn Ids>,
    /// What the region measures.
    pub metrics: RegionMetrics,
    /// Whether the hosting policy's limits of requests hold.
    pub rate_limits: RateLimits,
}

/// A region's desk: cheap to clone, the state of every route.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    deps: Deps,
    guard: Guard,
    room: Room,
    searches: Turns,
    recorder: Recorder,
    sign_ins: SignIns,
    seen: Seen,
    taken: Taken,
    jobs: Jobs,
    limits: Limits,
    live: Live,
    gate: Gate,
    draining: AtomicBool,
}

impl Desk {
    /// A desk made of `deps`.
    pub fn new(deps: Deps) -> Self {
        witness::show_nothing_found(&deps);
        let (guard, room, recorder) =
            (Guard::new(&deps.metrics), Room::new(&deps.metrics), Recorder::new(&deps.metrics));
        let searches = Turns::new(&deps.metrics);
        let (sign_ins, seen, taken) = (SignIns::default(), Seen::default(), Taken::default());
        let (jobs, draining) = (Jobs::default(), AtomicBool::new(false));
        let (limits, live) = (Limits::new(deps.rate_limits), Live::default());
        let gate = Gate::new(&deps.region, deps.regions.policy(), webhooks::PATIENCE);
        let gate = gate.expect("TLS with the machine's authorities, as every other client of ours has it");
        Self(Arc::new(Inner {
            deps,
            guard,
            room,
            searches,
            recorder,
            sign_ins,
            seen,
            taken,
            jobs,
            limits,
            live,
            gate,
            draining,
        }))
    }

    /// The brake on guessing passwords, and the places where they are checked.
    pub(crate) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// The memory that bodies fill together.
    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    /// The searches that are asked of the database.
    pub(crate) fn searches(&self) -> &Turns {
        &self.0.searches
    }

    /// What was read and is not in the log yet.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.0.recorder
    }

    /// Who did not prove who they are, and is not in the log yet.
    pub(crate) fn sign_ins(&self) -> &SignIns {
        &self.0.sign_ins
    }

    /// When sessions were last in use.
    pub(crate) fn seen(&self) -> &Seen {
        &self.0.seen
    }

    /// The exports that the audit log knows of.
    pub(crate) fn taken(&self) -> &Taken {
        &self.0.taken
    }

    /// The jobs that wait in this process.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// What every tenant used of its requests.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Who looks at which ticket now.
    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    /// The one way out of the region.
    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// From now on the desk says that it is not ready, so that nobody sends it new connections.
    pub(crate) fn begin_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the process is ending.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// Begins a transaction that reads the read models of one tenant, from the builds that serve now.
    pub(crate) async fn reading(&self, resident: &Resident) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        regions::begin_reading(&self.pool, resident, &self.read_models).await
    }

    /// An id for a command that begins now.
    pub(crate) fn new_command_id(&self) -> CommandId {
        CommandId::new(self.ids.uuid())
    }
}

impl Deref for Desk {
    type Target = Deps;

    fn deref(&self) -> &Deps {
        &self.0.deps
    }
}
