//! What clients were told, held against the log.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Rule;
use crate::history::{Log, Operation, Outcome};

/// The last position of each command that holds a marker.
type Commands<'log> = BTreeMap<&'log str, i64>;

pub(super) fn check(operations: &[&Operation], log: &Log, found: &mut impl FnMut(Rule, String)) {
    let there = there(log);
    for operation in operations {
        let marker = operation.marker.as_str();
        let commands = there.get(marker);
        check_one(operation, commands, found);
        if let Some(commands) = commands.filter(|commands| commands.len() > 1) {
            let positions: Vec<&i64> = commands.values().collect();
            found(Rule::NothingIsDoubled, format!("{marker} was done {} times, up to {positions:?}", commands.len()));
        }
    }
    let asked: HashSet<&str> = operations.iter().map(|operation| operation.marker.as_str()).collect();
    let invented: BTreeSet<&&str> = there.keys().filter(|marker| !asked.contains(*marker)).collect();
    for marker in invented {
        found(Rule::NothingIsInvented, format!("{marker} is there, and nobody asked for it"));
    }
    order(operations, found);
}

/// The commands that hold each marker. One that was done twice has two, whatever its key is remembered for.
fn there(log: &Log) -> HashMap<&str, Commands<'_>> {
    let mut lasts: HashMap<&str, i64> = HashMap::new();
    for event in &log.events {
        let last = lasts.entry(&event.command).or_default();
        *last = event.position.max(*last);
    }
    let mut there: HashMap<&str, Commands<'_>> = HashMap::new();
    for event in &log.events {
        for marker in &event.markers {
            there.entry(marker).or_default().insert(&event.command, lasts[event.command.as_str()]);
        }
    }
    there
}

fn check_one(operation: &Operation, commands: Option<&Commands<'_>>, found: &mut impl FnMut(Rule, String)) {
    let marker = &operation.marker;
    match (operation.outcome(), commands) {
        (Outcome::Acknowledged { position }, None) => {
            found(Rule::AcknowledgedIsThere, format!("{marker} was acknowledged at {position} and is gone"));
        }
        (Outcome::Acknowledged { .. }, Some(commands)) => {
            let acknowledged: BTreeSet<i64> = operation.acknowledged().collect();
            for position in acknowledged.iter().filter(|position| !commands.values().any(|last| last == *position)) {
                let lasts: Vec<&i64> = commands.values().collect();
                let what = format!("{marker} was acknowledged at {position}, its command ends at {lasts:?}");
                found(Rule::PositionIsAsAcknowledged, what);
            }
            if acknowledged.len() > 1 {
                let what = format!("{marker} was acknowledged at each of {acknowledged:?}");
                found(Rule::PositionIsAsAcknowledged, what);
            }
        }
        (Outcome::Refused { status }, Some(_)) => {
            found(Rule::RefusedIsNotThere, format!("{marker} was refused with {status} and is there"));
        }
        (Outcome::Refused { .. }, None) | (Outcome::Unknown, _) => {}
    }
}

/// In one pass over the operations in the order they were asked, with the highest position acknowledged before each.
fn order(operations: &[&Operation], found: &mut impl FnMut(Rule, String)) {
    let mut acknowledged: Vec<(u64, i64, &Operation)> = operations
        .iter()
        .filter_map(|&operation| {
            Some((operation.first_acknowledged_at()?, operation.acknowledged().next()?, operation))
        })
        .collect();
    let mut asked = acknowledged.clone();
    acknowledged.sort_by_key(|(at, ..)| *at);
    asked.sort_by_key(|(_, _, operation)| operation.first_asked_at());
    let mut before = acknowledged.into_iter().peekable();
    let mut highest: Option<(i64, &Operation)> = None;
    for (_, position, operation) in asked {
        while let Some((_, earlier, by)) = before.next_if(|(at, ..)| *at < operation.first_asked_at()) {
            highest = highest.filter(|(highest, _)| *highest > earlier).or(Some((earlier, by)));
        }
        if let Some((earlier, by)) = highest.filter(|(highest, _)| *highest > position) {
            let (marker, by) = (&operation.marker, &by.marker);
            let what = format!("{marker} is at {position}, and {by}, acknowledged before it was asked, at {earlier}");
            found(Rule::OrderIsKept, what);
        }
    }
}
