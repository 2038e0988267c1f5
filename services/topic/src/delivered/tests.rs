//! What joins, what is let go, and where records go.

use proptest::prelude::*;
use schemas::Sealed;

use super::*;
use crate::record::tests::record;

const TENANT: u128 = 5;

fn delivered(records: &[(i64, i64)]) -> Delivered {
    let delivered = Delivered::new(12, "test", RegionMetrics::new("eu"));
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
fn records_go_nowhere_until_the_topic_is_read_and_whenever_that_is_doubtful() {
    let (delivered, mine, other) = (delivered(&[]), record(5, 1, 1).tenant(), record(4, 1, 1).tenant());
    let where_to = || [mine, other].map(|tenant| delivered.destination(tenant));
    assert_eq!(where_to(), [Destination::Nowhere; 2], "not connected yet");
    delivered.assign([]);
    assert_eq!(where_to(), [Destination::Elsewhere; 2], "a spare member of the group");
    delivered.doubt();
    delivered.believe();
    assert_eq!(where_to(), [Destination::Elsewhere; 2], "and it stays one when the brokers are there after all");
    delivered.assign([5]);
    assert_eq!(where_to(), [Destination::Here, Destination::Elsewhere]);
    delivered.stop(mine);
    assert_eq!(where_to(), [Destination::Nowhere, Destination::Elsewhere], "what came of it is not believed");
    delivered.doubt();
    assert_eq!(where_to(), [Destination::Nowhere; 2]);
    delivered.believe();
    assert_eq!(delivered.destination(other), Destination::Elsewhere);
    delivered.revoke([5]);
    assert_eq!(where_to(), [Destination::Nowhere; 2], "thrown out of the group");
    delivered.assign([4, 5]);
    assert_eq!(where_to(), [Destination::Here; 2]);
    delivered.doubt();
    delivered.revoke_all();
    delivered.believe();
    assert_eq!(where_to(), [Destination::Nowhere; 2], "what is lost meanwhile stays lost");
}

#[test]
fn who_gives_a_partition_away_looks_after_it_until_it_has_arrived() {
    let (delivered, mine) = (delivered(&[]), record(5, 1, 1).tenant());
    delivered.assign([4, 5]);
    delivered.revoke([5]);
    delivered.assign([]);
    assert_eq!(delivered.destination(mine), Destination::Nowhere);
    assert_eq!(delivered.destination_at(mine, Instant::now() + HANDOVER), Destination::Elsewhere);
    delivered.assign([5]);
    assert_eq!(delivered.destination(mine), Destination::Here);
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
