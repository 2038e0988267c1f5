//! The difference between two moments: which fields of which streams changed, by which events and by whom.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemas::{Actor, CommandId, Personal, Position, Recorded, StreamName, Version};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Payload, fold::Folded};

/// What tells the elements of a list apart that are objects.
const KEYS: [&str; 4] = ["position", "token", "group", "attachment"];

/// What changed between two moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The last position of the earlier moment; 0 before the first event.
    pub from: Position,
    /// The last position of the later one.
    pub to: Position,
    /// Every stream with events in between, by name.
    pub streams: Vec<StreamDifference>,
}

/// What changed in a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamDifference {
    /// Which stream.
    pub stream: StreamName,
    /// Whether it came, went or changed.
    pub kind: Kind,
    /// Its fields, by name.
    pub changes: Vec<Change>,
    /// The events in between, in order.
    pub events: Vec<Between>,
}

/// What became of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It had no state before.
    Added,
    /// It has another state.
    Changed,
    /// It has no state any more.
    Removed,
    /// It has events, and the same state as before, or none that can be read.
    Same,
}

/// A field that is another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Its path, such as `locality.granted` or `comments[12]`.
    pub field: String,
    /// What it was; nothing if it came.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub old: Option<Personal<Value>>,
    /// What it is; nothing if it went.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub new: Option<Personal<Value>>,
    /// The events that touched it.
    pub by: Vec<Position>,
}

/// An event between the moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Between {
    /// Its place in the log.
    pub position: Position,
    /// Its place in the stream.
    pub version: Version,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What kind of fact.
    pub event_type: String,
    /// By whom.
    pub actor: Actor,
    /// By which command.
    pub command_id: CommandId,
    /// Whether its key was destroyed, so that nobody can say what it changed.
    pub is_erased: bool,
    /// Whether it stayed sealed for want of keys.
    pub is_sealed: bool,
}

fn exposed<S: Serializer>(value: &Option<Personal<Value>>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(Personal::expose).serialize(serializer)
}

/// A difference in the making. It is told, in order, of all events up to the later moment of the streams that have one in
/// between; other streams would only take memory.
#[derive(Debug)]
pub struct Comparing {
    from: Position,
    to: Position,
    streams: BTreeMap<StreamName, Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    folded: Option<Folded>,
    /// The state at the earlier moment.
    before: Value,
    /// The fields that events touched, with those events.
    touched: BTreeMap<String, BTreeSet<Position>>,
    events: Vec<Between>,
}

impl Comparing {
    /// Compares what was after `from` with what was after `to`.
    pub fn new(from: Position, to: Position) -> Self {
        Self { from, to, streams: BTreeMap::new() }
    }

    /// Takes the next event.
    pub fn push<P: AsRef<[u8]>>(&mut self, event: &Recorded, payload: Payload<P>) {
        let (from, envelope) = (self.from, &event.sealed.envelope);
        if event.position > self.to {
            return;
        }
        let stream = self.streams.entry(envelope.stream.clone()).or_default();
        let is_between = event.position > from;
        if is_between {
            stream.events.push(Between::of(event, &payload));
        }
        let folded = stream.folded.get_or_insert_with(|| Folded::new(envelope));
        let old = if is_between { folded.view() } else { Value::Null };
        folded.take(event, payload);
        if !is_between {
            return;
        }
        if stream.events.len() == 1 {
            stream.before = old.clone();
        }
        for change in changes(&old, &folded.view()) {
            stream.touched.entry(change.field).or_default().insert(event.position);
        }
    }

    /// The difference.
    pub fn finish(self) -> Difference {
        let touched = self.streams.into_iter().filter(|(_, stream)| !stream.events.is_empty());
        let streams = touched.map(|(name, stream)| stream.finish(name)).collect();
        Difference { from: self.from, to: self.to, streams }
    }
}

impl Stream {
    fn finish(self, stream: StreamName) -> StreamDifference {
        let after = self.folded.as_ref().map_or(Value::Null, Folded::view);
        let mut changes = changes(&self.before, &after);
        for change in &mut changes {
            let touched = self.touched.iter().filter(|(field, _)| is_about(field, &change.field));
            change.by = touched.flat_map(|(_, by)| by).copied().collect::<BTreeSet<_>>().into_iter().collect();
        }
        let kind = match (&self.before, &after) {
            (before, after) if before == after => Kind::Same,
            (Value::Null, _) => Kind::Added,
            (_, Value::Null) => Kind::Removed,
            _ => Kind::Changed,
        };
        StreamDifference { stream, kind, changes, events: self.events }
    }
}

/// Whether a touched field is the changed one, lies in it, or holds it.
fn is_about(touched: &str, changed: &str) -> bool {
    let lies_in = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    lies_in(touched, changed) || lies_in(changed, touched)
}

impl Between {
    fn of<P>(event: &Recorded, payload: &Payload<P>) -> Self {
        let envelope = &event.sealed.envelope;
        Self {
            position: event.position,
            version: envelope.version,
            recorded_at: envelope.recorded_at,
            event_type: envelope.event_type.clone(),
            actor: envelope.actor,
            command_id: envelope.command_id,
            is_erased: payload.is_erased(),
            is_sealed: payload.is_sealed(),
        }
    }
}

/// The fields in which two states differ. Where there is no state, there are no fields.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    let nothing = Map::new();
    let fields = |value: &'_ Value| value.as_object().cloned().unwrap_or_else(|| nothing.clone());
    compare_fields("", &fields(old), &fields(new), &mut found);
    found
}

fn compare_fields(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<Change>) {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        compare(field, old.get(name), new.get(name), found);
    }
}

fn compare(field: String, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Change>) {
    // A field without a value is one that is not there.
    let is_there = |value: &&Value| !value.is_null() && !matches!(value, Value::Array(list) if list.is_empty());
    let (old, new) = (old.filter(is_there), new.filter(is_there));
    if old == new {
        return;
    }
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => compare_fields(&field, old, new, found),
        (old, new) => {
            let keyed = |list: Option<&Value>| list.map_or(Some(Map::new()), by_key);
            match keyed(old).zip(keyed(new)) {
                Some((old, new)) => {
                    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
                    for name in names {
                        compare(format!("{field}[{name}]"), old.get(name), new.get(name), found);
                    }
                }
                None => {
                    let personal = |value: Option<&Value>| value.cloned().map(Personal::new);
                    found.push(Change { field, old: personal(old), new: personal(new), by: Vec::new() });
                }
            }
        }
    }
}

/// A list of objects by what tells them apart; nothing if it is none.
fn by_key(list: &Value) -> Option<Map<String, Value>> {
    let list = list.as_array()?;
    let key = KEYS.into_iter().find(|key| list.iter().all(|element| element.get(key).is_some()))?;
    let named = |element: &Value| match &element[key] {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    Some(list.iter().map(|element| (named(element), element.clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(old: &Value, new: &Value) -> Vec<String> {
        let value =
            |value: &Option<Personal<Value>>| value.as_ref().map_or("-".into(), |value| value.expose().to_string());
        changes(old, new)
            .iter()
            .map(|change| format!("{}: {} -> {}", change.field, value(&change.old), value(&change.new)))
            .collect()
    }

    #[test]
    fn a_change_names_the_innermost_field() {
        let old = json!({"a": 1, "b": {"c": 2, "d": 3}, "gone": "x", "same": [1], "null": null});
        let new = json!({"a": 1, "b": {"c": 2, "d": 4}, "came": [1, 2], "same": [1]});
        assert_eq!(told(&old, &new), ["b.d: 3 -> 4", "came: - -> [1,2]", "gone: \"x\" -> -"]);
        assert!(told(&old, &old).is_empty());
    }

    #[test]
    fn elements_of_a_list_are_told_apart_by_their_key() {
        let old = json!({"comments": [{"position": 4, "body": "a"}, {"position": 9, "body": "b"}], "tags": ["x"]});
        let new = json!({"comments": [{"position": 9, "body": "c"}, {"position": 12, "body": "d"}], "tags": ["y"]});
        assert_eq!(
            told(&old, &new),
            [
                r#"comments[12]: - -> {"body":"d","position":12}"#,
                r#"comments[4]: {"body":"a","position":4} -> -"#,
                r#"comments[9].body: "b" -> "c""#,
                r#"tags: ["x"] -> ["y"]"#
            ]
        );
    }

    #[test]
    fn from_no_state_every_field_came() {
        assert_eq!(told(&Value::Null, &json!({"a": 1, "b": null})), ["a: - -> 1"]);
        assert_eq!(told(&json!({"a": 1}), &Value::Null), ["a: 1 -> -"]);
    }
}
