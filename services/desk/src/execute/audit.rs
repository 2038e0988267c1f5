//! What goes to the audit log with a command: where it comes from, then what it changes, in a stream of the command's own.

use eventlog::{Append, Expected, StreamAppend};
use schemas::{
    Position, StreamName, TenantLogEvent, Version,
    audit::{AuditEvent, ChangeNoted},
};

use super::{Decided, Failure, Issuer, seal};
use crate::state::Desk;

/// Adds a change on a stream to others. Several events of a command may change fields of one thing: that is one change.
pub(super) fn add(changes: &mut Vec<ChangeNoted>, stream: &StreamName, change: Option<ChangeNoted>) {
    let Some(mut change) = change else { return };
    if let StreamName::Ticket(ticket) = stream {
        change.source_id = ticket.get();
    }
    let key = |change: &ChangeNoted| (change.action, change.source, change.source_id);
    match changes.iter_mut().find(|earlier| key(earlier) == key(&change)) {
        Some(earlier) => {
            let fields = std::mem::take(&mut earlier.changes).into_inner().into_iter();
            earlier.changes = fields.chain(change.changes.into_inner()).collect::<Vec<_>>().into();
        }
        None => changes.push(change),
    }
}

/// The stream and its events; none, if nothing is audited.
pub(super) fn events(by: &Issuer, changes: &[&ChangeNoted]) -> Option<(StreamName, Vec<TenantLogEvent>)> {
    if changes.is_empty() {
        return None;
    }
    let origin = AuditEvent::from(by.provenance.noted());
    let changes = changes.iter().copied().cloned().map(AuditEvent::from);
    Some((StreamName::Audit(by.command_id), std::iter::once(origin).chain(changes).map(Into::into).collect()))
}

/// Appends to the audit log what changes nothing else: that something left. Returns where the log ends then.
pub(crate) async fn note(desk: &Desk, by: &Issuer, change: &ChangeNoted) -> Result<Position, Failure> {
    let (stream, events) = events(by, &[change]).expect("there is a change");
    let decided = Decided { stream: &stream, after: Version::ZERO, events: &events };
    let sealed = seal(desk, by, &[decided]).await?.into_iter().flatten().collect();
    let streams = vec![StreamAppend { stream, expected: Expected::NoStream, events: sealed }];
    let (resident, command_id) = (by.resident.clone(), by.command_id);
    let appended = desk.appender.append(Append { resident, command_id, idempotency: None, streams }).await?;
    Ok(appended.last)
}
