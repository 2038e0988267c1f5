//! Callers that wait, tenant by tenant, so that one tenant's flood is that tenant's own trouble.
//!
//! Each tenant has a queue of its own with a bound of its own; all of them together have one too. Whoever takes a batch goes
//! round the tenants that wait, one caller each a turn, until the batch is full, nobody waits, or every tenant has had its share.
//! The round goes on in the next batch where it ended in this one. There is no credit: a tenant that was silent for an hour
//! gets its turn like one that was not.

mod turns;

use std::sync::{Mutex, MutexGuard, PoisonError};

use runtime::{QueueMeter, RegionMetrics};
use schemas::TenantId;
use tokio::sync::Notify;

use crate::{appender::waiting::Waiting, error::Error};
use turns::Turns;

/// How much a queue holds, and how much of it a batch takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Callers of all tenants together.
    pub(crate) length_max: usize,
    /// Callers of one tenant.
    pub(crate) tenant_length_max: usize,
    /// What a batch takes. A caller counts as many as it has events, at least one.
    pub(crate) batch_size_max: usize,
    /// What a batch takes of one tenant. A caller that is larger by itself is taken alone.
    pub(crate) tenant_share_max: usize,
}

/// A bounded queue with a name, in memory.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: Limits,
    state: Mutex<State>,
    arrived: Notify,
    meter: QueueMeter,
    /// Counts what tenants' own bounds refused.
    tenant_meter: QueueMeter,
}

#[derive(Debug, Default)]
struct State {
    turns: Turns<Waiting>,
    is_closed: bool,
}

type Push = fn(&mut Turns<Waiting>, TenantId, usize, Waiting);

impl Queue {
    /// An empty queue. Its `name` is the label of its metrics; refusals for the tenant's bound count under `<name>_tenant`.
    pub(crate) fn new(name: &str, limits: Limits, metrics: &RegionMetrics) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            arrived: Notify::new(),
            meter: metrics.queue(name),
            tenant_meter: metrics.queue(&format!("{name}_tenant")),
        }
    }

    /// Puts a caller at the end of its tenant's queue.
    pub(crate) fn push(&self, waiting: Waiting) -> Result<(), Error> {
        let mut state = self.state();
        let tenant_id = waiting.tenant_id();
        if state.is_closed {
            return Err(Error::Unavailable);
        }
        if state.turns.len_of(tenant_id) >= self.limits.tenant_length_max {
            self.tenant_meter.refused();
            return Err(Error::TenantOverloaded { tenant_id });
        }
        if state.turns.len() >= self.limits.length_max {
            self.meter.refused();
            return Err(Error::Overloaded);
        }
        state.turns.push_back(tenant_id, waiting.size(), waiting);
        self.meter.came(1);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes callers over from another queue. They were let in once, so they are not refused now; when the queue is closed they
    /// are given up.
    pub(crate) fn take_over(&self, callers: Vec<Waiting>) {
        self.return_with(callers.into_iter(), Turns::push_back);
    }

    /// Puts callers back in front of their tenants' queues, as [`Queue::take_over`] does at the end.
    pub(crate) fn put_back(&self, callers: Vec<Waiting>) {
        self.return_with(callers.into_iter().rev(), Turns::push_front);
    }

    fn return_with(&self, callers: impl ExactSizeIterator<Item = Waiting>, push: Push) {
        let mut state = self.state();
        if state.is_closed {
            return callers.for_each(Waiting::give_up);
        }
        self.meter.came(callers.len());
        callers.for_each(|waiting| push(&mut state.turns, waiting.tenant_id(), waiting.size(), waiting));
        drop(state);
        self.arrived.notify_one();
    }

    /// Waits until somebody may have come, or the queue was closed.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Takes the next batch: a fair one, or nothing.
    pub(crate) fn take(&self) -> Vec<Waiting> {
        let batch = self.state().turns.take(self.limits.batch_size_max, self.limits.tenant_share_max);
        self.meter.left(batch.len());
        batch
    }

    /// Takes callers of the tenant whose turn it is alone, as many as a batch holds.
    pub(crate) fn take_of_one(&self) -> Vec<Waiting> {
        let batch = self.state().turns.take_of_one(self.limits.batch_size_max);
        self.meter.left(batch.len());
        batch
    }

    /// Takes all callers of a tenant out.
    pub(crate) fn take_out(&self, tenant_id: TenantId) -> Vec<Waiting> {
        let callers = self.state().turns.take_out(tenant_id);
        self.meter.left(callers.len());
        callers
    }

    /// Whether nobody of this tenant waits.
    pub(crate) fn is_without(&self, tenant_id: TenantId) -> bool {
        self.state().turns.len_of(tenant_id) == 0
    }

    /// Lets nobody in any more. Who waits already is still served.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.arrived.notify_one();
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// Takes everybody out, to be told that nobody will serve them.
    pub(crate) fn drain(&self) -> Vec<Waiting> {
        let callers = self.state().turns.drain();
        self.meter.left(callers.len());
        callers
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
