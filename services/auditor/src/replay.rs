//! Replay a tenant's history: as a timeline of events, or folded into the state they lead to, as of any moment.
//!
//! Events come in opened: whoever calls holds the keys and may see what they hold. Nothing here asks where they came from, a
//! database or an archive. What comes out serializes to JSON; its `Debug` tells no personal data. Hashes of passwords and
//! tokens are credentials rather than history, and are never shown.
//!
//! A moment is a place in the log. As of a time means: up to the last position before anything that was recorded later, so
//! that what is shown is a state the log really had.

mod decoded;
mod diff;
mod fold;
mod index;
mod payload;
mod stepper;
mod summary;
mod view;

use jiff::Timestamp;
use schemas::{Position, Recorded, StreamName};

pub use self::{
    decoded::{Decoded, decode},
    diff::{Between, Change, Comparing, Difference, Kind, StreamDifference, changes},
    fold::{Fold, State, StreamState},
    index::{Index, Indexing},
    payload::Payload,
    stepper::{Of, Stay, Step},
    summary::Summary,
};

/// A moment of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AsOf {
    /// The end.
    #[default]
    End,
    /// After this position.
    Position(Position),
    /// After everything recorded up to this time.
    Time(Timestamp),
}

/// Which events are replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Up to when.
    pub as_of: AsOf,
    /// Only what was recorded at or after this time.
    pub from: Option<Timestamp>,
    /// Of one stream only.
    pub stream: Option<StreamName>,
}

/// What a filter says about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is replayed.
    Yes,
    /// It is of another stream, or earlier.
    No,
    /// It is past the moment, and so is everything after it.
    Over,
}

impl Filter {
    /// Whether an event is replayed. Events must be asked about in order: the first that is [`Taken::Over`] ends the replay.
    pub fn takes(&self, event: &Recorded) -> Taken {
        let is_over = match self.as_of {
            AsOf::End => false,
            AsOf::Position(position) => event.position > position,
            AsOf::Time(time) => event.sealed.envelope.recorded_at > time,
        };
        if is_over {
            return Taken::Over;
        }
        let envelope = &event.sealed.envelope;
        let is_earlier = self.from.is_some_and(|from| envelope.recorded_at < from);
        let is_others = self.stream.as_ref().is_some_and(|stream| *stream != envelope.stream);
        if is_earlier || is_others { Taken::No } else { Taken::Yes }
    }
}

/// The timeline: the events up to the moment, in order, each with its payload, or a tombstone where its key was destroyed.
pub fn events<P: AsRef<[u8]>>(
    opened: impl IntoIterator<Item = (Recorded, Option<P>)>,
    filter: &Filter,
) -> impl Iterator<Item = Decoded> {
    opened
        .into_iter()
        .map(|(recorded, plaintext)| (filter.takes(&recorded), recorded, plaintext))
        .take_while(|(taken, ..)| *taken != Taken::Over)
        .filter(|(taken, ..)| *taken == Taken::Yes)
        .map(|(_, recorded, plaintext)| decode(&recorded, plaintext.into()))
}

/// The state at the moment, by stream.
pub fn state<P: AsRef<[u8]>>(opened: impl IntoIterator<Item = (Recorded, Option<P>)>, filter: &Filter) -> State {
    let mut fold = Fold::new(filter.clone());
    for (recorded, plaintext) in opened {
        if fold.push(&recorded, plaintext.into()) == Taken::Over {
            break;
        }
    }
    fold.finish()
}
