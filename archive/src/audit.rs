//! The audit log: one line of JSON per command, without content, in zstd objects by day.
//!
//! ```text
//! {"first":7,"last":8,"recorded_at":"…","actor":"person-7","command_id":"…","events":["ticket_opened","comment_added"]}
//! ```
//!
//! Every line follows from the envelopes of the events it covers, so whoever holds the segments can make it again. A day is
//! that of UTC. A command that two generations share has a line in each.

use schemas::{Envelope, Position};
use serde::{Deserialize, Serialize};

use crate::{Object, layout, segment};

/// What one command did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Position of its first event.
    pub first: Position,
    /// Position of its last event.
    pub last: Position,
    /// When it read the clock, as the envelopes write it (RFC 3339, UTC).
    pub recorded_at: String,
    /// Who issued it.
    pub actor: String,
    /// Its id.
    pub command_id: String,
    /// The types of its events.
    pub events: Vec<String>,
}

/// What the audit log takes from an envelope, in the envelope's own spelling.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'envelope> {
    /// When the command read the clock.
    pub recorded_at: &'envelope str,
    /// Who issued it.
    pub actor: &'envelope str,
    /// The command's id.
    pub command_id: &'envelope str,
    /// The event's type.
    pub event_type: &'envelope str,
}

/// An audit object, and what a manifest says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
    /// How many lines.
    pub lines: u64,
    /// Lines of JSON, before compression.
    pub text: Vec<u8>,
    day: String,
}

impl Part {
    /// Its key.
    pub fn key(&self) -> String {
        layout::audit(&self.day, self.first, self.last)
    }

    /// The object.
    pub fn object(&self) -> Object {
        Object { key: self.key(), bytes: segment::compress(&self.text) }
    }
}

/// Collects the lines of a generation's events, in order.
#[derive(Debug, Default)]
pub struct Writer {
    parts: Vec<Part>,
    line: Option<Line>,
}

impl Writer {
    /// Takes the next event.
    pub fn push(&mut self, position: Position, facts: &Facts<'_>) {
        match &mut self.line {
            Some(line) if line.command_id == facts.command_id => {
                line.last = position;
                line.events.push(facts.event_type.to_owned());
            }
            _ => {
                self.end_line();
                self.line = Some(Line {
                    first: position,
                    last: position,
                    recorded_at: facts.recorded_at.to_owned(),
                    actor: facts.actor.to_owned(),
                    command_id: facts.command_id.to_owned(),
                    events: vec![facts.event_type.to_owned()],
                });
            }
        }
    }

    /// Takes the next event as the log holds it.
    pub fn push_envelope(&mut self, position: Position, envelope: &Envelope) {
        let facts = Facts {
            recorded_at: &envelope.recorded_at.to_string(),
            actor: &envelope.actor.to_string(),
            command_id: &envelope.command_id.to_string(),
            event_type: &envelope.event_type,
        };
        self.push(position, &facts);
    }

    /// The objects, in order.
    pub fn finish(mut self) -> Vec<Part> {
        self.end_line();
        self.parts
    }

    fn end_line(&mut self) {
        let Some(line) = self.line.take() else { return };
        let day = line.recorded_at.split('T').next().unwrap_or_default().to_owned();
        if self.parts.last().is_none_or(|part| part.day != day) {
            self.parts.push(Part { first: line.first, last: line.last, lines: 0, text: Vec::new(), day });
        }
        let part = self.parts.last_mut().expect("pushed if there was none");
        serde_json::to_writer(&mut part.text, &line).expect("a line always has a JSON form");
        part.text.push(b'\n');
        part.last = line.last;
        part.lines += 1;
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::segment::tests::events;

    #[test]
    fn a_command_has_one_line_and_a_day_one_object() {
        let mut writer = Writer::default();
        for mut event in events(1..=6) {
            if event.position.get() > 4 {
                event.sealed.envelope.recorded_at += 24.hours();
            }
            writer.push_envelope(event.position, &event.sealed.envelope);
        }
        let parts = writer.finish();
        let summary: Vec<_> = parts.iter().map(|part| (part.key(), part.lines)).collect();
        assert_eq!(
            summary,
            [
                ("audit/2026-11-22/000000000001-000000000004.jsonl.zst".to_owned(), 2),
                ("audit/2026-11-23/000000000005-000000000006.jsonl.zst".to_owned(), 1),
            ]
        );
        let lines: Vec<Line> = parts[0]
            .text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("a line"))
            .collect();
        assert_eq!((lines[0].first.get(), lines[0].last.get(), lines[0].events.len()), (1, 2, 2));
    }
}
