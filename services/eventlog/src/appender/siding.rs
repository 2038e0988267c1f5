//! The siding: where tenants go whose head row somebody else holds, so that their lane goes on without them.
//!
//! A lane lets the database wait for a lock a short while only. When that was not enough, it asks whose head rows are held, hands
//! those tenants' callers to the siding, and runs the rest again at once. The siding works as a lane does, one tenant at a time:
//! it tries each in turn, for the same short while, until the head row is free or the caller has waited as long as callers do.
//! A tenant stays on the siding until the database has answered for it there and none of it waits. So whoever holds a row costs
//! the lane one short wait, and not one for every caller that comes.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use schemas::TenantId;
use tokio::time::timeout;

use crate::appender::{
    batch,
    lane::{ANSWER_TIMEOUT, Lane, Track},
    queue::Queue,
    waiting::Waiting,
};

/// Who is on the siding, and the queue of those who wait there. Bounded by the number of tenants.
#[derive(Debug)]
pub(crate) struct Siding {
    pub(crate) queue: Queue,
    tenants: RwLock<HashSet<TenantId>>,
    /// How many lanes may still send somebody here.
    lanes: AtomicUsize,
}

impl Siding {
    pub(crate) fn new(queue: Queue, lanes: usize) -> Arc<Self> {
        Arc::new(Self { queue, tenants: RwLock::default(), lanes: AtomicUsize::new(lanes) })
    }

    /// Whether this tenant's callers go here.
    pub(crate) fn has(&self, tenant_id: TenantId) -> bool {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).contains(&tenant_id)
    }

    fn add(&self, tenant_id: TenantId) {
        self.tenants.write().unwrap_or_else(PoisonError::into_inner).insert(tenant_id);
    }

    /// The head row was free: unless more callers wait here, the next ones go to the tenant's lane again.
    pub(crate) fn release(&self, tenant_id: TenantId) {
        if self.queue.is_without(tenant_id)
            && self.tenants.write().unwrap_or_else(PoisonError::into_inner).remove(&tenant_id)
        {
            tracing::info!(tenant.id = %tenant_id, "the tenant is back on its lane");
        }
    }

    /// A lane has ended. After the last one nobody comes any more.
    pub(crate) fn lane_ended(&self) {
        if self.lanes.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.queue.close();
        }
    }
}

impl Lane {
    /// The database gave up waiting, mostly for a lock, and rolled the batch back.
    pub(crate) async fn blocked(
        &mut self,
        batch: Vec<Waiting>,
        batches: &mut VecDeque<Vec<Waiting>>,
        why: &sqlx::Error,
    ) {
        match &self.track {
            Track::Siding(siding) => {
                let (late, rest): (Vec<_>, Vec<_>) =
                    batch.into_iter().partition(|waiting| waiting.arrived.elapsed() >= self.config.patience.lock);
                late.into_iter().for_each(Waiting::refuse_as_busy);
                siding.queue.put_back(rest);
            }
            Track::Main { siding, .. } => {
                let siding = Arc::clone(siding);
                let held = self.held(&batch).await;
                let (stuck, rest): (Vec<_>, Vec<_>) =
                    batch.into_iter().partition(|waiting| held.contains(&waiting.tenant_id()));
                for tenant_id in held {
                    let error = runtime::chain(why);
                    tracing::warn!(tenant.id = %tenant_id, error, "the tenant's lane goes on without it");
                    siding.add(tenant_id);
                }
                siding.queue.take_over(stuck);
                self.put_aside(&siding);
                batches.extend((!rest.is_empty()).then_some(rest));
            }
        }
    }

    /// Whose head rows somebody else holds.
    async fn held(&mut self, batch: &[Waiting]) -> HashSet<TenantId> {
        let mut tenants: HashSet<_> = batch.iter().map(Waiting::tenant_id).collect();
        if tenants.len() > 1 {
            match timeout(ANSWER_TIMEOUT, batch::free_tenants(&mut self.connection, &tenants)).await {
                Ok(Ok(free)) => free.iter().for_each(|tenant_id| _ = tenants.remove(tenant_id)),
                // The batch is simply tried again, and finds the connection as it is.
                _ => tenants.clear(),
            }
        }
        tenants
    }

    /// Moves whoever of the tenants on the siding waits in this lane's queue.
    fn put_aside(&self, siding: &Siding) {
        let Track::Main { queue, .. } = &self.track else { return };
        let tenants: Vec<_> = siding.tenants.read().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        for tenant_id in tenants {
            siding.queue.take_over(queue.take_out(tenant_id));
        }
    }
}
