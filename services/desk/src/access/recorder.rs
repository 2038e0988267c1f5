//! What waits to be recorded: a queue a tenant, both bounded, emptied a few times a second.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use regions::Resident;
use runtime::{QueueMeter, Queued, RegionMetrics, Shutdown};
use schemas::{Day, TenantId, Version, access::Access};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::MissedTickBehavior,
};

use super::write::write;
use crate::{problem::ApiError, state::Desk};

/// How long an entry waits to be appended together with others, at most; and what a killed process loses.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// From how many answers of a tenant on their entries are not left to wait for others.
const ENTRIES_ENOUGH: usize = 1024;
/// The most answers of one tenant whose entries wait: a tenant whose log is held up holds up its own reads, and nobody else's.
const ENTRIES_OF_TENANT_MAX: usize = 4096;
/// The most answers whose entries wait: an entry is about half a kibibyte, and few answers have more than one.
const ENTRIES_MAX: usize = 65_536;
/// How long a read waits for a place.
const PLACE_PATIENCE: Duration = Duration::from_secs(5);

/// Collects what was read, and appends it.
pub(crate) struct Recorder {
    tenants: Mutex<HashMap<TenantId, Arc<Waiting>>>,
    places: Arc<Semaphore>,
    meter: QueueMeter,
    enough: Notify,
}

/// What waits of one tenant.
pub(super) struct Waiting {
    places: Arc<Semaphore>,
    entries: Mutex<Vec<Answered>>,
    /// Where the streams of the last days were found to end.
    known: Mutex<BTreeMap<Day, Version>>,
}

/// The entries of one answer, one or a few, and the place they take until they are appended.
pub(super) struct Answered {
    pub(super) accesses: Vec<Access>,
    pub(super) resident: Resident,
    _place: Place,
}

/// A place for the entries of one answer.
pub(crate) struct Place {
    waiting: Arc<Waiting>,
    _of_tenant: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
    _counted: Queued,
}

impl Recorder {
    /// Nothing waits.
    pub(crate) fn new(metrics: &RegionMetrics) -> Self {
        Self {
            tenants: Mutex::default(),
            places: Arc::new(Semaphore::new(ENTRIES_MAX)),
            meter: metrics.queue("desk_accesses"),
            enough: Notify::new(),
        }
    }

    /// A place for the entries of an answer to a tenant's. Whoever has to wait too long for one is refused: nothing is read unrecorded.
    pub(crate) async fn place(&self, tenant: TenantId) -> Result<Place, ApiError> {
        let waiting = self.waiting(tenant);
        let counted = self.meter.enter();
        let both = async {
            let of_tenant = Arc::clone(&waiting.places).acquire_owned().await.expect("the places are never closed");
            let of_all = Arc::clone(&self.places).acquire_owned().await.expect("the places are never closed");
            (of_tenant, of_all)
        };
        let (of_tenant, of_all) = tokio::time::timeout(PLACE_PATIENCE, both).await.map_err(|late| {
            self.meter.refused();
            ApiError::unavailable(late)
        })?;
        Ok(Place { waiting, _of_tenant: of_tenant, _of_all: of_all, _counted: counted })
    }

    /// Takes what one answer tells.
    pub(crate) fn record(&self, resident: &Resident, accesses: Vec<Access>, place: Place) {
        let waiting = Arc::clone(&place.waiting);
        let mut entries = waiting.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Answered { accesses, resident: resident.clone(), _place: place });
        if entries.len() == ENTRIES_ENOUGH {
            self.enough.notify_one();
        }
    }

    /// What waits of one tenant.
    #[cfg(test)]
    pub(super) fn take_of(&self, tenant: TenantId) -> (Arc<Waiting>, Vec<Answered>) {
        let waiting = self.waiting(tenant);
        let entries = waiting.take(1);
        (waiting, entries)
    }

    fn waiting(&self, tenant: TenantId) -> Arc<Waiting> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tenants.entry(tenant).or_insert_with(|| {
            Arc::new(Waiting {
                places: Arc::new(Semaphore::new(ENTRIES_OF_TENANT_MAX)),
                entries: Mutex::default(),
                known: Mutex::default(),
            })
        }))
    }

    /// What waits of the tenants that nobody is writing for and of which so many answers wait. Tenants that have not read anything
    /// since yesterday are forgotten.
    fn take(
        &self,
        busy: &HashSet<TenantId>,
        at_least: usize,
        today: Day,
    ) -> Vec<(TenantId, Arc<Waiting>, Vec<Answered>)> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.retain(|_, waiting| Arc::strong_count(waiting) > 1 || waiting.is_known_of(today));
        let idle = tenants.iter().filter(|(tenant, _)| !busy.contains(tenant));
        let taken = idle.map(|(tenant, waiting)| (*tenant, Arc::clone(waiting), waiting.take(at_least)));
        taken.filter(|(_, _, entries)| !entries.is_empty()).collect()
    }
}

impl Waiting {
    fn take(&self, at_least: usize) -> Vec<Answered> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() < at_least { Vec::new() } else { std::mem::take(&mut *entries) }
    }

    fn is_known_of(&self, today: Day) -> bool {
        self.known().last_key_value().is_some_and(|(day, _)| *day >= today)
    }

    /// Where a day's stream was last found to end.
    pub(super) fn version_of(&self, day: Day) -> Version {
        self.known().get(&day).copied().unwrap_or(Version::ZERO)
    }

    /// Remembers where a day's stream ends.
    pub(super) fn know(&self, day: Day, version: Version) {
        let mut known = self.known();
        known.insert(day, version);
        // A batch has two days at most, and that at midnight.
        while known.len() > 2 {
            known.pop_first();
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Day, Version>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends what was read until `last` is over, and then what is left. `last` is when no connection is served any more.
pub(crate) async fn run(desk: Desk, last: impl Future<Output = ()>, shutdown: Shutdown) {
    // The log is open for the reads that end last.
    let _open = desk.appender.keep_open();
    let mut ticks = tokio::time::interval(FLUSH_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut writing, mut busy, mut is_last) = (FuturesUnordered::new(), HashSet::new(), false);
    tokio::pin!(last);
    loop {
        // A batch that is written makes none that would rather wait for others due: an append for each would cost what a write costs.
        let due = tokio::select! {
            Some(tenant) = writing.next(), if !writing.is_empty() => { busy.remove(&tenant); ENTRIES_ENOUGH }
            _ = ticks.tick() => 1,
            () = desk.recorder().enough.notified() => ENTRIES_ENOUGH,
            () = &mut last, if !is_last => { is_last = true; 1 }
        };
        let at_least = if is_last { 1 } else { due };
        for (tenant, waiting, entries) in desk.recorder().take(&busy, at_least, Day::of(desk.clock.now())) {
            busy.insert(tenant);
            let (desk, shutdown) = (&desk, &shutdown);
            writing.push(async move {
                write(desk, &waiting, entries, shutdown).await;
                tenant
            });
        }
        if is_last && writing.is_empty() {
            return;
        }
    }
}
