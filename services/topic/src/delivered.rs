//! What a process has been handed by the topic and has not handled yet: bounded, and never relied upon.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use runtime::QueueMeter;
use schemas::{Position, Recorded, TenantId};

use crate::{Record, partition_of};

/// Bytes of payloads and envelopes that wait at most. Beyond, everything is let go, and the log is read.
const BYTES_MAX: usize = 64 << 20;
/// Events of one tenant that wait at most: enough for the largest command, several times.
const TENANT_EVENTS_MAX: usize = 4_096;
/// What an envelope takes beside its payload, about.
const ENVELOPE_BYTES: usize = 500;

/// Delivered events, by tenant, and the partitions this process reads.
#[derive(Debug)]
pub struct Delivered {
    partitions: i32,
    inner: Mutex<Inner>,
    /// Counts bytes.
    meter: Option<QueueMeter>,
}

#[derive(Debug, Default)]
struct Inner {
    owned: HashSet<i32>,
    tenants: HashMap<TenantId, VecDeque<Record>>,
    /// Whose records were not what they claimed to be. Their events come from the log.
    stopped: HashSet<TenantId>,
    bytes: usize,
}

impl Delivered {
    /// Nothing yet, of a topic with so many partitions.
    pub fn new(partitions: i32) -> Self {
        Self { partitions, inner: Mutex::default(), meter: None }
    }

    /// With the meter of this queue.
    pub(crate) fn metered(self, meter: QueueMeter) -> Self {
        Self { meter: Some(meter), ..self }
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
            self.meter.iter().for_each(QueueMeter::refused);
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

    /// Whether the tenant's records come to this process.
    pub fn owns(&self, tenant: TenantId) -> bool {
        let inner = self.lock();
        inner.owned.contains(&partition_of(tenant, self.partitions)) && !inner.stopped.contains(&tenant)
    }

    /// Partitions come to this process.
    pub(crate) fn assign(&self, partitions: impl IntoIterator<Item = i32>) {
        self.lock().owned.extend(partitions);
    }

    /// Partitions go to another process, and what was delivered of them is its business now.
    pub(crate) fn revoke(&self, partitions: impl IntoIterator<Item = i32>) {
        let mut inner = self.lock();
        for partition in partitions {
            inner.owned.remove(&partition);
        }
        inner.forget_others(self.partitions);
        self.measure(&inner);
    }

    /// Every partition goes.
    pub(crate) fn revoke_all(&self) {
        let mut inner = self.lock();
        inner.owned.clear();
        inner.forget_others(self.partitions);
        self.measure(&inner);
    }

    fn measure(&self, inner: &Inner) {
        self.meter.iter().for_each(|meter| meter.holds(inner.bytes));
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
mod tests {
    use proptest::prelude::*;
    use schemas::Sealed;

    use super::*;
    use crate::record::tests::record;

    const TENANT: u128 = 5;

    fn delivered(records: &[(i64, i64)]) -> Delivered {
        let delivered = Delivered::new(12);
        for (position, command_last) in records {
            delivered.add(record(TENANT, *position, *command_last));
        }
        delivered
    }

    fn after(delivered: &Delivered, position: i64) -> Vec<i64> {
        let tenant = record(TENANT, 1, 1).tenant();
        delivered.after(tenant, Position::new(position), 1_000).0.iter().map(|event| event.position.get()).collect()
    }

    #[test]
    fn events_join_where_the_reader_stands_and_nowhere_else() {
        let delivered = delivered(&[(3, 3), (4, 5), (5, 5), (6, 6)]);
        assert_eq!(after(&delivered, 2), [3, 4, 5, 6]);
        assert_eq!(after(&delivered, 4), [5, 6], "what is handled is skipped");
        assert_eq!(after(&delivered, 1), [0_i64; 0], "a gap before it: the log is read");
        assert_eq!(after(&delivered, 6), [0_i64; 0]);
        delivered.handled(record(TENANT, 1, 1).tenant(), Position::new(5));
        assert_eq!(after(&delivered, 5), [6]);
        assert_eq!(after(&delivered, 2), [0_i64; 0]);
    }

    #[test]
    fn half_a_command_waits_for_its_other_half() {
        let delivered = delivered(&[(1, 1), (2, 4), (3, 4)]);
        assert_eq!(after(&delivered, 0), [1]);
        assert_eq!(after(&delivered, 1), [0_i64; 0]);
        delivered.add(record(TENANT, 4, 4));
        assert_eq!(after(&delivered, 1), [2, 3, 4]);
        let tenant = record(TENANT, 1, 1).tenant();
        let (events, more) = delivered.after(tenant, Position::ZERO, 3);
        assert_eq!((events.len(), more), (1, true), "a limit cuts between commands");
    }

    #[test]
    fn doubles_are_skipped_and_a_gap_begins_anew() {
        let twice = delivered(&[(1, 1), (2, 2), (1, 1), (2, 2), (3, 3)]);
        assert_eq!(after(&twice, 0), [1, 2, 3]);
        let gap = delivered(&[(1, 1), (2, 2), (9, 9), (10, 10)]);
        assert_eq!((after(&gap, 0), after(&gap, 8)), (vec![], vec![9, 10]));
    }

    #[test]
    fn two_events_with_one_position_do_not_stand_side_by_side() {
        let delivered = delivered(&[(1, 1), (2, 2), (3, 3)]);
        let mut other = record(TENANT, 2, 2);
        other.recorded.sealed = Sealed::new(other.recorded.sealed.envelope, b"of another history".to_vec());
        delivered.add(other.clone());
        assert_eq!(after(&delivered, 0), [0_i64; 0]);
        assert_eq!(delivered.after(other.tenant(), Position::new(1), 9), (vec![other.recorded], false));
    }

    #[test]
    fn a_tenant_that_was_stopped_or_went_elsewhere_has_nothing() {
        let tenant = record(TENANT, 1, 1).tenant();
        let delivered = delivered(&[(1, 1)]);
        assert!(!delivered.owns(tenant));
        delivered.assign([4, 5]);
        assert!(delivered.owns(tenant));
        delivered.stop(tenant);
        delivered.add(record(TENANT, 2, 2));
        assert_eq!((after(&delivered, 0), after(&delivered, 1), delivered.owns(tenant)), (vec![], vec![], false));
        delivered.revoke([5]);
        delivered.assign([5]);
        delivered.add(record(TENANT, 3, 3));
        assert_eq!((after(&delivered, 2), delivered.owns(tenant)), (vec![3], true), "assigned anew, it begins anew");
        delivered.revoke_all();
        assert_eq!((after(&delivered, 2), delivered.owns(tenant)), (vec![], false));
    }

    #[test]
    fn what_waits_is_bounded() {
        let delivered = delivered(&[]);
        for position in 1..=3 * TENANT_EVENTS_MAX as i64 {
            delivered.add(record(TENANT, position, position));
            assert!(delivered.lock().tenants.values().map(VecDeque::len).sum::<usize>() <= TENANT_EVENTS_MAX);
        }
        let mut large = record(TENANT, 1, 1);
        for tenant in 0..10 {
            large.recorded.sealed.envelope.tenant_id = record(tenant, 1, 1).tenant();
            large.recorded.sealed.payload = vec![0; BYTES_MAX / 4];
            delivered.add(large.clone());
            assert!(delivered.lock().bytes <= BYTES_MAX);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_delivered_what_comes_after_is_gapless_and_whole(
            records in proptest::collection::vec((1..30_i64, 0..3_i64), 0..80), position in 0..30_i64, limit in 1..20_usize
        ) {
            let records: Vec<_> = records.into_iter().map(|(position, rest)| (position, position + rest)).collect();
            let delivered = delivered(&records);
            let (events, _) = delivered.after(record(TENANT, 1, 1).tenant(), Position::new(position), limit);
            prop_assert!(events.len() <= limit);
            for (event, expected) in events.iter().zip(position + 1..) {
                prop_assert_eq!(event.position.get(), expected);
            }
            if let Some(last) = events.last() {
                prop_assert!(records.contains(&(last.position.get(), last.position.get())), "it ends a command");
            }
        }
    }
}
