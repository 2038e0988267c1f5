//! Fairness, by batches of eight of which a tenant gets four at most.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use schemas::TenantId;
use uuid::Uuid;

use super::Turns;

fn tenant(number: u128) -> TenantId {
    TenantId::new(Uuid::from_u128(number))
}

/// Items `(tenant, number)` of size one.
fn waiting(counts: &[usize]) -> Turns<(u128, usize)> {
    let mut turns = Turns::default();
    for (number, count) in counts.iter().enumerate() {
        let number = number as u128;
        (0..*count).for_each(|item| turns.push_back(tenant(number), 1, (number, item)));
    }
    turns
}

fn by_tenant(batch: &[(u128, usize)]) -> BTreeMap<u128, usize> {
    batch.iter().fold(BTreeMap::new(), |mut counts, (number, _)| {
        *counts.entry(*number).or_default() += 1;
        counts
    })
}

#[test]
fn a_flood_does_not_fill_a_batch_while_others_wait() {
    let mut turns = waiting(&[100, 1, 2, 3]);
    assert_eq!(by_tenant(&turns.take(8, 4)), [(0, 3), (1, 1), (2, 2), (3, 2)].into());
    assert_eq!(by_tenant(&turns.take(8, 4)), [(0, 4), (3, 1)].into());
}

#[test]
fn a_flood_alone_gets_no_more_than_its_share() {
    let mut turns = waiting(&[100]);
    assert_eq!(turns.take(8, 4).len(), 4);
    assert_eq!(turns.len(), 96);
}

#[test]
fn a_tenant_that_was_silent_has_saved_nothing_up() {
    let mut turns = waiting(&[100, 0]);
    (0..10).for_each(|_| _ = turns.take(8, 4));
    (0..50).for_each(|item| turns.push_back(tenant(1), 1, (1, item)));
    for _ in 0..10 {
        assert_eq!(by_tenant(&turns.take(8, 4)), [(0, 4), (1, 4)].into(), "both have their share, no more and no less");
    }
}

#[test]
fn the_round_goes_on_where_the_last_batch_ended() {
    let mut turns = waiting(&[9; 5]);
    let first: Vec<_> = turns.take(3, 4).iter().map(|(number, _)| *number).collect();
    let second: Vec<_> = turns.take(3, 4).iter().map(|(number, _)| *number).collect();
    assert_eq!((first, second), (vec![0, 1, 2], vec![3, 4, 0]));
}

#[test]
fn what_is_larger_than_a_batch_is_taken_alone() {
    let mut turns = Turns::default();
    turns.push_back(tenant(0), 1000, "large");
    turns.push_back(tenant(0), 1, "small");
    turns.push_back(tenant(1), 1, "neighbour");
    assert_eq!(turns.take(8, 4), ["large"]);
    assert_eq!(turns.take(8, 4), ["neighbour", "small"]);
    assert_eq!((turns.take(8, 4).len(), turns.len()), (0, 0));
}

#[test]
fn what_is_put_back_comes_first_among_its_own_and_last_among_others() {
    let mut turns = waiting(&[1, 1]);
    assert_eq!(turns.take_of_one(8), [(0, 0)]);
    turns.push_back(tenant(0), 1, (0, 1));
    turns.push_front(tenant(0), 1, (0, 0));
    assert_eq!(turns.take_of_one(8), [(1, 0)]);
    assert_eq!(turns.take_of_one(8), [(0, 0), (0, 1)]);
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nobody_waits_longer_than_a_round(
        counts in vec(0..20_usize, 1..12), size_max in 1..20_usize, share_max in 1..10_usize,
    ) {
        let mut turns = waiting(&counts);
        let mut left: BTreeMap<u128, usize> = (0..).zip(counts.iter().copied()).filter(|(_, count)| *count > 0).collect();
        let mut next: BTreeMap<u128, usize> = BTreeMap::new();
        let mut missed: BTreeMap<u128, usize> = BTreeMap::new();
        while !left.is_empty() {
            let batch = turns.take(size_max, share_max);
            prop_assert!(!batch.is_empty() && batch.len() <= size_max);
            let taken = by_tenant(&batch);
            prop_assert!(taken.values().all(|count| *count <= share_max));
            for (number, item) in &batch {
                prop_assert_eq!(*next.get(number).unwrap_or(&0), *item, "a tenant's own stay in order");
                next.insert(*number, item + 1);
            }
            for number in left.keys().copied().collect::<Vec<_>>() {
                let missed = missed.entry(number).or_default();
                *missed = if taken.contains_key(&number) { 0 } else { *missed + 1 };
                prop_assert!(*missed <= counts.len().div_ceil(size_max), "tenant {} waits", number);
                let left_over = left[&number] - taken.get(&number).unwrap_or(&0);
                if left_over == 0 { left.remove(&number) } else { left.insert(number, left_over) };
            }
        }
        prop_assert_eq!(turns.len(), 0);
    }

    /// The checks above can fail: of a plain queue, a neighbour waits as long as the flood is.
    #[test]
    fn a_plain_queue_would_not_pass(flood in 100..200_usize) {
        let mut plain: Vec<_> = (0..flood).map(|item| (0_u128, item)).chain([(1, 0)]).collect();
        let first: Vec<_> = plain.drain(..8).collect();
        prop_assert!(!by_tenant(&first).contains_key(&1));
    }
}
