//! Bringing builds forward, tenant by tenant: read and opened once for all of them, each batch in transactions of its own, so
//! that whatever breaks it off, the next attempt goes on where the checkpoints stand.

use futures::{FutureExt, StreamExt, TryStreamExt, future, stream};
use regions::Resident;
use runtime::crash;
use schemas::Position;

use crate::{
    Error, ProjectorDeps,
    batch::{self, Applied, Batch},
    build::Build,
    checkpoint::{self, Patience},
    feed, follow,
    progress::Meter,
    step::{self, Refusal, Step},
};

/// A build and how far to bring it.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// Which.
    pub(crate) build: Build,
    /// To where.
    pub(crate) to: Position,
}

/// What to bring up to.
#[derive(Clone, Copy)]
pub(crate) enum Goal<'a> {
    /// Where the builds stand that are to be replaced, so that both can be compared; the head where there is none.
    Replaced(&'a [Option<Build>]),
    /// The end of the log.
    Head,
}

/// A build on its way.
struct Filling {
    build: Build,
    reached: Position,
    to: Position,
    /// It halted: the events beyond are no concern of it.
    stopped: bool,
}

impl Filling {
    fn is_done(&self) -> bool {
        self.stopped || self.reached >= self.to
    }
}

/// Brings builds forward for many tenants, several side by side.
pub(crate) async fn all(
    deps: &ProjectorDeps,
    residents: &[Resident],
    (builds, goal): (&[Build], Goal<'_>),
    meter: &Meter<'_>,
) -> Result<(), Error> {
    let fillings: Vec<_> =
        residents.iter().map(|resident| one(deps, resident, (builds, goal), meter).boxed()).collect();
    stream::iter(fillings).buffer_unordered(tenants_at_once(deps, builds.len())).try_collect().await
}

async fn one(
    deps: &ProjectorDeps,
    resident: &Resident,
    (builds, goal): (&[Build], Goal<'_>),
    meter: &Meter<'_>,
) -> Result<(), Error> {
    let targets = targets(deps, resident, builds, goal).await?;
    tenant(deps, resident, &targets, meter).await?;
    meter.end_tenant(resident, builds);
    Ok(())
}

/// Each build needs a connection at a time, reading one, and opening one.
fn tenants_at_once(deps: &ProjectorDeps, builds: usize) -> usize {
    let connections = usize::try_from(deps.pool.options().get_max_connections()).unwrap_or(usize::MAX);
    (connections / (builds + 2)).clamp(2, 8)
}

async fn targets(
    deps: &ProjectorDeps,
    resident: &Resident,
    builds: &[Build],
    goal: Goal<'_>,
) -> Result<Vec<Target>, Error> {
    let head = follow::head(deps, resident).await?;
    let Goal::Replaced(replaced) = goal else {
        return Ok(builds.iter().map(|&build| Target { build, to: head }).collect());
    };
    let known: Vec<Build> = replaced.iter().flatten().copied().collect();
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    let positions = checkpoint::positions(&mut conn, resident.tenant_id(), &known).await.map_err(Error::Checkpoint)?;
    let position = |old: &Build| {
        let of_old = |(build, _): &&(Build, Position)| build.projection.name == old.projection.name;
        positions.iter().find(of_old).map_or(Position::ZERO, |(_, position)| *position)
    };
    let target = |(&build, old): (&Build, &Option<Build>)| Target { build, to: old.as_ref().map_or(head, position) };
    Ok(builds.iter().zip(replaced).map(target).collect())
}

/// Brings builds of one tenant forward. One that halts is left where it does; its checkpoint says why.
pub(crate) async fn tenant(
    deps: &ProjectorDeps,
    resident: &Resident,
    targets: &[Target],
    meter: &Meter<'_>,
) -> Result<(), Error> {
    let mut fillings = begin(deps, resident, targets).await?;
    let Some(mut reached) = first(&fillings) else { return Ok(()) };
    let mut batch = read(deps, resident, (reached, &mut fillings)).await?;
    while let Some(events) = batch {
        let Some(last) = events.events.last().map(|event| event.position) else {
            return halt_all(deps, resident, &mut fillings, &Refusal::missing(reached.next())).await;
        };
        reached = last;
        let is_last = fillings.iter().all(|filling| filling.is_done() || filling.to <= reached);
        // While the database writes this batch, the next is read and opened; what lies beyond the end is not looked at.
        let writing = future::try_join_all(fillings.iter_mut().map(|filling| write(deps, &events, filling)));
        let reading = async { if is_last { Ok(None) } else { attempt_read(deps, resident, reached).await.map(Some) } };
        let (_, next) = future::try_join(writing, reading).await?;
        crash::point("rebuild.batch");
        meter.read(events.events.len());
        for filling in &fillings {
            meter.reach(resident, &filling.build, filling.reached);
        }
        batch = match next {
            _ if first(&fillings).is_none() => None,
            Some(Ok(next)) => Some(next),
            Some(Err(refusal)) => return halt_all(deps, resident, &mut fillings, &refusal).await,
            None => None,
        };
    }
    Ok(())
}

async fn begin(deps: &ProjectorDeps, resident: &Resident, targets: &[Target]) -> Result<Vec<Filling>, Error> {
    let builds: Vec<Build> = targets.iter().map(|target| target.build).collect();
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    let tenant = resident.tenant_id();
    checkpoint::prepare(&mut conn, tenant, &builds, deps.clock.now()).await.map_err(Error::Checkpoint)?;
    let positions = checkpoint::positions(&mut conn, tenant, &builds).await.map_err(Error::Checkpoint)?;
    let to = |build: &Build| targets.iter().find(|target| target.build.projection.name == build.projection.name);
    Ok(positions
        .into_iter()
        .filter_map(|(build, reached)| Some(Filling { build, reached, to: to(&build)?.to, stopped: false }))
        .collect())
}

/// Where to read on: where the last of those that are not done stands.
fn first(fillings: &[Filling]) -> Option<Position> {
    fillings.iter().filter(|filling| !filling.is_done()).map(|filling| filling.reached).min()
}

async fn read(
    deps: &ProjectorDeps,
    resident: &Resident,
    (after, fillings): (Position, &mut [Filling]),
) -> Result<Option<Batch>, Error> {
    match attempt_read(deps, resident, after).await? {
        Ok(batch) => Ok(Some(batch)),
        Err(refusal) => {
            halt_all(deps, resident, fillings, &refusal).await?;
            Ok(None)
        }
    }
}

/// Reads and opens on another thread, so that writing goes on meanwhile: both take about as long.
async fn attempt_read(
    deps: &ProjectorDeps,
    resident: &Resident,
    after: Position,
) -> Result<Result<Batch, Refusal>, Error> {
    let (deps, resident) = (deps.clone(), resident.clone());
    #[expect(clippy::disallowed_methods, reason = "it is waited for here, and whoever breaks that off loses a read")]
    let read = tokio::spawn(async move { feed::read(&deps, &resident, after).await });
    match read.await.expect("reading does not panic") {
        Ok(batch) => Ok(Ok(batch)),
        Err(error) => Refusal::of_unreadable_envelope(error).map(Err),
    }
}

async fn write(deps: &ProjectorDeps, batch: &Batch, filling: &mut Filling) -> Result<(), Error> {
    let events = between(&batch.events, filling.reached, filling.to);
    let Some(last) = events.last().map(|event| event.position) else { return Ok(()) };
    if filling.is_done() {
        return Ok(());
    }
    let resident = &batch.resident;
    match step::step(deps, &filling.build, (resident, events), Patience::Wait).await? {
        Step::Done => filling.reached = last,
        // The build is gone: whoever asked finds out.
        Step::Halted | Step::Busy => filling.stopped = true,
        Step::Gap => {
            // Without a hole it is the checkpoint that went back, with a database that was killed: the next call goes on there.
            if let Some(hole) = batch::first_gap(events, filling.reached) {
                step::halt(deps, &filling.build, resident, &Refusal::missing(hole)).await?;
            }
            filling.stopped = true;
        }
    }
    Ok(())
}

fn between(events: &[Applied], after: Position, to: Position) -> &[Applied] {
    let events = batch::above(events, after);
    &events[..events.partition_point(|event| event.position <= to)]
}

async fn halt_all(
    deps: &ProjectorDeps,
    resident: &Resident,
    fillings: &mut [Filling],
    refusal: &Refusal,
) -> Result<(), Error> {
    for filling in fillings.iter_mut().filter(|filling| !filling.is_done()) {
        step::halt(deps, &filling.build, resident, refusal).await?;
        filling.stopped = true;
    }
    Ok(())
}
