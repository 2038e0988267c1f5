//! A tenant at a moment, in counts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemas::{Position, StreamName};
use serde::Serialize;

use super::fold::Fold;

/// What there was, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The last position it covers.
    pub as_of: Position,
    /// When the event there was recorded.
    pub recorded_at: Option<Timestamp>,
    /// Events whose key was destroyed.
    pub erased_events: u64,
    /// Events that stayed sealed for want of keys.
    pub sealed_events: u64,
    /// Events that this program cannot read.
    pub unreadable_events: u64,
    /// Tickets that were opened.
    pub tickets: u64,
    /// Tickets by status, of those whose state can be read.
    pub tickets_by_status: BTreeMap<String, u64>,
    /// People.
    pub people: u64,
    /// People by role, of those whose state can be read.
    pub people_by_role: BTreeMap<String, u64>,
    /// Files that were uploaded.
    pub uploads: u64,
}

impl Fold {
    /// The counts after the events that were taken.
    pub fn summarize(&self) -> Summary {
        let (as_of, recorded_at) = self.reached();
        let mut summary = Summary {
            as_of,
            recorded_at,
            erased_events: 0,
            sealed_events: 0,
            unreadable_events: 0,
            tickets: 0,
            tickets_by_status: BTreeMap::new(),
            people: 0,
            people_by_role: BTreeMap::new(),
            uploads: 0,
        };
        for (stream, folded) in self.streams() {
            summary.erased_events += folded.erased_events;
            summary.sealed_events += folded.sealed_events;
            summary.unreadable_events += folded.unreadable_events;
            let (count, by, field) = match stream {
                StreamName::Ticket(_) => (&mut summary.tickets, Some(&mut summary.tickets_by_status), "status"),
                StreamName::Person(_) => (&mut summary.people, Some(&mut summary.people_by_role), "role"),
                StreamName::Upload(_) => (&mut summary.uploads, None, ""),
                _ => continue,
            };
            *count += 1;
            if let Some((by, word)) = by.zip(folded.view()[field].as_str()) {
                *by.entry(word.to_owned()).or_default() += 1;
            }
        }
        summary
    }
}
