//! Appending: the rules hold in every order of events, and each of them falls when what it rests on is taken away.

use model::append::{self, AppendModel, Rule};

use crate::{assert_breaks, assert_holds};

#[test]
fn lanes_that_meet_at_two_tenants_keep_every_rule() {
    assert_holds(AppendModel::contention(), 4_000);
}

#[test]
fn lost_connections_keep_every_rule() {
    assert_holds(AppendModel::outage(), 400_000);
}

#[test]
fn a_killed_server_keeps_every_rule() {
    assert_holds(AppendModel::killed_server(), 40_000);
}

#[test]
fn a_request_that_comes_twice_keeps_every_rule() {
    assert_holds(AppendModel::repeated_request(), 100_000);
}

#[test]
fn without_the_row_lock_positions_are_given_twice() {
    assert_breaks(AppendModel::contention().without(Rule::LockHeads), append::DENSE_POSITIONS);
}

#[test]
fn locked_in_any_order_backends_wait_in_a_circle() {
    assert_breaks(AppendModel::contention().without(Rule::LockInOrder), append::NO_CIRCLE);
}

#[test]
fn a_version_read_by_the_statement_that_locks_is_stale() {
    assert_breaks(AppendModel::contention().without(Rule::ReadVersionsAfterLocking), append::DENSE_VERSIONS);
}

#[test]
fn callers_of_one_batch_that_do_not_see_one_another_take_the_same_version() {
    assert_breaks(AppendModel::outage().without(Rule::CountEarlierCallers), append::DENSE_VERSIONS);
}

#[test]
fn without_the_look_up_by_command_an_append_that_happened_is_refused() {
    assert_breaks(AppendModel::outage().without(Rule::FindOwnCommand), append::REFUSED);
}

#[test]
fn without_the_look_up_by_key_a_repeated_request_is_carried_out_twice() {
    assert_breaks(AppendModel::repeated_request().without(Rule::FindKeyUnderLock), append::ONE_REQUEST);
}

#[test]
fn deciding_anew_after_a_lost_connection_appends_twice() {
    assert_breaks(AppendModel::outage().without(Rule::ResendUnchanged), append::ONCE_OR_NOT);
}

#[test]
fn a_commit_that_does_not_wait_for_the_disk_loses_what_was_acknowledged() {
    assert_breaks(AppendModel::killed_server().without(Rule::Durable), append::ACKNOWLEDGED);
}
