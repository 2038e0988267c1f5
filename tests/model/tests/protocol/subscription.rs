//! Reading: the rules hold in every order of events, and each of them falls when what it rests on is taken away.

use model::subscription::{self, Rule, SubscriptionModel};

use crate::{assert_breaks, assert_holds};

#[test]
fn workers_that_tail_the_log_keep_every_rule() {
    assert_holds(SubscriptionModel::from_log(), 30_000);
}

#[test]
fn workers_behind_a_topic_keep_every_rule() {
    assert_holds(SubscriptionModel::from_topic(), 150_000);
}

#[test]
fn without_the_lock_on_the_checkpoint_two_workers_apply_an_event_twice() {
    assert_breaks(SubscriptionModel::from_log().without(Rule::LockCheckpoint), subscription::EXACT_PREFIX);
}

#[test]
fn a_checkpoint_that_moves_in_another_transaction_is_not_of_its_rows() {
    assert_breaks(SubscriptionModel::from_log().without(Rule::MoveCheckpointWithRows), subscription::EXACT_PREFIX);
}

#[test]
fn a_reader_that_trusts_the_topics_order_skips_and_doubles() {
    assert_breaks(SubscriptionModel::from_topic().without(Rule::ComparePositions), subscription::EXACT_PREFIX);
}

#[test]
fn a_reader_that_takes_what_has_come_applies_half_a_command() {
    assert_breaks(SubscriptionModel::from_topic().without(Rule::WholeCommands), subscription::WHOLE_COMMANDS);
}

#[test]
fn a_reader_that_believes_the_topic_applies_what_the_log_lost() {
    assert_breaks(SubscriptionModel::from_topic().without(Rule::Vouch), subscription::EXACT_PREFIX);
}

#[test]
fn a_log_that_is_asked_only_when_events_are_taken_is_asked_too_early() {
    assert_breaks(SubscriptionModel::from_topic().without(Rule::AskWhenApplying), subscription::EXACT_PREFIX);
}

#[test]
fn events_read_from_the_log_outlive_it_as_well() {
    assert_breaks(SubscriptionModel::from_log().without(Rule::AskWhenApplying), subscription::EXACT_PREFIX);
}

#[test]
fn a_checkpoint_that_goes_back_twice_is_no_hole_in_the_log() {
    assert_breaks(SubscriptionModel::from_log().without(Rule::HaltAtHoles), subscription::NO_FALSE_HALT);
}

#[test]
fn without_a_sweep_hints_that_are_lost_leave_a_reader_behind() {
    assert_breaks(SubscriptionModel::from_topic().without(Rule::Sweep), subscription::KEEPS_UP);
}
