//! What a step shows, as text.

use std::fmt::Write;

use auditor::replay::{Payload, changes, decode};
use schemas::{Position, Recorded};
use serde_json::Value;

use super::super::{difference, replay::data};

/// Where an event stands.
pub(super) struct Place {
    pub(super) head: Position,
    /// First and last position of its command.
    pub(super) command: (Position, Position),
    /// Whether it names a cause, and where that is.
    pub(super) cause: Option<Option<Position>>,
}

/// The event: its envelope and what it says.
pub(super) fn event<P: AsRef<[u8]>>(event: &Recorded, payload: Payload<P>, place: &Place) -> String {
    let envelope = &event.sealed.envelope;
    let (first, last) = place.command;
    let among = if first == last { "alone".to_owned() } else { format!("positions {first} to {last}") };
    let cause = match (place.cause, envelope.causation_id) {
        (Some(Some(position)), _) => format!("  caused by the event at position {position}\n"),
        (_, Some(id)) => format!("  caused by event {id}, which is not in this log\n"),
        (_, None) => String::new(),
    };
    let file = envelope.blob.map(|blob| format!("  file       {blob}\n")).unwrap_or_default();
    let decoded = decode(event, payload);
    let said = data(&decoded).map_or_else(indented, |word| format!("  {word}"));
    let why = decoded.unreadable.map(|why| format!("\n  {why}")).unwrap_or_default();
    format!(
        "position {} of {}   {}   {} version {}\n  {}@{} by {}\n  command    {} ({among})\n  event      {}\n{cause}{file}{said}{why}",
        event.position,
        place.head,
        envelope.recorded_at,
        envelope.stream,
        envelope.version,
        envelope.event_type,
        envelope.schema_version,
        envelope.actor,
        envelope.command_id,
        envelope.event_id,
    )
}

/// What it changed in its aggregate.
pub(super) fn changed(event: &Recorded, before: &Value, after: &Value, has_keys: bool) -> String {
    let stream = &event.sealed.envelope.stream;
    let changes = changes(before, after);
    if after.is_null() && !has_keys {
        return format!("state of {stream}: sealed (--keys and --region-key open it)\n");
    }
    if changes.is_empty() {
        return format!("state of {stream}: as before (s shows it)\n");
    }
    let mut text = format!("state of {stream}, what changed (s shows all of it)\n");
    for change in &changes {
        let _ = writeln!(text, "  {}", difference::in_words(change));
    }
    text
}

/// The whole state of its aggregate.
pub(super) fn state(event: &Recorded, state: &Value) -> String {
    format!("state of {} as of position {}\n{}\n", event.sealed.envelope.stream, event.position, indented(state))
}

/// An event in a line.
pub(super) fn line(event: &Recorded) -> String {
    let envelope = &event.sealed.envelope;
    let at = format!("{:>9}  {}", event.position, envelope.recorded_at);
    format!("{at}  {} version {}  {} by {}", envelope.stream, envelope.version, envelope.event_type, envelope.actor)
}

fn indented(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("a value is JSON");
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
