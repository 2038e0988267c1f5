//! Stepping through a history: where one is and what one asks for give where one is next. Pure.

use std::fmt;

use jiff::Timestamp;
use schemas::{PersonId, Position, StreamName};

use super::Index;

/// Whose events somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// A stream's.
    Stream(StreamName),
    /// A person's: on their own stream, and what they did on any other.
    Person(PersonId),
}

impl fmt::Display for Of {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(stream) => stream.fmt(formatter),
            Self::Person(person) => write!(formatter, "person {person}, nor of what they did"),
        }
    }
}

/// What somebody who steps may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The next event.
    Next,
    /// The one before.
    Back,
    /// The next of a stream or a person.
    NextOf(Of),
    /// The one before of a stream or a person.
    BackOf(Of),
    /// The next of the stream of the event at hand.
    NextOfSame,
    /// The one before of the stream of the event at hand.
    BackOfSame,
    /// A place.
    To(Position),
    /// The last event of a moment.
    ToTime(Timestamp),
    /// The end.
    ToEnd,
    /// The event that caused this one.
    Cause,
    /// One of the events that this one caused, from 1.
    Effect(usize),
}

/// Why one stays where one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stay {
    /// There is no later event.
    AtEnd,
    /// There is no earlier event.
    AtBeginning,
    /// The log has no such position.
    NoSuchPosition(Position),
    /// Nothing was recorded up to then.
    BeforeFirst(Timestamp),
    /// There is no event of it.
    NothingOf(Of),
    /// The stream has no later event.
    NoLater(Position),
    /// The stream has no earlier event.
    NoEarlier(Position),
    /// The event names no cause.
    NoCause,
    /// The event names a cause that this log does not hold.
    CauseElsewhere,
    /// No event names this one as its cause.
    NoEffect,
    /// It caused fewer events.
    FewerEffects(usize),
}

impl fmt::Display for Stay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtEnd => formatter.write_str("this is the last event"),
            Self::AtBeginning => formatter.write_str("this is the first event"),
            Self::NoSuchPosition(head) => write!(formatter, "the log has positions 1 to {head}"),
            Self::BeforeFirst(first) => {
                write!(formatter, "nothing was recorded by then: the first event is of {first}")
            }
            Self::NothingOf(of) => write!(formatter, "the log holds no event of {of}"),
            Self::NoLater(last) => write!(formatter, "it has no later event; its last is at {last}"),
            Self::NoEarlier(first) => write!(formatter, "it has no earlier event; its first is at {first}"),
            Self::NoCause => formatter.write_str("the event names no cause: somebody asked for it directly"),
            Self::CauseElsewhere => formatter.write_str("the event that caused it is not in this log"),
            Self::NoEffect => formatter.write_str("no event names this one as its cause"),
            Self::FewerEffects(count) => write!(formatter, "it caused {count} events"),
        }
    }
}

impl Index {
    /// Where a step leads from a position of this log.
    ///
    /// # Errors
    /// Why one stays.
    pub fn step(&self, at: Position, step: &Step) -> Result<Position, Stay> {
        match step {
            Step::Next => {
                if at < self.head() {
                    Ok(at.next())
                } else {
                    Err(Stay::AtEnd)
                }
            }
            Step::Back => {
                if at.get() > 1 {
                    Ok(Position::new(at.get() - 1))
                } else {
                    Err(Stay::AtBeginning)
                }
            }
            Step::NextOf(of) => next_in(self.found(of)?, at),
            Step::BackOf(of) => back_in(self.found(of)?, at),
            Step::NextOfSame => next_in(self.of_same_stream(at), at),
            Step::BackOfSame => back_in(self.of_same_stream(at), at),
            Step::To(position) => self.place(*position),
            Step::ToEnd => self.place(self.head()),
            Step::ToTime(time) => match (self.at_time(*time), self.recorded_at(Position::new(1))) {
                (Position::ZERO, Some(first)) => Err(Stay::BeforeFirst(first)),
                (position, _) => self.place(position),
            },
            Step::Cause => self.cause_of(at).ok_or(Stay::NoCause)?.ok_or(Stay::CauseElsewhere),
            Step::Effect(number) => {
                let effects = self.caused_by(at);
                let effect = number.checked_sub(1).and_then(|place| effects.get(place).copied());
                effect.ok_or(if effects.is_empty() { Stay::NoEffect } else { Stay::FewerEffects(effects.len()) })
            }
        }
    }

    fn place(&self, position: Position) -> Result<Position, Stay> {
        let is_there = (Position::new(1)..=self.head()).contains(&position);
        if is_there { Ok(position) } else { Err(Stay::NoSuchPosition(self.head())) }
    }

    fn found(&self, of: &Of) -> Result<&[Position], Stay> {
        let found = match of {
            Of::Stream(stream) => self.of_stream(stream),
            Of::Person(person) => self.of_person(*person),
        };
        if found.is_empty() { Err(Stay::NothingOf(of.clone())) } else { Ok(found) }
    }
}

fn next_in(positions: &[Position], at: Position) -> Result<Position, Stay> {
    let later = positions.partition_point(|position| *position <= at);
    let last = positions.last().copied().unwrap_or(at);
    positions.get(later).copied().ok_or(Stay::NoLater(last))
}

fn back_in(positions: &[Position], at: Position) -> Result<Position, Stay> {
    let from = positions.partition_point(|position| *position < at);
    let first = positions.first().copied().unwrap_or(at);
    from.checked_sub(1).map(|before| positions[before]).ok_or(Stay::NoEarlier(first))
}
