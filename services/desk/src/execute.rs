//! The one write path: read the stream, fold it, decide, seal, append.
//!
//! Nothing slow happens under a lock: the decision is made and sealed on what was read, and the append says which version
//! that was. If somebody else wrote in between, the append is refused and the decision is made again.
//!
//! What a crash leaves behind: before the append, nothing (perhaps a data key nobody uses); after it, a command that was
//! carried out and not answered, which a request with the same idempotency key then finds.

mod audit;
mod batch;
mod failure;
mod seal;

use domain::Aggregate;
use eventlog::Idempotency;
use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use regions::Resident;
use schemas::{Actor, CommandId, Hash, JobId, Position, StreamName, TenantLogEvent, Version};
use tracing::Instrument;

pub(crate) use self::{
    audit::note,
    batch::Batch,
    failure::{Failure, Refusal},
    seal::{Decided, seal, seal_with},
};
use crate::{caller::provenance::Provenance, state::Desk};

/// How often a decision is made anew because somebody else wrote first.
const ATTEMPTS_MAX: u32 = 5;

/// How many events of a stream are read at a time.
const PAGE_LENGTH: i64 = 500;

/// Who gives a command, when, and under which id: everything about it but what it says.
#[derive(Clone)]
pub(crate) struct Issuer {
    /// The tenant, proven to be at home here.
    pub(crate) resident: Resident,
    /// Who.
    pub(crate) actor: Actor,
    /// By what they came in, and from where.
    pub(crate) provenance: Provenance,
    /// The command's id; all its events carry it.
    pub(crate) command_id: CommandId,
    /// When. The clock was read once; this stamps all events.
    pub(crate) at: Timestamp,
    /// The client's idempotency key, if it sent one.
    pub(crate) idempotency: Option<Idempotency>,
    /// W3C trace context.
    pub(crate) trace_parent: Option<String>,
    /// SHA-256 of the ciphertext of the file that belongs to the events, for uploads.
    pub(crate) blob: Option<Hash>,
    /// The item of a job that the command does: the same append says that it is done.
    pub(crate) part_of: Option<PartOf>,
}

/// An item of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartOf {
    /// The job.
    pub(crate) job: JobId,
    /// The item's place, from 0.
    pub(crate) index: u32,
}

impl Issuer {
    /// The program itself, with a new command.
    pub(crate) fn system(desk: &Desk, resident: &Resident, provenance: Provenance) -> Self {
        Self::system_at(resident, provenance, (desk.new_command_id(), desk.clock.now()))
    }

    /// The same where there is no desk.
    pub(crate) fn system_at(
        resident: &Resident,
        provenance: Provenance,
        (command_id, at): (CommandId, Timestamp),
    ) -> Self {
        Self {
            resident: resident.clone(),
            actor: Actor::System,
            provenance,
            command_id,
            at,
            idempotency: None,
            trace_parent: runtime::telemetry::trace_parent(),
            blob: None,
            part_of: None,
        }
    }
}

/// A command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    /// The stream of the command's first event. For a repeated request, the one of then; none, if it had changed nothing.
    pub(crate) stream: Option<StreamName>,
    /// Position of the first event; of the tenant's head, when nothing changed.
    pub(crate) first: Position,
    /// Position of the last event.
    pub(crate) last: Position,
    /// The version of `stream` afterwards; 0 without one.
    pub(crate) version: Version,
    /// Whether an earlier request with the same idempotency key did the work.
    pub(crate) replayed: bool,
    /// Whether the decision held no events: everything was so already.
    pub(crate) nothing_changed: bool,
}

/// Reads `stream`, folds it, decides `command`, seals and appends the events in one commit.
///
/// `expected` is the version the client saw, if it said one: another version is a conflict. Without it, a concurrent
/// writer makes this decide again on the newer state.
pub(crate) async fn execute<A>(
    desk: &Desk,
    by: &Issuer,
    stream: StreamName,
    expected: Option<Version>,
    command: &A::Command,
) -> Result<Done, Refusal<A::Rejection>>
where
    A: Aggregate + Send + 'static,
{
    if let Some(done) = replayed(desk, by).await? {
        return Ok(done);
    }
    let stream = &stream;
    let attempt = || async move {
        let batch = Batch::new(desk, by).decide::<A>(stream.clone(), expected, command).await?;
        Ok(batch.commit().await)
    };
    retried(|| attempt().boxed()).await
}

/// Decides and commits, and decides anew on what is there now when somebody else wrote first. What `attempt` itself refuses, a version
/// that the client named and that is none any more included, is not tried again.
pub(crate) async fn retried<'a, T, E: From<Failure>>(
    attempt: impl Fn() -> BoxFuture<'a, Result<Result<T, Failure>, E>> + Send,
) -> Result<T, E> {
    for _ in 1..ATTEMPTS_MAX {
        match attempt().await? {
            Err(Failure::Conflict { .. }) => {}
            committed => return Ok(committed?),
        }
    }
    Ok(attempt().await??)
}

/// What became of an earlier request with the same idempotency key, if there was one. [`execute`] asks by itself; whoever
/// composes a [`Batch`], or allocates ids first, asks here before.
pub(crate) async fn replayed(desk: &Desk, by: &Issuer) -> Result<Option<Done>, Failure> {
    let Some(idempotency) = &by.idempotency else { return Ok(None) };
    let mut transaction = regions::begin(&desk.pool, &by.resident).await.map_err(Failure::Begin)?;
    let remembered =
        eventlog::find_idempotent(&mut transaction, &by.resident, &idempotency.key).await.map_err(Failure::Read)?;
    drop(transaction);
    match remembered {
        None => Ok(None),
        Some(remembered) if remembered.fingerprint != idempotency.fingerprint => Err(Failure::IdempotencyKeyReused),
        Some(remembered) => done_earlier(desk, by, remembered.first, remembered.last).await.map(Some),
    }
}

/// [`Done`] of a command whose events lie in the log already.
async fn done_earlier(desk: &Desk, by: &Issuer, first: Position, last: Position) -> Result<Done, Failure> {
    if last < first {
        let version = Version::ZERO;
        return Ok(Done { stream: None, first: last, last, version, replayed: true, nothing_changed: true });
    }
    let before = Position::new(first.get() - 1);
    let count = last.get() - before.get();
    let mut transaction = regions::begin(&desk.pool, &by.resident).await.map_err(Failure::Begin)?;
    let events = eventlog::read_log(&mut transaction, &by.resident, before, count).await.map_err(Failure::Read)?;
    let stream = &events.first().expect("events that were appended stay").sealed.envelope.stream;
    let of_stream = events.iter().rev().find(|event| event.sealed.envelope.stream == *stream);
    let version = of_stream.map_or(Version::ZERO, |event| event.sealed.envelope.version);
    Ok(Done { stream: Some(stream.clone()), first, last, version, replayed: true, nothing_changed: false })
}

/// A stream's state, and its version.
///
/// Events whose key was destroyed are not folded: what was erased is not known any more, to nobody.
pub(crate) async fn load<A: Aggregate>(
    desk: &Desk,
    resident: &Resident,
    stream: &StreamName,
) -> Result<(A, Version), Failure> {
    let mut state = A::default();
    let mut version = Version::ZERO;
    loop {
        let mut transaction = regions::begin(&desk.pool, resident).await.map_err(Failure::Begin)?;
        let page = eventlog::read_stream(&mut transaction, resident, stream, version, PAGE_LENGTH);
        let page = page.await.map_err(Failure::Read)?;
        // Back to the pool before the vault asks it for a connection of its own.
        drop(transaction);
        let opened = desk.vault.open_all(resident, &page).await.map_err(Failure::Open)?;
        for (recorded, plaintext) in page.iter().zip(opened) {
            let envelope = &recorded.sealed.envelope;
            version = envelope.version;
            let Some(plaintext) = plaintext else { continue };
            let event = TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, &plaintext)
                .map_err(Failure::Decode)?;
            let event = A::pick(event).ok_or_else(|| Failure::ForeignEvent {
                stream: stream.clone(),
                event_type: envelope.event_type.clone(),
            })?;
            state.evolve(&event);
        }
        if i64::try_from(page.len()).is_ok_and(|length| length < PAGE_LENGTH) {
            return Ok((state, version));
        }
    }
}

/// [`load`] in a span of its own.
async fn load_traced<A: Aggregate>(desk: &Desk, by: &Issuer, stream: &StreamName) -> Result<(A, Version), Failure> {
    let span = tracing::debug_span!("desk.load", tenant.id = %by.resident.tenant_id(), stream = %stream);
    load(desk, &by.resident, stream).instrument(span).await
}

#[cfg(test)]
mod tests;
