//! One tenant: brings its projections forward, each at its own pace.

use std::collections::BTreeMap;

use futures::future;
use regions::Resident;
use schemas::Position;

use crate::{
    Error, ProjectorDeps,
    batch::{self, Batch},
    checkpoint::{self, Patience},
    feed,
    projections::{self, Projection},
    step::{self, Refusal, Step},
};

/// What a round has done.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Whether another round would probably find more to do.
    pub(crate) more: bool,
    /// The projections the tenant is halted in.
    pub(crate) halted: Vec<&'static str>,
}

/// Hands every projection its next batch. Projections at the same position share the reading and opening of it.
pub(crate) async fn round(
    deps: &ProjectorDeps,
    resident: &Resident,
    projections: &[&'static Projection],
    patience: Patience,
) -> Result<Round, Error> {
    let mut round = Round::default();
    for (position, group) in by_position(deps, resident, projections).await? {
        let batch = match next_batch(deps, resident, position).await? {
            Ok(batch) => batch,
            Err(refusal) => {
                for projection in group {
                    step::halt(deps, projection, resident, &refusal).await?;
                    round.halted.push(projection.name);
                }
                continue;
            }
        };
        round.more |= batch.more;
        let wanting = move_idle(deps, &batch, (position, group), patience).await?;
        let steps = wanting.iter().map(|projection| hand_over(deps, projection, &batch, patience));
        let steps = future::try_join_all(steps).await?;
        let halted = wanting.iter().zip(steps).filter(|(_, step)| *step == Step::Halted);
        round.halted.extend(halted.map(|(projection, _)| projection.name));
    }
    Ok(round)
}

/// The batch after a position, or why nothing can be had there though the head is further.
async fn next_batch(
    deps: &ProjectorDeps,
    resident: &Resident,
    position: Position,
) -> Result<Result<Batch, Refusal>, Error> {
    match feed::read(deps, resident, position).await {
        Ok(batch) if batch.events.is_empty() && head(deps, resident).await? > position => {
            // Appended a moment ago, or lost: the head and its event are written together.
            let again = feed::read(deps, resident, position).await?;
            Ok(if again.events.is_empty() { Err(Refusal::missing(position.next())) } else { Ok(again) })
        }
        Ok(batch) => Ok(Ok(batch)),
        Err(error) => Ok(Err(Refusal::of_unreadable_envelope(error)?)),
    }
}

/// The end of a tenant's log.
pub(crate) async fn head(deps: &ProjectorDeps, resident: &Resident) -> Result<Position, Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    eventlog::head(&mut conn, resident).await.map_err(Error::Read)
}

/// Handles everything up to the head of now, halted projections included, and tells how far all of them have come: the
/// head, unless one is halted.
pub async fn catch_up(deps: &ProjectorDeps, resident: &Resident) -> Result<Position, Error> {
    let head = head(deps, resident).await?;
    let mut projections = projections::ALL.to_vec();
    loop {
        let positions = by_position(deps, resident, &projections).await?;
        projections =
            positions.into_iter().filter(|(position, _)| *position < head).flat_map(|(_, group)| group).collect();
        if projections.is_empty() {
            break;
        }
        // Each round moves every projection, or halts it.
        let round = round(deps, resident, &projections, Patience::Wait).await?;
        projections.retain(|projection| !round.halted.contains(&projection.name));
    }
    let positions = by_position(deps, resident, projections::ALL).await?;
    Ok(positions.into_keys().next().unwrap_or(Position::ZERO))
}

async fn by_position(
    deps: &ProjectorDeps,
    resident: &Resident,
    projections: &[&'static Projection],
) -> Result<BTreeMap<Position, Vec<&'static Projection>>, Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    let tenant = resident.tenant_id();
    let mut checkpoints = checkpoint::all(&mut conn, tenant).await.map_err(Error::Checkpoint)?;
    if checkpoints.len() < projections::ALL.len() {
        checkpoint::prepare(&mut conn, tenant, deps.clock.now()).await.map_err(Error::Checkpoint)?;
        checkpoints = checkpoint::all(&mut conn, tenant).await.map_err(Error::Checkpoint)?;
    }
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for projection in projections {
        if let Some((_, position)) = checkpoints.iter().find(|(name, _)| name == projection.name) {
            groups.entry(*position).or_default().push(*projection);
        }
    }
    Ok(groups)
}

/// Most batches concern two or three projections; the others' checkpoints move together in one statement. Returns those
/// that want the batch.
async fn move_idle(
    deps: &ProjectorDeps,
    batch: &Batch,
    (position, group): (Position, Vec<&'static Projection>),
    patience: Patience,
) -> Result<Vec<&'static Projection>, Error> {
    let Some(last) = batch.events.last() else { return Ok(Vec::new()) };
    if patience == Patience::Wait || batch::first_gap(&batch.events, position).is_some() {
        return Ok(group);
    }
    let wants = |projection: &&Projection| batch.events.iter().any(|event| projection.wants(&event.envelope));
    let (wanting, idle): (Vec<_>, Vec<_>) = group.into_iter().partition(wants);
    if !idle.is_empty() {
        let names: Vec<_> = idle.iter().map(|projection| projection.name).collect();
        let span = (position, last.position);
        let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
        let moved = checkpoint::advance_idle(&mut conn, batch.resident.tenant_id(), &names, span, deps.clock.now())
            .await
            .map_err(Error::Checkpoint)?;
        for name in moved {
            deps.metrics.subscription_events.with_label_values(&[&name]).inc_by(batch.events.len() as u64);
        }
    }
    Ok(wanting)
}

/// A gap means that something was lost on the way here, so the log itself is asked. When the log has the gap too, the
/// tenant halts before it.
async fn hand_over(
    deps: &ProjectorDeps,
    projection: &'static Projection,
    batch: &Batch,
    patience: Patience,
) -> Result<Step, Error> {
    let resident = &batch.resident;
    let first = step::step(deps, projection, (resident, &batch.events), patience).await?;
    if first != Step::Gap {
        return Ok(first);
    }
    let Some(position) = by_position(deps, resident, &[projection]).await?.into_keys().next() else {
        return Ok(Step::Busy);
    };
    let again = feed::read(deps, resident, position).await?;
    let second = step::step(deps, projection, (resident, &again.events), patience).await?;
    if second != Step::Gap {
        return Ok(second);
    }
    let refusal = Refusal::missing(batch::first_gap(&again.events, position).unwrap_or_else(|| position.next()));
    step::halt(deps, projection, resident, &refusal).await?;
    Ok(Step::Halted)
}
