//! One batch, one transaction: of all builds that stand where it begins, or of one build that goes on alone.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use regions::Resident;
use runtime::crash;
use schemas::{Position, TenantId};
use sqlx::{PgPool, Postgres, Transaction};
use tracing::{Instrument, Span};

use crate::{
    Error, ProjectorDeps,
    batch::{self, Applied, Payload},
    build::{self, Build, OpenBuild, gate},
    checkpoint::{self, Patience},
    error::ApplyError,
    projections::Projection,
};

/// How many traces of commands a span links to at most.
const LINKS_MAX: usize = 16;

/// What a halt says where the event's type is not to be had.
const UNKNOWN_TYPE: &str = "unknown";

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Every event is handled, now or before.
    Done,
    /// Somebody else holds the checkpoint.
    Busy,
    /// The batch begins above the position that comes next, or has a hole. Nothing of it beyond whole pieces was
    /// applied.
    Gap,
    /// The tenant waits at an event that cannot be applied.
    Halted,
}

/// Why a tenant waits, without data of the event.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The event, or the first wanted event of its command.
    pub(crate) position: Position,
    /// Its type.
    pub(crate) event_type: String,
    /// Why.
    pub(crate) reason: String,
}

impl Refusal {
    /// The log has no such event, but later ones.
    pub(crate) fn missing(position: Position) -> Self {
        let reason = "the log has no event at this position, and has later ones".to_owned();
        Self { position, event_type: UNKNOWN_TYPE.to_owned(), reason }
    }

    /// Something broke on the way to this event, and nobody knows what.
    pub(crate) fn panicked(position: Position) -> Self {
        let reason = "a panic, at or after this position".to_owned();
        Self { position, event_type: UNKNOWN_TYPE.to_owned(), reason }
    }

    /// An event whose envelope cannot be read concerns everybody: nobody can tell whether it could be passed over. Any
    /// other error is the store's.
    pub(crate) fn of_unreadable_envelope(error: Error) -> Result<Self, Error> {
        match error {
            Error::Read(eventlog::Error::Unreadable { position, field, .. }) => {
                let reason = format!("the envelope's {field} is unreadable");
                Ok(Self { position, event_type: UNKNOWN_TYPE.to_owned(), reason })
            }
            error => Err(error),
        }
    }
}

enum Attempt {
    Applied,
    Busy,
    Gap,
    Refused(Refusal),
}

/// Hands events to a projection, all at once if it takes them. When it does not, halves find the command that is at
/// fault: what comes before it is applied, and the tenant halts there.
pub(crate) async fn step(
    deps: &ProjectorDeps,
    build: &Build,
    (resident, events): (&Resident, &[Applied]),
    patience: Patience,
) -> Result<Step, Error> {
    let mut rest = events;
    let mut commands_at_once = batch::count_commands(events);
    while !rest.is_empty() {
        let (piece, after) = batch::split_commands(rest, commands_at_once);
        let span = span(build.projection, resident.tenant_id(), piece);
        match attempt(deps, build, (resident, piece), patience).instrument(span).await? {
            Attempt::Applied => rest = after,
            Attempt::Busy => return Ok(Step::Busy),
            Attempt::Gap => return Ok(Step::Gap),
            Attempt::Refused(_) if commands_at_once > 1 => commands_at_once /= 2,
            Attempt::Refused(refusal) => {
                halt(deps, build, resident, &refusal).await?;
                return Ok(Step::Halted);
            }
        }
    }
    Ok(Step::Done)
}

async fn attempt(
    deps: &ProjectorDeps,
    build: &Build,
    (resident, piece): (&Resident, &[Applied]),
    patience: Patience,
) -> Result<Attempt, Error> {
    let tenant = resident.tenant_id();
    let mut transaction = begin(&deps.pool, build).await?;
    let locked = checkpoint::lock(&mut transaction, tenant, build, patience).await.map_err(Error::Checkpoint)?;
    let Some(position) = locked else { return Ok(Attempt::Busy) };
    let events = batch::above(piece, position);
    let Some(last) = events.last() else { return Ok(Attempt::Applied) };
    if batch::first_gap(events, position).is_some() {
        return Ok(Attempt::Gap);
    }
    // Of a log that is lost: as good as never read. A later round reads the one there is.
    let opened = OpenBuild::open(transaction, (build, tenant), (last, deps.clock.now())).await?;
    let Some(mut open) = opened else { return Ok(Attempt::Busy) };
    if let Some(refusal) = apply(&mut open, build.projection, resident, events).await? {
        open.rollback().await?;
        return Ok(Attempt::Refused(refusal));
    }
    keep(deps, open, std::slice::from_ref(build), events).await?;
    Ok(Attempt::Applied)
}

/// Hands events that come right after a position to all of these builds that stand there, in one transaction: what happens
/// nearly always, at a third of what it costs one by one. Tells which builds have moved; the others are held by somebody, are being
/// switched, or stand elsewhere by now, and are left to a later sweep.
///
/// `None`: one of them cannot take the events, or they have a hole. Nothing was kept, and each is to go on alone, so that one does
/// not keep the others.
pub(crate) async fn together(
    deps: &ProjectorDeps,
    (builds, position): (&[Build], Position),
    (resident, events): (&Resident, &[Applied]),
) -> Result<Option<Vec<Build>>, Error> {
    let Some(last) = events.last() else { return Ok(None) };
    if batch::first_gap(events, position).is_some() {
        return Ok(None);
    }
    let (tenant, now) = (resident.tenant_id(), deps.clock.now());
    let mut transaction = regions::begin_with(&deps.pool, "begin").await.map_err(Error::Transaction)?;
    // A statement of its own: what is read after it is newer than any switch.
    let builds = build::enter(&mut transaction, builds).await.map_err(Error::Builds)?;
    let opened = OpenBuild::open_together(transaction, (&builds, tenant), (position, last), now).await?;
    let (mut open, moved) = opened;
    for build in moved.iter().filter(|build| batch::concerns(events, build.projection)) {
        open.turn_to(build).await?;
        let span = self::span(build.projection, tenant, events);
        if !matches!(apply(&mut open, build.projection, resident, events).instrument(span).await, Ok(None)) {
            open.rollback().await?;
            return Ok(None);
        }
    }
    keep(deps, open, &moved, events).await?;
    Ok(Some(moved))
}

/// Keeps what these builds have made of the events, and their checkpoints. A crash before the commit leaves neither; after it,
/// both. The batch is simply handed over again.
async fn keep(deps: &ProjectorDeps, open: OpenBuild, builds: &[Build], events: &[Applied]) -> Result<(), Error> {
    crash::point("projector.applied");
    open.commit().await?;
    for build in builds {
        deps.metrics.subscription_events.with_label_values(&[build.projection.name]).inc_by(events.len() as u64);
    }
    Ok(())
}

/// Begins a transaction of the read models. The build that serves is moved only while its gate is open.
async fn begin(pool: &PgPool, build: &Build) -> Result<Transaction<'static, Postgres>, Error> {
    let mut statement = "begin".to_owned();
    if build.is_serving {
        // A statement of its own: what is read after it is newer than any switch it has waited for.
        statement += &format!("; select pg_advisory_xact_lock_shared({})", gate(build.projection));
    }
    regions::begin_with(pool, statement).await.map_err(Error::Transaction)
}

/// Changes the projection's rows. A refusal means the events are at fault, an error the store. A panic is a refusal too:
/// whatever is broken, it breaks on these events, and the caller gives up the transaction with all that was half done.
async fn apply(
    open: &mut OpenBuild,
    projection: &'static Projection,
    resident: &Resident,
    events: &[Applied],
) -> Result<Option<Refusal>, Error> {
    let wanted = || events.iter().filter(|event| projection.wants(&event.envelope));
    let unreadable = wanted().find_map(|event| match &event.payload {
        Payload::Unreadable(reason) => Some(refusal(event, reason.clone())),
        Payload::Event(_) | Payload::Erased | Payload::Unwanted => None,
    });
    let Some(first) = wanted().next() else { return Ok(None) };
    if unreadable.is_some() {
        return Ok(unreadable);
    }
    let applied = AssertUnwindSafe((projection.apply)(open, resident, events)).catch_unwind().await;
    // Not the panic's message, which may quote data.
    let Ok(applied) = applied else { return Ok(Some(refusal(first, "the projection panicked".to_owned()))) };
    match applied.map_err(ApplyError::into_reason) {
        Ok(()) => Ok(None),
        Err(Ok(reason)) => Ok(Some(refusal(first, reason))),
        Err(Err(source)) => Err(Error::Write { projection: projection.name, source }),
    }
}

fn refusal(event: &Applied, reason: String) -> Refusal {
    Refusal { position: event.position, event_type: event.envelope.event_type.clone(), reason }
}

/// Records a halt where operators and readers see it.
pub(crate) async fn halt(
    deps: &ProjectorDeps,
    build: &Build,
    resident: &Resident,
    refusal: &Refusal,
) -> Result<(), Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    checkpoint::halt(&mut conn, resident.tenant_id(), build, refusal).await.map_err(Error::Checkpoint)?;
    tracing::error!(
        tenant.id = %resident.tenant_id(),
        subscription = build.projection.name,
        build = build.version,
        position = refusal.position.get(),
        event.r#type = refusal.event_type,
        reason = refusal.reason,
        "the tenant is halted in the projection"
    );
    Ok(())
}

/// A new root, linked to the commands it serves.
fn span(projection: &Projection, tenant: TenantId, events: &[Applied]) -> Span {
    let span = (projection.span)();
    span.record("tenant.id", tracing::field::display(tenant));
    if let Some(last) = events.last() {
        span.record("position", last.position.get());
    }
    let mut traces: Vec<&str> = events.iter().filter_map(|event| event.envelope.trace_parent.as_deref()).collect();
    traces.dedup();
    for trace_parent in traces.into_iter().take(LINKS_MAX) {
        runtime::telemetry::link(&span, trace_parent);
    }
    span
}
