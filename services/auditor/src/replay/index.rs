//! Where everything is: an index over the envelopes of a log, some 35 bytes an event and 100 a stream.
//!
//! It holds no payloads. Whoever steps through a history finds positions here and reads those events alone.

use std::collections::HashMap;

use jiff::Timestamp;
use schemas::{Actor, CommandId, Envelope, EventId, PersonId, Position, Recorded, StreamName};

/// The index of a log, from its first event.
#[derive(Debug, Clone, Default)]
pub struct Index {
    recorded_at: Vec<Timestamp>,
    /// The stream of each event, by number.
    stream_of: Vec<u32>,
    /// Where each command begins, in order.
    commands: Vec<Position>,
    streams: Vec<Vec<Position>>,
    numbers: HashMap<StreamName, u32>,
    /// The events of each person's own stream, and those that they did in others.
    people: HashMap<PersonId, Vec<Position>>,
    /// Events with a cause, and where that is; nothing if the log does not hold it.
    causes: Vec<(Position, Option<Position>)>,
}

/// An index that grows event by event.
#[derive(Debug, Default)]
pub struct Indexing {
    index: Index,
    last_command: Option<CommandId>,
    ids: Vec<(EventId, Position)>,
    caused: Vec<(Position, EventId)>,
}

impl Indexing {
    /// Takes the next event, in order of positions from 1.
    pub fn push(&mut self, event: &Recorded) {
        let (position, envelope) = (event.position, &event.sealed.envelope);
        let index = &mut self.index;
        if self.last_command != Some(envelope.command_id) {
            self.last_command = Some(envelope.command_id);
            index.commands.push(position);
        }
        let number = index.number_of(&envelope.stream);
        index.recorded_at.push(envelope.recorded_at);
        index.stream_of.push(number);
        index.streams[number as usize].push(position);
        let (done_by, done_to) = people_of(envelope);
        for person in done_by.into_iter().chain(done_to.filter(|person| done_by != Some(*person))) {
            index.people.entry(person).or_default().push(position);
        }
        self.ids.push((envelope.event_id, position));
        self.caused.extend(envelope.causation_id.map(|cause| (position, cause)));
    }

    /// The index of what was taken.
    pub fn finish(mut self) -> Index {
        if !self.caused.is_empty() {
            self.ids.sort_unstable();
        }
        let find = |id: EventId| self.ids.binary_search_by_key(&id, |(id, _)| *id).ok().map(|place| self.ids[place].1);
        self.index.causes = self.caused.iter().map(|(position, cause)| (*position, find(*cause))).collect();
        self.index
    }
}

impl Index {
    fn number_of(&mut self, stream: &StreamName) -> u32 {
        if let Some(number) = self.numbers.get(stream) {
            return *number;
        }
        let number = u32::try_from(self.streams.len()).expect("a tenant has fewer than four billion streams");
        self.numbers.insert(stream.clone(), number);
        self.streams.push(Vec::new());
        number
    }

    /// The last position; 0 without events.
    pub fn head(&self) -> Position {
        Position::new(self.recorded_at.len() as i64)
    }

    /// When the event at a position was recorded.
    pub fn recorded_at(&self, position: Position) -> Option<Timestamp> {
        self.recorded_at.get(place(position)?).copied()
    }

    /// The positions of a stream's events, in order.
    pub fn of_stream(&self, stream: &StreamName) -> &[Position] {
        self.numbers.get(stream).map_or(&[], |number| &self.streams[*number as usize])
    }

    /// The positions of what a person did, and of their own stream's events, in order.
    pub fn of_person(&self, person: PersonId) -> &[Position] {
        self.people.get(&person).map_or(&[], Vec::as_slice)
    }

    /// The positions of the events of the same stream as the one at a position.
    pub fn of_same_stream(&self, position: Position) -> &[Position] {
        let number = place(position).and_then(|place| self.stream_of.get(place));
        number.map_or(&[], |number| &self.streams[*number as usize])
    }

    /// First and last position of the command that the event at a position belongs to. A command's events follow one another.
    pub fn of_same_command(&self, position: Position) -> (Position, Position) {
        let after = self.commands.partition_point(|first| *first <= position);
        let first = after.checked_sub(1).map_or(position, |before| self.commands[before]);
        let last = self.commands.get(after).map_or(self.head(), |next| Position::new(next.get() - 1));
        (first, last)
    }

    /// The last position of a moment: before anything that was recorded later. 0 before the first event.
    pub fn at_time(&self, time: Timestamp) -> Position {
        let later = self.recorded_at.iter().position(|recorded_at| *recorded_at > time);
        later.map_or(self.head(), |later| Position::new(later as i64))
    }

    /// The first event that was recorded at a moment or later; nothing if there is none.
    pub fn first_since(&self, time: Timestamp) -> Option<Position> {
        let since = self.recorded_at.iter().position(|recorded_at| *recorded_at >= time);
        since.map(|before| Position::new(before as i64 + 1))
    }

    /// Whether an event has a cause, and where that is in this log.
    pub fn cause_of(&self, position: Position) -> Option<Option<Position>> {
        let place = self.causes.binary_search_by_key(&position, |(effect, _)| *effect).ok()?;
        Some(self.causes[place].1)
    }

    /// The events that an event caused, in order.
    pub fn caused_by(&self, position: Position) -> Vec<Position> {
        self.causes.iter().filter(|(_, cause)| *cause == Some(position)).map(|(effect, _)| *effect).collect()
    }
}

/// Who did it, and whose stream it is on.
fn people_of(envelope: &Envelope) -> (Option<PersonId>, Option<PersonId>) {
    let done_by = match envelope.actor {
        Actor::Person(person) => Some(person),
        Actor::System => None,
    };
    let done_to = match envelope.stream {
        StreamName::Person(person) => Some(person),
        _ => None,
    };
    (done_by, done_to)
}

fn place(position: Position) -> Option<usize> {
    usize::try_from(position.get().checked_sub(1)?).ok()
}
