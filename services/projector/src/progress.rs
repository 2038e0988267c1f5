//! How far a rebuild or a check is, over everything that was selected.

use std::collections::{HashMap, HashSet};

use regions::Resident;
use schemas::{Position, TenantId};

use crate::{Error, ProjectorDeps, selection::Selection};

/// How far a rebuild or a check is.
///
/// Events count once for each selected projection. The total is that of the beginning: what is appended meanwhile does
/// not count, and what a projection is spared because it was refused counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Tenants done.
    pub tenants_done: usize,
    /// Tenants in all.
    pub tenants_total: usize,
    /// The tenant in work.
    pub tenant_id: TenantId,
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
    tenants_done: usize,
    /// Without the projections in work.
    events_done: u64,
    events_total: u64,
}

impl<'a> Meter<'a> {
    /// Counts what there is to do.
    pub(crate) async fn new(
        deps: &ProjectorDeps,
        selection: &Selection,
        residents: &[Resident],
        tell: &'a (dyn Fn(RebuildProgress) + Sync),
    ) -> Result<Self, Error> {
        let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
        let selected: HashSet<_> = residents.iter().map(Resident::tenant_id).collect();
        let heads = eventlog::heads(&mut conn).await.map_err(Error::Read)?.into_iter();
        let heads = heads.filter(|head| selected.contains(&head.tenant_id));
        let heads: HashMap<_, _> = heads.map(|head| (head.tenant_id, events(head.position))).collect();
        let events_total = heads.values().sum::<u64>() * selection.projections.len() as u64;
        Ok(Self { tell, heads, tenants_done: 0, events_done: 0, events_total })
    }

    /// So many projections of a tenant have come to a position together.
    pub(crate) fn at(&self, resident: &Resident, projections: usize, position: Position) {
        let position = events(position).min(self.head(resident));
        self.say(resident, self.events_done + position * projections as u64);
    }

    /// So many projections of a tenant are done.
    pub(crate) fn end_projections(&mut self, resident: &Resident, projections: usize) {
        self.events_done += self.head(resident) * projections as u64;
        self.say(resident, self.events_done);
    }

    /// A tenant is done.
    pub(crate) fn end_tenant(&mut self, resident: &Resident) {
        self.tenants_done += 1;
        self.say(resident, self.events_done);
    }

    fn head(&self, resident: &Resident) -> u64 {
        self.heads.get(&resident.tenant_id()).copied().unwrap_or_default()
    }

    fn say(&self, resident: &Resident, events_done: u64) {
        (self.tell)(RebuildProgress {
            tenants_done: self.tenants_done,
            tenants_total: self.heads.len(),
            tenant_id: resident.tenant_id(),
            events_done,
            events_total: self.events_total,
        });
    }
}

/// Positions are dense, so a position is a count.
fn events(position: Position) -> u64 {
    u64::try_from(position.get()).unwrap_or_default()
}
