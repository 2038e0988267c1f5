//! Rebuilding projections from the log: the same rows, made anew.

use futures::future;
use regions::Resident;
use schemas::{Position, TenantId};

use crate::{
    Error, ProjectorDeps, checkpoint, follow,
    progress::{Meter, RebuildProgress},
    projections::Projection,
    replay::{self, Replay},
    selection::Selection,
};

/// What a rebuild has done.
#[derive(Debug, Clone, Default)]
pub struct Rebuilt {
    /// Tenants whose projections are rebuilt.
    pub tenants: usize,
    /// Events read.
    pub events: u64,
    /// Projections that kept their old rows, because an event could not be applied.
    pub refused: Vec<Refused>,
}

/// A projection of a tenant that could not be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which.
    pub projection: &'static str,
    /// The event that could not be read, or the first of the events that could not be applied together.
    pub position: Position,
    /// Why, without data of the event.
    pub reason: String,
}

/// Replays the selected projections, tenant by tenant, each projection of a tenant in one transaction: readers see the
/// old rows until the new ones are complete. What cannot be replayed keeps its old rows and is named in the report.
pub async fn rebuild(
    deps: &ProjectorDeps,
    selection: &Selection,
    progress: &(dyn Fn(RebuildProgress) + Sync),
) -> Result<Rebuilt, Error> {
    let residents = selection.residents(deps).await?;
    let mut meter = Meter::new(deps, selection, &residents, progress).await?;
    let mut rebuilt = Rebuilt::default();
    for resident in &residents {
        for projections in selection.projections.chunks(projections_at_once(deps)) {
            rebuild_tenant(deps, resident, projections, (&mut rebuilt, &meter)).await?;
            meter.end_projections(resident, projections.len());
        }
        meter.end_tenant(resident);
        rebuilt.tenants += 1;
    }
    Ok(rebuilt)
}

async fn rebuild_tenant(
    deps: &ProjectorDeps,
    resident: &Resident,
    projections: &[&'static Projection],
    (rebuilt, meter): (&mut Rebuilt, &Meter<'_>),
) -> Result<(), Error> {
    let mut replays = begin(deps, resident, projections).await?;
    for replay in &mut replays {
        replay.clear(resident).await?;
    }
    // Read after the checkpoints are locked, so that it is nowhere behind them.
    let head = follow::head(deps, resident).await?;
    let tell = |position| meter.at(resident, projections.len(), position);
    replay::run(deps, resident, (&mut replays, head), &tell).await?;
    rebuilt.events += u64::try_from(head.get()).unwrap_or_default();
    for replay in replays {
        match refused(resident, &replay) {
            Some(refused) => rebuilt.refused.push(refused),
            None => replay.commit(deps, resident, head).await?,
        }
    }
    Ok(())
}

/// Locks the checkpoints of some projections of a tenant. Rows that are missing are made beforehand, once and for all
/// to see: of transactions that each made them, the second would wait for the end of the first, and so for ever.
pub(crate) async fn begin(
    deps: &ProjectorDeps,
    resident: &Resident,
    projections: &[&'static Projection],
) -> Result<Vec<Replay>, Error> {
    let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
    checkpoint::prepare(&mut conn, resident.tenant_id(), deps.clock.now()).await.map_err(Error::Checkpoint)?;
    drop(conn);
    future::try_join_all(projections.iter().map(|projection| Replay::begin(deps, resident, projection))).await
}

/// How many projections can be replayed at once: each holds a connection, and reading takes two more.
pub(crate) fn projections_at_once(deps: &ProjectorDeps) -> usize {
    let connections = usize::try_from(deps.pool.options().get_max_connections()).unwrap_or(usize::MAX);
    connections.saturating_sub(2).max(1)
}

/// What a replay that stopped reports.
pub(crate) fn refused(resident: &Resident, replay: &Replay) -> Option<Refused> {
    let refusal = replay.refusal.as_ref()?;
    Some(Refused {
        tenant_id: resident.tenant_id(),
        projection: replay.projection.name,
        position: refusal.position,
        reason: refusal.reason.clone(),
    })
}
