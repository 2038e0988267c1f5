//! What the tables must say, whatever was asked.

use std::collections::{BTreeMap, HashMap};

use super::Rule;
use crate::history::{
    Log,
    log::{Event, Request},
};

pub(super) fn check(log: &Log, found: &mut impl FnMut(Rule, String)) {
    positions(log, found);
    versions(log, found);
    let commands = commands(log, found);
    requests(&log.requests, &commands, found);
}

fn positions(log: &Log, found: &mut impl FnMut(Rule, String)) {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for event in &log.events {
        *counts.entry(event.position).or_default() += 1;
    }
    let last = counts.keys().next_back().copied().unwrap_or(0);
    for (position, count) in counts.iter().filter(|(_, count)| **count > 1) {
        found(Rule::PositionsAreDense, format!("position {position} is there {count} times"));
    }
    for missing in (1..=last).filter(|position| !counts.contains_key(position)) {
        found(Rule::PositionsAreDense, format!("position {missing} is missing"));
    }
    for below in counts.keys().filter(|position| **position < 1) {
        found(Rule::PositionsAreDense, format!("position {below} is below 1"));
    }
    if log.head != last {
        found(Rule::HeadIsLast, format!("the head row says {}, the last event is {last}", log.head));
    }
}

fn versions(log: &Log, found: &mut impl FnMut(Rule, String)) {
    let mut lasts: HashMap<&str, i64> = HashMap::new();
    for event in &log.events {
        let last = lasts.entry(&event.stream).or_default();
        if event.version != *last + 1 {
            let Event { position, stream, version, .. } = event;
            found(
                Rule::VersionsAreDense,
                format!("{stream} has version {version} after {last}, at position {position}"),
            );
        }
        *last = event.version;
    }
}

/// The positions of each command's events.
fn commands<'log>(log: &'log Log, found: &mut impl FnMut(Rule, String)) -> HashMap<&'log str, Vec<i64>> {
    let mut commands: HashMap<&str, Vec<i64>> = HashMap::new();
    for event in &log.events {
        commands.entry(&event.command).or_default().push(event.position);
    }
    for (command, positions) in &commands {
        if positions.windows(2).any(|pair| pair[1] != pair[0] + 1) {
            found(Rule::CommandsAreWhole, format!("the events of command {command} are at {positions:?}"));
        }
    }
    commands
}

fn requests(requests: &[Request], commands: &HashMap<&str, Vec<i64>>, found: &mut impl FnMut(Rule, String)) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for Request { command, position, event_count } in requests {
        *seen.entry(command).or_default() += 1;
        let expected: Vec<i64> = (*position..position + event_count).collect();
        let there = commands.get(command.as_str()).map_or(&[][..], Vec::as_slice);
        if there != expected {
            let what = format!("command {command} is remembered at {expected:?}, its events are at {there:?}");
            found(Rule::RequestsAreRemembered, what);
        }
    }
    for (command, count) in seen.into_iter().filter(|(_, count)| *count > 1) {
        found(Rule::RequestsAreRemembered, format!("command {command} is remembered for {count} keys"));
    }
}
