//! A move: the rules hold in every order of events, and each of them falls when what it rests on is taken away.

use model::fence::{self, FenceModel, Rule};

use crate::{assert_breaks, assert_holds};

#[test]
fn a_tenant_that_moves_away_and_back_keeps_every_rule() {
    assert_holds(FenceModel::new(), 300_000);
}

#[test]
fn without_the_epoch_a_stale_desk_appends_after_the_tenant_came_back() {
    assert_breaks(FenceModel::new().without(Rule::CheckEpoch), fence::FENCED);
}

#[test]
fn an_epoch_that_stays_keeps_nobody_out() {
    assert_breaks(FenceModel::new().without(Rule::RaiseEpoch), fence::FENCED);
}

#[test]
fn a_head_row_as_of_before_the_wait_lets_an_append_pass_the_fence() {
    assert_breaks(FenceModel::new().without(Rule::CheckLockedRow), fence::FENCED);
}

#[test]
fn a_log_that_is_copied_before_the_fence_lacks_what_was_acknowledged() {
    assert_breaks(FenceModel::new().without(Rule::CopyAfterFence), fence::ACKNOWLEDGED);
}

#[test]
fn not_at_home_after_a_lost_connection_is_said_of_what_a_zombie_appends() {
    assert_breaks(FenceModel::new().without(Rule::DoubtAfterLoss), fence::REFUSED);
}
