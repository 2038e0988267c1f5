//! What is published of what was read: whole commands, without gaps, up to the first record the topic cannot take.

use schemas::{Position, Recorded};
use topic::{Outgoing, Oversized, Record};

use crate::relayed::{Behind, Halt};

/// How many events of a tenant are read at once: enough for any command to fit whole.
pub(crate) const EVENTS_MAX: usize = eventlog::EVENTS_MAX + 1;

/// Why a tenant halts where its log has a hole, or ends before its head.
const MISSING: &str = "the log has no event at this position";

/// Whether the topic takes a record.
pub(crate) type Fits<'a> = &'a dyn Fn(&Outgoing) -> Result<(), Oversized>;

/// The records of one tenant, and why there are no more of them, if its log goes on.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) tenant: Behind,
    pub(crate) records: Vec<(Position, Outgoing)>,
    pub(crate) halt: Option<Halt>,
}

impl Batch {
    /// Of what was read after the tenant's checkpoint: at most [`EVENTS_MAX`] events.
    pub(crate) fn new(
        tenant: Behind,
        read: Vec<Result<Recorded, eventlog::Error>>,
        (partitions, fits): (i32, Fits<'_>),
    ) -> Self {
        // More may belong to the last command, unless this is the end of the log.
        let is_cut = read.len() == EVENTS_MAX;
        let (mut events, mut halt) = readable(&tenant, read, is_cut);
        if is_cut || halt.is_some() {
            drop_last_command(&mut events);
        }
        let mut records = Vec::with_capacity(events.len());
        for command in events.chunk_by(|one, next| one.sealed.envelope.command_id == next.sealed.envelope.command_id) {
            match encode(command, partitions, fits) {
                Ok(encoded) => records.extend(encoded),
                Err(oversized) => {
                    halt = Some(oversized);
                    break;
                }
            }
        }
        Self { tenant, records, halt }
    }
}

/// The events up to the first that is missing or cannot be read. Unless more were there than were asked for, they reach the head:
/// it was read before them.
fn readable(
    tenant: &Behind,
    read: Vec<Result<Recorded, eventlog::Error>>,
    is_cut: bool,
) -> (Vec<Recorded>, Option<Halt>) {
    let mut events: Vec<Recorded> = Vec::with_capacity(read.len());
    let mut position = tenant.position.next();
    let unknown = |position, reason| Halt { position, event_type: "unknown".to_owned(), reason, is_oversized: false };
    for event in read {
        match event {
            Ok(event) if event.position == position => events.push(event),
            Ok(_) => return (events, Some(unknown(position, MISSING.to_owned()))),
            Err(error) => return (events, Some(unknown(position, error.to_string()))),
        }
        position = position.next();
    }
    let is_missing = !is_cut && position <= tenant.head;
    (events, is_missing.then(|| unknown(position, MISSING.to_owned())))
}

fn drop_last_command(events: &mut Vec<Recorded>) {
    let Some(last) = events.last().map(|event| event.sealed.envelope.command_id) else { return };
    let whole = events.iter().rposition(|event| event.sealed.envelope.command_id != last);
    events.truncate(whole.map_or(0, |last| last + 1));
}

fn encode(command: &[Recorded], partitions: i32, fits: Fits<'_>) -> Result<Vec<(Position, Outgoing)>, Halt> {
    let command_last = command.last().map_or(Position::ZERO, |event| event.position);
    let encoded = command.iter().map(|event| {
        let outgoing = Record { recorded: event.clone(), command_last }.encode(partitions);
        fits(&outgoing).map_err(|oversized| too_large(event, oversized))?;
        Ok((event.position, outgoing))
    });
    encoded.collect()
}

fn too_large(event: &Recorded, Oversized { bytes, bytes_max }: Oversized) -> Halt {
    let reason = format!("the record takes {bytes} bytes, and the topic takes {bytes_max} (max.message.bytes)");
    let event_type = event.sealed.envelope.event_type.clone();
    Halt { position: event.position, event_type, reason, is_oversized: true }
}
