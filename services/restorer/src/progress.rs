//! How far a restore has come, over every tenant that is to be restored.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use schemas::TenantId;

/// What becomes of each event, one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Verified, with its archive.
    Verified,
    /// Read, for what follows from it, before anything is changed.
    Read,
    /// Written, or found to be there.
    Written,
    /// Compared with the living one: by a drill.
    Compared,
}

impl Step {
    /// Of a restore.
    pub(crate) const RESTORE: &'static [Self] = &[Self::Verified, Self::Read, Self::Written];
    /// Of a drill.
    pub(crate) const DRILL: &'static [Self] = &[Self::Verified, Self::Read, Self::Written, Self::Compared];
}

/// How far a restore, or a drill, has come.
///
/// The total is that of the beginning: events that come meanwhile do not count. Who was restored before counts as done from the
/// first word on, and so does, at its end, what a tenant is spared because it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreProgress {
    /// Tenants that are done, whatever became of them.
    pub tenants_done: u64,
    /// Tenants in all.
    pub tenants_total: u64,
    /// Of how many events each step was done, of all tenants.
    pub steps: BTreeMap<Step, u64>,
    /// Events in all. Each step is to be done of each of them.
    pub events: u64,
}

impl RestoreProgress {
    /// Steps that were done of events.
    pub fn done(&self) -> u64 {
        self.steps.values().fold(0, |sum, done| sum.saturating_add(*done))
    }

    /// Steps to be done of events, the done ones included.
    pub fn total(&self) -> u64 {
        self.events.saturating_mul(self.steps.len() as u64)
    }
}

/// Counts what is done and tells it.
pub(crate) struct Meter<'a> {
    tell: &'a (dyn Fn(RestoreProgress) + Sync),
    /// How many events each tenant had at the beginning. Nobody has vouched for that yet.
    sizes: BTreeMap<TenantId, u64>,
    count: Mutex<Count>,
}

struct Count {
    now: RestoreProgress,
    reached: BTreeMap<(TenantId, Step), u64>,
    ended: BTreeSet<TenantId>,
}

impl<'a> Meter<'a> {
    /// Tells what there is to do, and that these of the tenants are done.
    pub(crate) fn new(
        tell: &'a (dyn Fn(RestoreProgress) + Sync),
        steps: &'static [Step],
        sizes: BTreeMap<TenantId, u64>,
        done: &[TenantId],
    ) -> Self {
        let now = RestoreProgress {
            tenants_done: 0,
            tenants_total: sizes.len() as u64,
            steps: steps.iter().map(|step| (*step, 0)).collect(),
            events: sizes.values().fold(0, |sum, size| sum.saturating_add(*size)),
        };
        let mut count = Count { now, reached: BTreeMap::new(), ended: BTreeSet::new() };
        done.iter().for_each(|tenant_id| count.end(*tenant_id, &sizes));
        tell(count.now.clone());
        Self { tell, sizes, count: Mutex::new(count) }
    }

    /// A step was done of a tenant's first events, so many of them.
    pub(crate) fn reach(&self, tenant_id: TenantId, step: Step, events: u64) {
        self.change(|count| count.reach((tenant_id, step), events, &self.sizes));
    }

    /// A tenant is done, wherever that is.
    pub(crate) fn end(&self, tenant_id: TenantId) {
        self.change(|count| count.end(tenant_id, &self.sizes));
    }

    /// Tells how far it is; in order, because nobody else counts meanwhile.
    fn change(&self, change: impl FnOnce(&mut Count)) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut count);
        (self.tell)(count.now.clone());
    }
}

impl Count {
    fn reach(&mut self, (tenant_id, step): (TenantId, Step), events: u64, sizes: &BTreeMap<TenantId, u64>) {
        let events = events.min(sizes.get(&tenant_id).copied().unwrap_or_default());
        let before = self.reached.entry((tenant_id, step)).or_default();
        let more = events.saturating_sub(*before);
        *before += more;
        let done = self.now.steps.entry(step).or_default();
        *done = done.saturating_add(more);
    }

    fn end(&mut self, tenant_id: TenantId, sizes: &BTreeMap<TenantId, u64>) {
        let steps: Vec<_> = self.now.steps.keys().copied().collect();
        steps.into_iter().for_each(|step| self.reach((tenant_id, step), u64::MAX, sizes));
        self.now.tenants_done += u64::from(self.ended.insert(tenant_id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: u128) -> TenantId {
        format!("00000000-0000-0000-0000-{number:012}").parse().expect("a UUID")
    }

    /// What is told while `work` is done, as done and total.
    fn told(sizes: &[u64], done: &[u128], work: impl FnOnce(&Meter<'_>)) -> Vec<(u64, u64)> {
        let told = Mutex::new(Vec::new());
        let tell = |at: RestoreProgress| told.lock().expect("one at a time").push((at.done(), at.total()));
        let sizes = (1..).map(tenant).zip(sizes.iter().copied()).collect();
        let done: Vec<_> = done.iter().copied().map(tenant).collect();
        work(&Meter::new(&tell, Step::RESTORE, sizes, &done));
        told.into_inner().expect("one at a time")
    }

    #[test]
    fn every_step_of_every_event_counts_once() {
        let told = told(&[10, 5], &[], |meter| {
            meter.reach(tenant(1), Step::Verified, 10);
            meter.reach(tenant(2), Step::Verified, 3);
            // Verified once more, with another key.
            meter.reach(tenant(1), Step::Verified, 4);
            meter.reach(tenant(1), Step::Read, 10);
            // More than there were at the beginning.
            meter.reach(tenant(1), Step::Written, 12);
            meter.end(tenant(1));
            meter.end(tenant(2));
        });
        let expected = [0, 10, 13, 13, 23, 33, 33, 45].map(|done| (done, 45));
        assert_eq!(told, expected);
    }

    #[test]
    fn who_was_done_before_counts_from_the_first_word_on() {
        let told = told(&[10, 5], &[1], |meter| {
            meter.end(tenant(1));
            meter.end(tenant(2));
        });
        assert_eq!(told, [(30, 45), (30, 45), (45, 45)]);
    }

    #[test]
    fn a_size_that_cannot_be_breaks_nothing() {
        let told = told(&[u64::MAX, 5], &[], |meter| {
            meter.end(tenant(1));
            meter.end(tenant(2));
        });
        assert_eq!(told.last(), Some(&(u64::MAX, u64::MAX)));
    }
}
