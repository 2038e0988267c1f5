//! Bringing builds forward, tenant by tenant: read and opened once for all of them, each batch in transactions of its own, so
//! that whatever breaks it off, the next attempt goes on where the checkpoints stand.

use std::{pin::pin, sync::Arc};

use futures::{FutureExt, Stream, StreamExt, TryStreamExt, future, stream};
use regions::Resident;
use runtime::crash;
use schemas::Position;
use tokio::sync::mpsc;

use crate::{
    Error, ProjectorDeps,
    batch::{self, Applied, Batch},
    build::Build,
    checkpoint::{self, Patience},
    follow,
    progress::Meter,
    rebuild::ahead::{self, Read},
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

/// Each build needs a connection at a time, reading one, and opening some.
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
    let undone = || fillings.iter().filter(|filling| !filling.is_done());
    // Read on where the last of them stands.
    let (Some(after), Some(to)) = (undone().map(|one| one.reached).min(), undone().map(|one| one.to).max()) else {
        return Ok(());
    };
    let begin = |filling| {
        let (sender, batches) = mpsc::channel(1);
        (sender, write_all(deps, filling, batches, meter))
    };
    let (takers, writing): (Vec<_>, Vec<_>) = fillings.iter_mut().map(begin).unzip();
    let reading = hand_out(ahead::batches(deps, resident, (after, to)), after, takers, meter);
    let (refusal, _) = future::try_join(reading, future::try_join_all(writing)).await?;
    if let Some(refusal) = refusal {
        for filling in fillings.iter().filter(|filling| !filling.is_done()) {
            step::halt(deps, &filling.build, resident, &refusal).await?;
        }
    }
    Ok(())
}

/// Hands every batch to each of the builds; the slowest is not far behind the others. Why it came to no end, if it did not.
async fn hand_out(
    batches: impl Stream<Item = Result<Read, Error>>,
    mut reached: Position,
    takers: Vec<mpsc::Sender<Arc<Batch>>>,
    meter: &Meter<'_>,
) -> Result<Option<Refusal>, Error> {
    let mut batches = pin!(batches);
    while let Some(read) = batches.try_next().await? {
        let batch = match read {
            Ok(batch) => Arc::new(batch),
            Err(refusal) => return Ok(Some(refusal)),
        };
        let Some(last) = batch.events.last() else { return Ok(Some(Refusal::missing(reached.next()))) };
        reached = last.position;
        meter.read(batch.events.len());
        for taker in &takers {
            // Whoever is done takes nothing any more.
            let _ = taker.send(Arc::clone(&batch)).await;
        }
        if takers.iter().all(mpsc::Sender::is_closed) {
            break;
        }
    }
    Ok(None)
}

async fn write_all(
    deps: &ProjectorDeps,
    filling: &mut Filling,
    mut batches: mpsc::Receiver<Arc<Batch>>,
    meter: &Meter<'_>,
) -> Result<(), Error> {
    while !filling.is_done()
        && let Some(batch) = batches.recv().await
    {
        write(deps, &batch, filling).await?;
        crash::point("rebuild.batch");
        meter.reach(&batch.resident, &filling.build, filling.reached);
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

async fn write(deps: &ProjectorDeps, batch: &Batch, filling: &mut Filling) -> Result<(), Error> {
    let events = between(&batch.events, filling.reached, filling.to);
    let Some(last) = events.last().map(|event| event.position) else { return Ok(()) };
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
