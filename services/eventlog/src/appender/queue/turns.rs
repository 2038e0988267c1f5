//! Who is next: a round over the tenants that wait. Pure, so that fairness can be tested without a clock or a store.

use std::collections::{HashMap, VecDeque};

use schemas::TenantId;

/// What waits, by tenant, each with its size.
#[derive(Debug)]
pub(super) struct Turns<T> {
    by_tenant: HashMap<TenantId, VecDeque<(usize, T)>>,
    /// Every tenant that has something waiting, once: who is next stands first.
    round: VecDeque<TenantId>,
    length: usize,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { by_tenant: HashMap::new(), round: VecDeque::new(), length: 0 }
    }
}

impl<T> Turns<T> {
    /// How much waits in all.
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// How much waits of one tenant.
    pub(super) fn len_of(&self, tenant_id: TenantId) -> usize {
        self.by_tenant.get(&tenant_id).map_or(0, VecDeque::len)
    }

    /// To the end of the tenant's own queue.
    pub(super) fn push_back(&mut self, tenant_id: TenantId, size: usize, item: T) {
        self.own(tenant_id).push_back((size, item));
        self.length += 1;
    }

    /// To the front of the tenant's own queue.
    pub(super) fn push_front(&mut self, tenant_id: TenantId, size: usize, item: T) {
        self.own(tenant_id).push_front((size, item));
        self.length += 1;
    }

    /// One of each tenant in turn, until the sizes add up to `size_max`, or nobody waits, or every tenant has had `share_max`.
    /// What is larger than that by itself is taken when it comes first. The next call goes on where this one ended.
    pub(super) fn take(&mut self, size_max: usize, share_max: usize) -> Vec<T> {
        let (mut taken, mut size) = (Vec::new(), 0);
        let mut shares: HashMap<TenantId, usize> = HashMap::new();
        // Whoever has had its share stands behind all others next time.
        let mut had_enough = VecDeque::new();
        while let Some(tenant_id) = self.round.pop_front() {
            let next = self.by_tenant[&tenant_id].front().expect("whoever is in the round has something waiting").0;
            let share = shares.entry(tenant_id).or_default();
            if *share > 0 && *share + next > share_max {
                had_enough.push_back(tenant_id);
                continue;
            }
            if size > 0 && size + next > size_max {
                self.round.push_front(tenant_id);
                break;
            }
            (*share, size) = (*share + next, size + next);
            taken.extend(self.take_first(tenant_id, 1));
        }
        self.round.append(&mut had_enough);
        taken
    }

    /// Of the tenant whose turn it is alone, until the sizes add up to `size_max`.
    pub(super) fn take_of_one(&mut self, size_max: usize) -> Vec<T> {
        let Some(tenant_id) = self.round.pop_front() else { return Vec::new() };
        let mut size = 0;
        let fits = |waiting: &&(usize, T)| {
            size += waiting.0;
            size <= size_max || size == waiting.0
        };
        let count = self.by_tenant[&tenant_id].iter().take_while(fits).count();
        self.take_first(tenant_id, count)
    }

    /// All of one tenant.
    pub(super) fn take_out(&mut self, tenant_id: TenantId) -> Vec<T> {
        self.round.retain(|waiting| *waiting != tenant_id);
        self.take_first(tenant_id, usize::MAX)
    }

    /// Everything.
    pub(super) fn drain(&mut self) -> Vec<T> {
        std::mem::take(self).by_tenant.into_values().flatten().map(|(_, item)| item).collect()
    }

    /// The tenant's queue; a tenant that had none comes last in the round.
    fn own(&mut self, tenant_id: TenantId) -> &mut VecDeque<(usize, T)> {
        self.by_tenant.entry(tenant_id).or_insert_with(|| {
            self.round.push_back(tenant_id);
            VecDeque::new()
        })
    }

    /// The first of a tenant that is not in the round; if it has more, it goes to the end.
    fn take_first(&mut self, tenant_id: TenantId, count: usize) -> Vec<T> {
        let Some(own) = self.by_tenant.get_mut(&tenant_id) else { return Vec::new() };
        let taken: Vec<_> = own.drain(..count.min(own.len())).map(|(_, item)| item).collect();
        if own.is_empty() {
            self.by_tenant.remove(&tenant_id);
        } else {
            self.round.push_back(tenant_id);
        }
        self.length -= taken.len();
        taken
    }
}

#[cfg(test)]
mod tests;
