//! How far a rebuild or a check is, over everything that was selected.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use regions::Resident;
use schemas::{Position, TenantId};

use crate::{Error, ProjectorDeps, build::Build, projections::Projection};

/// What a rebuild is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Rows are made from the log.
    Filling,
    /// Indexes are made.
    Completing,
    /// Rows are compared.
    Comparing,
    /// Readers are led to the new builds.
    Switching,
}

/// How far a rebuild or a check is.
///
/// Events count once for each selected projection. The total is that of the beginning: what is appended meanwhile does
/// not count, what an earlier attempt has done counts as done, and so does what a projection is spared because it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    /// What it is at.
    pub phase: Phase,
    /// Tenants done.
    pub tenants_done: usize,
    /// Tenants in all.
    pub tenants_total: usize,
    /// Events done, of all tenants.
    pub events_done: u64,
    /// Events in all.
    pub events_total: u64,
}

/// Counts what is done and tells it.
pub(crate) struct Meter<'a> {
    tell: &'a (dyn Fn(RebuildProgress) + Sync),
    /// How many events each tenant had at the beginning.
    heads: HashMap<TenantId, u64>,
    count: Mutex<Count>,
}

struct Count {
    now: RebuildProgress,
    /// What is counted of each tenant and projection.
    reached: HashMap<(TenantId, &'static str), u64>,
    events_read: u64,
}

impl<'a> Meter<'a> {
    /// Counts what there is to do.
    pub(crate) async fn new(
        deps: &ProjectorDeps,
        residents: &[Resident],
        projections: &[&'static Projection],
        tell: &'a (dyn Fn(RebuildProgress) + Sync),
    ) -> Result<Self, Error> {
        let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
        let heads = eventlog::heads(&mut conn).await.map_err(Error::Read)?;
        let heads: HashMap<_, _> = heads.into_iter().map(|head| (head.tenant_id, events(head.position))).collect();
        let of = |resident: &Resident| heads.get(&resident.tenant_id()).copied().unwrap_or_default();
        let heads: HashMap<_, _> = residents.iter().map(|resident| (resident.tenant_id(), of(resident))).collect();
        let now = RebuildProgress {
            phase: Phase::Filling,
            tenants_done: 0,
            tenants_total: residents.len(),
            events_done: 0,
            events_total: heads.values().sum::<u64>() * projections.len() as u64,
        };
        Ok(Self { tell, heads, count: Mutex::new(Count { now, reached: HashMap::new(), events_read: 0 }) })
    }

    /// What follows is another phase.
    pub(crate) fn begin(&self, phase: Phase) {
        self.change(|count| count.now.phase = phase);
    }

    /// So many events were read.
    pub(crate) fn read(&self, events: usize) {
        self.count.lock().unwrap_or_else(PoisonError::into_inner).events_read += events as u64;
    }

    /// A build has a tenant's events up to a position.
    pub(crate) fn reach(&self, resident: &Resident, build: &Build, position: Position) {
        self.count_up_to(resident, build, events(position));
    }

    /// A tenant is done, wherever that is.
    pub(crate) fn end_tenant(&self, resident: &Resident, builds: &[Build]) {
        for build in builds {
            self.count_up_to(resident, build, u64::MAX);
        }
        self.change(|count| count.now.tenants_done = (count.now.tenants_done + 1).min(count.now.tenants_total));
    }

    /// How many events were read in all.
    pub(crate) fn events_read(&self) -> u64 {
        self.count.lock().unwrap_or_else(PoisonError::into_inner).events_read
    }

    fn count_up_to(&self, resident: &Resident, build: &Build, position: u64) {
        let tenant = resident.tenant_id();
        let position = position.min(self.heads.get(&tenant).copied().unwrap_or_default());
        self.change(|count| {
            let before = count.reached.entry((tenant, build.projection.name)).or_default();
            let more = position.saturating_sub(*before);
            *before += more;
            count.now.events_done += more;
        });
    }

    /// Tells what has changed; in order, because nobody else counts meanwhile.
    fn change(&self, change: impl FnOnce(&mut Count)) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let before = count.now;
        change(&mut count);
        if count.now != before {
            (self.tell)(count.now);
        }
    }
}

/// Positions are dense, so a position is a count.
fn events(position: Position) -> u64 {
    u64::try_from(position.get()).unwrap_or_default()
}
