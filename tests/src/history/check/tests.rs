//! Each rule against a history that keeps it and one that breaks it.

use schemas::Hash;

use super::*;
use crate::history::{
    Attempt, Log, Outcome,
    evidence::Archive,
    log::{Event, Request},
    root::root,
};

const ACME: &str = "acme";

/// What is told of one run, sound until it is spoiled.
struct Told {
    history: Vec<Operation>,
    evidence: Evidence,
}

/// Three commands: one of two events, one on another stream, one whose outcome nobody knows and that happened.
fn sound() -> Told {
    let events = [
        event(1, ("ticket-1", 1), "a", &["torture-1"]),
        event(2, ("ticket-1", 2), "a", &["torture-1"]),
        event(3, ("ticket-2", 1), "b", &["torture-2"]),
        event(4, ("ticket-1", 3), "c", &["torture-3"]),
    ];
    let requests = [("a", 1, 2), ("b", 3, 1), ("c", 4, 1)].map(|(command, position, event_count)| Request {
        command: command.to_owned(),
        position,
        event_count,
    });
    let root = root(&events.clone().map(|event| event.leaf));
    let history = vec![
        operation(1, &[(0, 10, done(2))]),
        operation(2, &[(11, 20, done(3))]),
        operation(3, &[(12, 30, Outcome::Unknown)]),
        operation(4, &[(12, 13, Outcome::Refused { status: 409 })]),
        operation(5, &[(14, 40, Outcome::Unknown), (41, 42, Outcome::Refused { status: 503 })]),
    ];
    let log = Log { tenant: ACME.to_owned(), head: 4, events: events.to_vec(), requests: requests.to_vec() };
    let archive = Archive { tenant: ACME.to_owned(), size: 4, root, fault: None };
    Told { history, evidence: Evidence { logs: vec![log], read_models: Ok(()), archives: vec![archive] } }
}

fn event(position: i64, (stream, version): (&str, i64), command: &str, markers: &[&str]) -> Event {
    Event {
        position,
        stream: stream.to_owned(),
        version,
        command: command.to_owned(),
        markers: markers.iter().map(|&marker| marker.to_owned()).collect(),
        leaf: Hash::of(&[&position.to_be_bytes(), stream.as_bytes()]),
    }
}

fn operation(number: usize, attempts: &[(u64, u64, Outcome)]) -> Operation {
    let attempts = attempts.iter().map(|&(asked_at, answered_at, outcome)| Attempt { asked_at, answered_at, outcome });
    Operation {
        tenant: ACME.to_owned(),
        marker: format!("torture-{number}"),
        what: "comment".to_owned(),
        attempts: attempts.collect(),
    }
}

const fn done(position: i64) -> Outcome {
    Outcome::Acknowledged { position }
}

impl Told {
    fn log(&mut self) -> &mut Log {
        &mut self.evidence.logs[0]
    }

    /// The rules that are broken, each once.
    fn broken(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = check(&self.history, &self.evidence).iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

/// What a run is like after `spoil`.
fn broken_by(spoil: impl FnOnce(&mut Told)) -> Vec<Rule> {
    let mut told = sound();
    spoil(&mut told);
    told.broken()
}

#[test]
fn a_sound_run_has_no_findings() {
    let told = sound();
    assert_eq!(check(&told.history, &told.evidence), []);
}

#[test]
fn positions_that_are_missing_doubled_or_below_one_are_found() {
    assert!(broken_by(|told| told.log().events[2].position = 4).contains(&Rule::PositionsAreDense), "doubled");
    assert!(broken_by(|told| told.log().events[3].position = 5).contains(&Rule::PositionsAreDense), "missing");
    assert!(broken_by(|told| told.log().events[0].position = 0).contains(&Rule::PositionsAreDense), "below 1");
}

#[test]
fn a_head_that_is_not_the_last_position_is_found() {
    assert_eq!(broken_by(|told| told.log().head = 5), [Rule::HeadIsLast]);
    assert_eq!(broken_by(|told| told.log().head = 3), [Rule::HeadIsLast]);
}

#[test]
fn versions_that_are_missing_doubled_or_out_of_order_are_found() {
    assert_eq!(broken_by(|told| told.log().events[3].version = 4), [Rule::VersionsAreDense], "missing");
    assert_eq!(broken_by(|told| told.log().events[3].version = 2), [Rule::VersionsAreDense], "doubled");
    let swapped = |told: &mut Told| (told.log().events[0].version, told.log().events[1].version) = (2, 1);
    assert_eq!(broken_by(swapped), [Rule::VersionsAreDense], "against the order of positions");
}

#[test]
fn a_command_that_was_torn_apart_is_found() {
    let torn = broken_by(|told| {
        let events = &mut told.log().events;
        (events[1].position, events[2].position) = (3, 2);
        events.swap(1, 2);
    });
    assert!(torn.contains(&Rule::CommandsAreWhole), "{torn:?}");
}

#[test]
fn a_request_that_is_remembered_wrongly_is_found() {
    assert_eq!(broken_by(|told| told.log().requests[0].event_count = 1), [Rule::RequestsAreRemembered]);
    assert_eq!(broken_by(|told| told.log().requests[1].position = 2), [Rule::RequestsAreRemembered]);
    assert_eq!(broken_by(|told| told.log().requests[1].command = "x".to_owned()), [Rule::RequestsAreRemembered]);
    let twice = |told: &mut Told| {
        let again = told.log().requests[0].clone();
        told.log().requests.push(again);
    };
    assert_eq!(broken_by(twice), [Rule::RequestsAreRemembered]);
    let nothing_changed = |told: &mut Told| {
        told.log().requests.push(Request { command: "idle".to_owned(), position: 5, event_count: 0 });
    };
    assert_eq!(broken_by(nothing_changed), [], "a command without events is remembered too");
}

#[test]
fn an_acknowledged_operation_that_is_gone_is_found_and_an_unknown_one_may_be_gone() {
    let lost = |told: &mut Told| told.log().events[2].markers.clear();
    assert_eq!(broken_by(lost), [Rule::AcknowledgedIsThere]);
    let unknown = |told: &mut Told| told.log().events[3].markers.clear();
    assert_eq!(broken_by(unknown), []);
}

#[test]
fn an_end_of_the_log_that_was_lost_is_found() {
    let truncated = |told: &mut Told| {
        told.log().events.truncate(2);
        told.log().requests.truncate(1);
        told.log().head = 2;
    };
    assert_eq!(broken_by(truncated), [Rule::AcknowledgedIsThere, Rule::ArchiveIsTheLog]);
}

#[test]
fn an_operation_at_another_position_than_acknowledged_is_found() {
    let elsewhere = |told: &mut Told| told.history[0].attempts[0].outcome = done(1);
    assert_eq!(broken_by(elsewhere), [Rule::PositionIsAsAcknowledged]);
    let answered_twice = |told: &mut Told| {
        told.history[0].attempts.push(Attempt { asked_at: 50, answered_at: 51, outcome: done(4) });
    };
    assert_eq!(broken_by(answered_twice), [Rule::PositionIsAsAcknowledged]);
}

#[test]
fn an_operation_that_was_done_twice_is_found_whether_or_not_it_was_acknowledged() {
    for marker in ["torture-2", "torture-3"] {
        let twice = |told: &mut Told| {
            let log = told.log();
            log.events.push(event(5, ("ticket-1", 4), "again", &[marker]));
            log.head = 5;
            let leaves: Vec<Hash> = log.events.iter().map(|event| event.leaf).collect();
            (told.evidence.archives[0].size, told.evidence.archives[0].root) = (5, root(&leaves));
        };
        assert_eq!(broken_by(twice), [Rule::NothingIsDoubled], "{marker}");
    }
}

#[test]
fn what_was_refused_or_never_asked_must_not_be_there() {
    let refused = |told: &mut Told| told.log().events[3].markers.push("torture-4".to_owned());
    assert_eq!(broken_by(refused), [Rule::RefusedIsNotThere]);
    let after_unknown = |told: &mut Told| told.log().events[3].markers.push("torture-5".to_owned());
    assert_eq!(broken_by(after_unknown), [], "its first attempt may still have happened");
    let invented = |told: &mut Told| told.log().events[3].markers.push("torture-99".to_owned());
    assert_eq!(broken_by(invented), [Rule::NothingIsInvented]);
}

#[test]
fn an_operation_before_one_that_was_acknowledged_before_it_was_asked_is_found() {
    let reordered = |told: &mut Told| {
        told.history[0].attempts[0] = Attempt { asked_at: 21, answered_at: 25, outcome: done(2) };
    };
    assert_eq!(broken_by(reordered), [Rule::OrderIsKept]);
    let concurrent = |told: &mut Told| {
        told.history[0].attempts[0] = Attempt { asked_at: 20, answered_at: 25, outcome: done(2) };
    };
    assert_eq!(broken_by(concurrent), [], "asked before the other was answered: either order");
}

#[test]
fn read_models_that_differ_are_found() {
    let differ = |told: &mut Told| told.evidence.read_models = Err("differs: ticket".to_owned());
    assert_eq!(broken_by(differ), [Rule::ReadModelsEqualReplay]);
}

#[test]
fn an_archive_that_fails_is_short_missing_or_of_another_log_is_found() {
    let only = [Rule::ArchiveIsTheLog];
    assert_eq!(broken_by(|told| told.evidence.archives[0].fault = Some("Gap".to_owned())), only);
    assert_eq!(broken_by(|told| told.evidence.archives[0].size = 3), only);
    assert_eq!(broken_by(|told| told.evidence.archives.clear()), only);
    assert_eq!(broken_by(|told| told.log().events[1].leaf = Hash::of(&[b"another"])), only);
}

#[test]
fn another_tenants_operations_do_not_count() {
    let moved = |told: &mut Told| told.history[1].tenant = "globex".to_owned();
    assert_eq!(broken_by(moved), [Rule::NothingIsInvented]);
}
