//! Counts open connections, in all and per client address, and refuses what is over the limit.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The places there are for connections.
#[derive(Debug, Clone)]
pub(crate) struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total_max: usize,
    per_address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place taken by a connection; it is given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    address: IpAddr,
}

impl Slots {
    pub(crate) fn new(total_max: usize, per_address_max: usize) -> Self {
        Self(Arc::new(Inner { total_max, per_address_max, taken: Mutex::default() }))
    }

    /// Takes a place for a connection from an address, or nothing when there is none.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Slot> {
        let address = counted_as(address);
        let mut taken = self.taken();
        let of_address = taken.by_address.get(&address).copied().unwrap_or_default();
        if taken.total >= self.0.total_max || of_address >= self.0.per_address_max {
            return None;
        }
        taken.total += 1;
        taken.by_address.insert(address, of_address + 1);
        drop(taken);
        Some(Slot { slots: self.clone(), address })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        taken.total -= 1;
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// One customer of an IPv6 network holds a whole /64, so that is what counts as one address.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_in_all_and_per_address_and_given_back() {
        let slots = Slots::new(3, 2);
        let [a, b] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().expect("an address"));
        let held = [slots.take(a), slots.take(a)];
        assert!(held.iter().all(Option::is_some));
        assert!(slots.take(a).is_none(), "two per address");
        let third = slots.take(b);
        assert!(third.is_some() && slots.take(b).is_none(), "three in all");
        drop(held);
        assert!(slots.take(a).is_some());
        drop(third);
        assert!(slots.taken().by_address.is_empty(), "nothing is remembered of addresses that left");
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let slots = Slots::new(10, 1);
        let _held = slots.take("2001:db8::1".parse().expect("an address")).expect("a place");
        assert!(slots.take("2001:db8::2".parse().expect("an address")).is_none());
        assert!(slots.take("2001:db8:0:1::1".parse().expect("an address")).is_some());
    }
}
