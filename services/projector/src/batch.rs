//! What a projection is handed: the opened events of whole commands, in order.

use regions::Resident;
use schemas::{Envelope, Position, Recorded, TenantLogEvent};

use crate::projections::Projection;

/// One event on its way into the read models.
#[derive(Debug)]
pub(crate) struct Applied {
    /// Its place in the tenant's log.
    pub(crate) position: Position,
    /// The place of the first event of the same command in the same stream: what audits are named after.
    pub(crate) command_first: Position,
    /// Everything but the payload.
    pub(crate) envelope: Envelope,
    /// The payload.
    pub(crate) payload: Payload,
}

/// What became of a payload.
#[derive(Debug)]
pub(crate) enum Payload {
    /// It opened and decoded.
    Event(TenantLogEvent),
    /// Its key was destroyed: a tombstone stands for it.
    Erased,
    /// No projection reads its stream, so it was not opened.
    Unwanted,
    /// It did not open, or did not decode; why, without data of the event. Whoever needs it halts.
    Unreadable(String),
}

impl Applied {
    /// The event, if there is one.
    pub(crate) const fn event(&self) -> Option<&TenantLogEvent> {
        match &self.payload {
            Payload::Event(event) => Some(event),
            Payload::Erased | Payload::Unwanted | Payload::Unreadable(_) => None,
        }
    }

    /// Whether its command began the stream. A command's events in a stream are neighbours in both.
    pub(crate) const fn is_of_opening_command(&self) -> bool {
        self.envelope.version.get() - 1 == self.position.get() - self.command_first.get()
    }
}

/// Events of one tenant, whole commands only.
pub(crate) struct Batch {
    /// Whose.
    pub(crate) resident: Resident,
    /// In the order of the log.
    pub(crate) events: Vec<Applied>,
    /// Whether the log probably holds more.
    pub(crate) more: bool,
}

impl Batch {
    /// Puts recorded events and what became of their payloads together.
    pub(crate) fn new(resident: &Resident, recorded: Vec<Recorded>, payloads: Vec<Payload>, more: bool) -> Self {
        let mut events: Vec<Applied> = Vec::with_capacity(recorded.len());
        for (Recorded { position, sealed }, payload) in recorded.into_iter().zip(payloads) {
            // An append writes stream by stream, so the events of a command in a stream are neighbours.
            let command_first = match events.last() {
                Some(before) if same_command(&before.envelope, &sealed.envelope) => before.command_first,
                _ => position,
            };
            events.push(Applied { position, command_first, envelope: sealed.envelope, payload });
        }
        Self { resident: resident.clone(), events, more }
    }
}

fn same_command(one: &Envelope, other: &Envelope) -> bool {
    one.command_id == other.command_id && one.stream == other.stream
}

/// The first position after `position` at which an event is missing, as far as the events go.
pub(crate) fn first_gap(events: &[Applied], position: Position) -> Option<Position> {
    let mut expected = position;
    events.iter().find_map(|event| {
        expected = expected.next();
        (event.position != expected).then_some(expected)
    })
}

/// Whether a projection wants any of the events.
pub(crate) fn concerns(events: &[Applied], projection: &Projection) -> bool {
    events.iter().any(|event| projection.wants(&event.envelope))
}

/// The events above `position`; those at or below have been handled.
pub(crate) fn above(events: &[Applied], position: Position) -> &[Applied] {
    &events[events.partition_point(|event| event.position <= position)..]
}

/// How many commands the events belong to.
pub(crate) fn count_commands(events: &[Applied]) -> usize {
    events.chunk_by(|one, next| one.envelope.command_id == next.envelope.command_id).count()
}

/// The events of the first `count` commands, and the others.
pub(crate) fn split_commands(events: &[Applied], count: usize) -> (&[Applied], &[Applied]) {
    let commands = events.chunk_by(|one, next| one.envelope.command_id == next.envelope.command_id);
    events.split_at(commands.take(count).map(<[Applied]>::len).sum())
}
