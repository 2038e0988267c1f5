//! What a process has been handed by the topic and has not handled yet: bounded, and never relied upon.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use runtime::{QueueMeter, RegionMetrics};
use schemas::{Position, Recorded, TenantId};
use tokio::{sync::watch, time::Instant};

use crate::{Record, partition_of};

/// Bytes of payloads and envelopes that wait at most. Beyond, everything is let go, and the log is read.
const BYTES_MAX: usize = 64 << 20;
/// Events of one tenant that wait at most: enough for the largest command, several times.
const TENANT_EVENTS_MAX: usize = 4_096;
/// How long a partition that went may take to come to another process: two rounds of the group, each as long as a heartbeat.
const HANDOVER: Duration = Duration::from_secs(4);
/// What an envelope takes beside its payload, about.
const ENVELOPE_BYTES: usize = 500;

/// Delivered events, by tenant, and the partitions this process reads.
#[derive(Debug)]
pub struct Delivered {
    partitions: i32,
    /// To whom: the name under which it is shown.
    pub(crate) subscription: &'static str,
    pub(crate) metrics: RegionMetrics,
    /// Counts bytes.
    meter: QueueMeter,
    inner: Mutex<Inner>,
    /// Whether the group has told this process what it reads, and nothing has happened since that makes it doubtful.
    is_read: watch::Sender<bool>,
}

/// Where a tenant's records go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// To this process.
    Here,
    /// To another one, or they will once the group has agreed.
    Elsewhere,
    /// As far as this process knows, nowhere: it does not read the topic, refuses what it has of the tenant, or has just been told
    /// to leave it to another one, who does not know yet. Whoever hears of new events reads the log.
    Nowhere,
}

#[derive(Debug, Default)]
struct Inner {
    /// Whether the group has told this process what is its own; nothing, for a spare one.
    is_member: bool,
    owned: HashSet<i32>,
    /// Partitions that went, and when.
    left: HashMap<i32, Instant>,
    tenants: HashMap<TenantId, VecDeque<Record>>,
    /// Whose records were not what they claimed to be. Their events come from the log.
    stopped: HashSet<TenantId>,
    bytes: usize,
}

impl Delivered {
    /// Nothing yet, of a topic with so many partitions.
    pub fn new(partitions: i32, subscription: &'static str, metrics: RegionMetrics) -> Self {
        let meter = metrics.queue(&format!("topic_delivered_bytes_{subscription}"));
        let (inner, is_read) = (Mutex::default(), watch::Sender::new(false));
        Self { partitions, subscription, metrics, meter, inner, is_read }
    }

    /// How many partitions the topic has.
    pub(crate) const fn partitions(&self) -> i32 {
        self.partitions
    }

    /// Takes a record. What neither doubles another nor follows the last one takes the place of all: the newest run is the one
    /// that may still join.
    pub fn add(&self, record: Record) {
        let mut inner = self.lock();
        let tenant = record.tenant();
        if inner.stopped.contains(&tenant) {
            return;
        }
        if let Some(queue) = inner.tenants.get(&tenant) {
            match place(queue, record.position()) {
                Some(place) if place < queue.len() && queue[place].recorded == record.recorded => return,
                Some(place) if place == queue.len() && place < TENANT_EVENTS_MAX => {}
                _ => inner.let_go(tenant),
            }
        }
        inner.bytes += bytes(&record);
        if inner.bytes > BYTES_MAX {
            inner.clear();
            self.meter.refused();
        } else {
            inner.tenants.entry(tenant).or_default().push_back(record);
        }
        self.measure(&inner);
    }

    /// Events of whole commands that come right after a position, without a gap, at most so many, and whether there are more;
    /// none if what was delivered does not join there.
    pub fn after(&self, tenant: TenantId, position: Position, events_max: usize) -> (Vec<Recorded>, bool) {
        let inner = self.lock();
        let Some(queue) = inner.tenants.get(&tenant) else { return (Vec::new(), false) };
        // A queue has no gaps.
        let first = queue.partition_point(|record| record.position() <= position);
        if queue.get(first).is_none_or(|first| first.position() != position.next()) {
            return (Vec::new(), false);
        }
        let end = queue.len().min(first + events_max);
        let whole = (first..end).rev().find(|index| queue[*index].ends_command()).map_or(first, |last| last + 1);
        let events = queue.range(first..whole).map(|record| record.recorded.clone()).collect();
        (events, queue.range(whole..).any(Record::ends_command))
    }

    /// Lets go of what is handled.
    pub fn handled(&self, tenant: TenantId, up_to: Position) {
        let mut inner = self.lock();
        let Some(queue) = inner.tenants.get_mut(&tenant) else { return };
        let count = queue.partition_point(|record| record.position() <= up_to);
        let freed: usize = queue.drain(..count).map(|record| bytes(&record)).sum();
        if queue.is_empty() {
            inner.tenants.remove(&tenant);
        }
        inner.bytes -= freed;
        self.measure(&inner);
    }

    /// Lets go of a tenant's events: the log does not know them.
    pub fn let_go(&self, tenant: TenantId) {
        let mut inner = self.lock();
        inner.let_go(tenant);
        self.measure(&inner);
    }

    /// Takes no more of a tenant's events until its partition is assigned anew.
    pub fn stop(&self, tenant: TenantId) {
        let mut inner = self.lock();
        inner.let_go(tenant);
        inner.stopped.insert(tenant);
        self.measure(&inner);
    }

    /// Where the tenant's records go.
    pub fn destination(&self, tenant: TenantId) -> Destination {
        self.destination_at(tenant, Instant::now())
    }

    fn destination_at(&self, tenant: TenantId, now: Instant) -> Destination {
        let (inner, partition) = (self.lock(), partition_of(tenant, self.partitions));
        let is_between = || inner.left.get(&partition).is_some_and(|left| now.duration_since(*left) < HANDOVER);
        if !*self.is_read.borrow() || inner.stopped.contains(&tenant) {
            Destination::Nowhere
        } else if inner.owned.contains(&partition) {
            Destination::Here
        } else if is_between() {
            Destination::Nowhere
        } else {
            Destination::Elsewhere
        }
    }

    /// Whether the tenant's records come to this process.
    pub fn owns(&self, tenant: TenantId) -> bool {
        self.destination(tenant) == Destination::Here
    }

    /// Waits until this process reads the topic.
    pub(crate) async fn is_read(&self) {
        // The sender is this one.
        let _ = self.is_read.subscribe().wait_for(|is_read| *is_read).await;
    }

    /// Partitions come to this process; perhaps none, where there are more processes than partitions.
    pub fn assign(&self, partitions: impl IntoIterator<Item = i32>) {
        let mut inner = self.lock();
        inner.owned.extend(partitions);
        inner.is_member = true;
        drop(inner);
        self.is_read.send_replace(true);
    }

    /// The brokers may be gone: until that is known, nobody relies on them.
    pub(crate) fn doubt(&self) {
        self.is_read.send_replace(false);
    }

    /// The brokers are there.
    pub(crate) fn believe(&self) {
        let is_member = self.lock().is_member;
        self.is_read.send_replace(is_member);
    }

    /// Partitions go to another process, and what was delivered of them is its business now.
    pub(crate) fn revoke(&self, partitions: impl IntoIterator<Item = i32>) {
        let mut inner = self.lock();
        for partition in partitions {
            inner.owned.remove(&partition);
            inner.left.insert(partition, Instant::now());
        }
        self.left_with(inner);
    }

    /// Every partition goes.
    pub(crate) fn revoke_all(&self) {
        let mut inner = self.lock();
        inner.owned.clear();
        self.left_with(inner);
    }

    /// Who is left with nothing has lost its place in the group, or is told next what comes instead.
    fn left_with(&self, mut inner: MutexGuard<'_, Inner>) {
        inner.forget_others(self.partitions);
        self.measure(&inner);
        if inner.owned.is_empty() {
            inner.is_member = false;
            self.is_read.send_replace(false);
        }
    }

    fn measure(&self, inner: &Inner) {
        self.meter.holds(inner.bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn let_go(&mut self, tenant: TenantId) {
        let freed: usize = self.tenants.remove(&tenant).iter().flatten().map(bytes).sum();
        self.bytes -= freed;
    }

    fn clear(&mut self) {
        self.tenants.clear();
        self.bytes = 0;
    }

    fn forget_others(&mut self, partitions: i32) {
        let Self { owned, tenants, stopped, .. } = self;
        tenants.retain(|tenant, _| owned.contains(&partition_of(*tenant, partitions)));
        stopped.retain(|tenant| owned.contains(&partition_of(*tenant, partitions)));
        self.bytes = tenants.values().flatten().map(bytes).sum();
    }
}

/// Where an event would stand in a queue, which has no gaps; `None` before its begin.
fn place(queue: &VecDeque<Record>, position: Position) -> Option<usize> {
    usize::try_from(position.get() - queue.front()?.position().get()).ok()
}

fn bytes(record: &Record) -> usize {
    record.recorded.sealed.payload.len() + ENVELOPE_BYTES
}

#[cfg(test)]
mod tests;
