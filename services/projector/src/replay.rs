//! Replaying a tenant's log into cleared tables, each projection in a transaction of its own. Readers see the old rows
//! until it commits, and the projection's checkpoint stays locked, so nobody else writes them.

use futures::future;
use regions::Resident;
use schemas::Position;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::{
    Error, ProjectorDeps,
    batch::{self, Applied, Batch},
    checkpoint::{self, Patience},
    feed,
    projections::Projection,
    step::{self, Refusal},
};

/// One projection on its way through a tenant's log.
pub(crate) struct Replay {
    /// Which.
    pub(crate) projection: &'static Projection,
    /// Where the checkpoint stood when it was locked.
    pub(crate) live: Position,
    /// Why it stopped before the end, if it did.
    pub(crate) refusal: Option<Refusal>,
    transaction: Transaction<'static, Postgres>,
}

impl Replay {
    /// Locks the projection's checkpoint, which exists. The rows are still the live ones.
    pub(crate) async fn begin(
        deps: &ProjectorDeps,
        resident: &Resident,
        projection: &'static Projection,
    ) -> Result<Self, Error> {
        let tenant = resident.tenant_id();
        let mut transaction = step::begin(&deps.pool).await?;
        let live = checkpoint::lock(&mut transaction, tenant, projection, Patience::Wait)
            .await
            .map_err(Error::Checkpoint)?
            .unwrap_or(Position::ZERO);
        Ok(Self { projection, live, refusal: None, transaction })
    }

    /// The connection of the replay's transaction.
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Deletes the tenant's rows.
    pub(crate) async fn clear(&mut self, resident: &Resident) -> Result<(), Error> {
        for table in self.projection.tables {
            table.clear(&mut self.transaction, resident.tenant_id()).await?;
        }
        Ok(())
    }

    /// Moves the checkpoint and shows the new rows.
    pub(crate) async fn commit(mut self, deps: &ProjectorDeps, resident: &Resident, to: Position) -> Result<(), Error> {
        checkpoint::advance(&mut self.transaction, resident.tenant_id(), self.projection, to, deps.clock.now())
            .await
            .map_err(Error::Checkpoint)?;
        self.transaction.commit().await.map_err(Error::Transaction)
    }

    async fn apply(&mut self, resident: &Resident, events: &[Applied]) -> Result<(), Error> {
        if self.refusal.is_none() && !events.is_empty() {
            self.refusal = step::apply(&mut self.transaction, self.projection, resident, events).await?;
        }
        Ok(())
    }
}

/// Replays the log from its beginning up to a position, read and opened once for all. Tells `progress` how far it is.
pub(crate) async fn run(
    deps: &ProjectorDeps,
    resident: &Resident,
    (replays, up_to): (&mut [Replay], Position),
    progress: &(dyn Fn(Position) + Sync),
) -> Result<(), Error> {
    let refusal = match run_batches(deps, resident, (replays, up_to), progress).await {
        Ok(refusal) => refusal,
        Err(error) => Some(Refusal::of_unreadable_envelope(error)?),
    };
    for replay in replays {
        replay.refusal = replay.refusal.take().or_else(|| refusal.clone());
    }
    Ok(())
}

async fn run_batches(
    deps: &ProjectorDeps,
    resident: &Resident,
    (replays, up_to): (&mut [Replay], Position),
    progress: &(dyn Fn(Position) + Sync),
) -> Result<Option<Refusal>, Error> {
    let mut batch = feed::read(deps, resident, Position::ZERO).await?;
    let mut reached = Position::ZERO;
    while reached < up_to && replays.iter().any(|replay| replay.refusal.is_none()) {
        let events = upto(&batch, up_to);
        if let Some(gap) = batch::first_gap(events, reached) {
            return Ok(Some(Refusal::missing(gap)));
        }
        let Some(last) = events.last() else { return Ok(Some(Refusal::missing(reached.next()))) };
        reached = last.position;
        // While the database writes this batch, the next is read and opened; what lies beyond the end is not looked at.
        let applying = future::try_join_all(replays.iter_mut().map(|replay| replay.apply(resident, events)));
        let reading =
            async { if reached < up_to { feed::read(deps, resident, reached).await.map(Some) } else { Ok(None) } };
        let (_, next) = future::try_join(applying, reading).await?;
        progress(reached);
        let Some(next) = next else { break };
        batch = next;
    }
    Ok(None)
}

fn upto(batch: &Batch, up_to: Position) -> &[Applied] {
    &batch.events[..batch.events.partition_point(|event| event.position <= up_to)]
}
