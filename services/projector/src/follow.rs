//! One tenant: brings its projections forward, each at its own pace.

use std::collections::BTreeMap;

use futures::future;
use regions::Resident;
use schemas::Position;

use crate::{
    Error, ProjectorDeps,
    batch::{self, Batch},
    build::Build,
    checkpoint::{self, Patience},
    delivery::Delivery,
    feed,
    projections::{self, Projection},
    step::{self, Refusal, Step},
};

/// How a round goes about it.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// What to do about a checkpoint somebody else holds.
    pub(crate) patience: Patience,
    /// Where events come from besides the log.
    pub(crate) delivery: Delivery,
}

/// What a round has done.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Whether another round would probably find more to do.
    pub(crate) more: bool,
    /// The projections the tenant is halted in.
    pub(crate) halted: Vec<&'static str>,
    /// The projections that could not go on, through no fault of an event.
    pub(crate) failed: Vec<&'static str>,
    /// Why.
    pub(crate) errors: Vec<Error>,
}

/// Hands every projection its next batch. Projections at the same position share the reading and opening of it. One that
/// fails does not keep the others.
pub(crate) async fn round(
    deps: &ProjectorDeps,
    resident: &Resident,
    projections: &[&'static Projection],
    manner: &Manner,
) -> Result<Round, Error> {
    let mut round = Round::default();
    let mut handed_over = None;
    for (position, group) in by_position(deps, resident, projections).await? {
        let names: Vec<_> = group.iter().map(|build| build.projection.name).collect();
        match round.serve(deps, resident, (position, group), manner).await {
            Ok(last) => handed_over = Some(handed_over.map_or(last, |before: Position| before.min(last))),
            Err(error) => {
                round.failed.extend(names);
                round.errors.push(error);
            }
        }
    }
    if let Some(last) = handed_over {
        manner.delivery.handled(resident.tenant_id(), last);
    }
    Ok(round)
}

impl Round {
    /// Tells up to where events were handed over.
    async fn serve(
        &mut self,
        deps: &ProjectorDeps,
        resident: &Resident,
        (position, group): (Position, Vec<Build>),
        Manner { patience, delivery }: &Manner,
    ) -> Result<Position, Error> {
        let patience = *patience;
        let batch = match next_batch(deps, resident, position, delivery).await? {
            Ok(batch) => batch,
            Err(refusal) => {
                self.halt(deps, resident, &group, &refusal).await?;
                return Ok(position);
            }
        };
        let last = batch.events.last().map_or(position, |event| event.position);
        if patience == Patience::Leave
            && let Some(moved) = step::together(deps, (&group, position), (resident, &batch.events)).await?
        {
            self.more |= batch.more && !moved.is_empty();
            return Ok(last);
        }
        let steps = group.iter().map(|build| hand_over(deps, build, &batch, patience));
        let steps = future::join_all(steps).await;
        // Who is busy, halted or failing finds no more at once: a later sweep comes back.
        self.more |= batch.more && steps.iter().any(|step| matches!(step, Ok(Step::Done)));
        for (build, step) in group.iter().zip(steps) {
            match step {
                Ok(Step::Halted) => self.halted.push(build.projection.name),
                Ok(Step::Done | Step::Busy | Step::Gap) => {}
                Err(error) => {
                    self.failed.push(build.projection.name);
                    self.errors.push(error);
                }
            }
        }
        Ok(last)
    }

    async fn halt(
        &mut self,
        deps: &ProjectorDeps,
        resident: &Resident,
        group: &[Build],
        refusal: &Refusal,
    ) -> Result<(), Error> {
        for build in group {
            step::halt(deps, build, resident, refusal).await?;
            self.halted.push(build.projection.name);
        }
        Ok(())
    }
}

/// Halts projections at the event that comes next, after a round that panicked. Tells which; those with nothing to do
/// had no part in it.
pub(crate) async fn halt_panicked(
    deps: &ProjectorDeps,
    resident: &Resident,
    projections: &[&'static Projection],
) -> Result<Round, Error> {
    let head = head(deps, resident).await?;
    let mut round = Round::default();
    for (position, group) in by_position(deps, resident, projections).await?.range(..head) {
        round.halt(deps, resident, group, &Refusal::panicked(position.next())).await?;
    }
    Ok(round)
}

/// The batch after a position, or why nothing can be had there though the head is further.
async fn next_batch(
    deps: &ProjectorDeps,
    resident: &Resident,
    position: Position,
    delivery: &Delivery,
) -> Result<Result<Batch, Refusal>, Error> {
    if let Some(batch) = delivery.next(deps, resident, position).await? {
        return Ok(Ok(batch));
    }
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
/// head, unless one is halted. One that fails does not keep the others; its error is returned in the end.
pub async fn catch_up(deps: &ProjectorDeps, resident: &Resident) -> Result<Position, Error> {
    let head = head(deps, resident).await?;
    let mut projections = projections::ALL.to_vec();
    let mut errors = Vec::new();
    let manner = Manner { patience: Patience::Wait, delivery: Delivery::default() };
    loop {
        let positions = by_position(deps, resident, &projections).await?;
        projections = positions
            .into_iter()
            .filter(|(position, _)| *position < head)
            .flat_map(|(_, group)| group)
            .map(|build| build.projection)
            .collect();
        if projections.is_empty() {
            break;
        }
        // Each round moves every projection, or leaves it out of the next.
        let round = round(deps, resident, &projections, &manner).await?;
        let stopped = |name| round.halted.contains(name) || round.failed.contains(name);
        projections.retain(|projection| !stopped(&projection.name));
        errors.extend(round.errors);
    }
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    let positions = by_position(deps, resident, projections::ALL).await?;
    Ok(positions.into_keys().next().unwrap_or(Position::ZERO))
}

/// The builds that serve now, by where the tenant stands in them: a switch shows at once. A projection that nothing serves yet
/// is not among them.
async fn by_position(
    deps: &ProjectorDeps,
    resident: &Resident,
    projections: &[&'static Projection],
) -> Result<BTreeMap<Position, Vec<Build>>, Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    let tenant = resident.tenant_id();
    let mut builds = checkpoint::serving(&mut conn, tenant, projections).await.map_err(Error::Checkpoint)?;
    let new: Vec<Build> = builds.iter().filter(|(_, position)| position.is_none()).map(|(build, _)| *build).collect();
    if !new.is_empty() {
        checkpoint::prepare(&mut conn, tenant, &new, deps.clock.now()).await.map_err(Error::Checkpoint)?;
        builds = checkpoint::serving(&mut conn, tenant, projections).await.map_err(Error::Checkpoint)?;
    }
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (build, position) in builds {
        groups.entry(position.unwrap_or(Position::ZERO)).or_default().push(build);
    }
    Ok(groups)
}

/// A gap means that something was lost on the way here, so the log itself is asked. When the log has the gap too, the
/// tenant halts before it.
async fn hand_over(deps: &ProjectorDeps, build: &Build, batch: &Batch, patience: Patience) -> Result<Step, Error> {
    let resident = &batch.resident;
    let first = step::step(deps, build, (resident, &batch.events), patience).await?;
    if first != Step::Gap {
        return Ok(first);
    }
    let Some(position) = by_position(deps, resident, &[build.projection]).await?.into_keys().next() else {
        return Ok(Step::Busy);
    };
    let again = feed::read(deps, resident, position).await?;
    let second = step::step(deps, build, (resident, &again.events), patience).await?;
    if second != Step::Gap {
        return Ok(second);
    }
    // The log has no hole: the checkpoint itself has gone back meanwhile, because Postgres was killed or is another one.
    let Some(missing) = batch::first_gap(&again.events, position) else { return Ok(Step::Busy) };
    step::halt(deps, build, resident, &Refusal::missing(missing)).await?;
    Ok(Step::Halted)
}
