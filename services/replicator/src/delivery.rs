//! What a replicator knows from turn to turn: what came by the region's topic, standing in for the log where it may, and what it has
//! said.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use regions::{DatabaseRole, Resident};
use runtime::Shutdown;
use schemas::{Position, Recorded, TenantId};
use sqlx::PgConnection;
use tokio::time::Instant;
use topic::{Delivered, Destination, Reader};

use crate::{deps::ReplicatorDeps, error::Error, lag::Behind};

/// The name under which replicators share the topic, and under which metrics show it.
const SUBSCRIPTION: &str = "replicator";

/// Events taken at once at most.
const EVENTS_MAX: usize = 2_000;

/// Sweeps after which a tenant counts as forgotten by the replicator its records come to: longer than a tenant rests.
const SWEEPS_MAX: u32 = 8;

/// How often it is said at most that the clock is behind. Where replicators whose clocks differ take turns, it would be news at each.
const CLOCK_EVERY: Duration = Duration::from_secs(3600);

/// Where a replicator's events come from besides the log: nowhere, or the topic.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    delivered: Option<Arc<Delivered>>,
    standing: Mutex<HashMap<TenantId, Standing>>,
    /// When it was said last that the clock is behind: it is one clock, whichever tenant shows it.
    clock_told: Mutex<Option<Instant>>,
}

/// Where a tenant's archive was, and for how many sweeps.
#[derive(Debug, Clone, Copy)]
struct Standing {
    archived: Position,
    sweeps: u32,
}

impl Delivery {
    /// As the region's file says.
    pub(crate) fn start(deps: &ReplicatorDeps, shutdown: &Shutdown) -> Self {
        let reader = Reader {
            region: deps.region.clone(),
            role: DatabaseRole::Replicator,
            subscription: SUBSCRIPTION,
            metrics: deps.metrics.clone(),
            // Archives are written at their own pace.
            hints: None,
        };
        Self { delivered: reader.start(shutdown), ..Self::default() }
    }

    /// Events after a position, at most up to another, if what was delivered joins there and the log vouches for it; else none.
    pub(crate) async fn after(
        &self,
        connection: &mut PgConnection,
        resident: &Resident,
        (position, end): (Position, Position),
    ) -> Result<Vec<Recorded>, Error> {
        let Some(delivered) = &self.delivered else { return Ok(Vec::new()) };
        let events_max = usize::try_from(end.get() - position.get()).unwrap_or_default().min(EVENTS_MAX);
        let taken = delivered.vouched_after(connection, resident, (position, events_max)).await;
        taken.map(|(events, _)| events).map_err(Error::Topic)
    }

    /// Lets go of what is archived.
    pub(crate) fn handled(&self, tenant: TenantId, up_to: Position) {
        if let Some(delivered) = &self.delivered {
            delivered.handled(tenant, up_to);
        }
    }

    /// Takes note of a sweep.
    pub(crate) fn note(&self, behind: &[Behind]) {
        let mut standing = self.standing();
        let now = behind.iter().map(|tenant| {
            let before = standing.get(&tenant.tenant_id).filter(|before| before.archived == tenant.archived);
            let sweeps = before.map_or(0, |before| before.sweeps.saturating_add(1));
            (tenant.tenant_id, Standing { archived: tenant.archived, sweeps })
        });
        *standing = now.collect();
    }

    /// Whether a tenant is this process's to archive: unless its records go to somebody else, who has not left it standing still.
    pub(crate) fn is_mine(&self, tenant: &Behind) -> bool {
        let Some(delivered) = &self.delivered else { return true };
        let is_forgotten = self.standing().get(&tenant.tenant_id).is_some_and(|it| it.sweeps >= SWEEPS_MAX);
        delivered.destination(tenant.tenant_id) != Destination::Elsewhere || is_forgotten
    }

    /// Whether it is to be said now that the clock is behind. The moment is one of this machine's running time, which no setting of the
    /// clock moves.
    pub(crate) fn tells_of_clock(&self, now: Instant) -> bool {
        let mut told = self.clock_told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|told| now.duration_since(told) >= CLOCK_EVERY);
        if is_due {
            *told = Some(now);
        }
        is_due
    }

    fn standing(&self) -> MutexGuard<'_, HashMap<TenantId, Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(archived: i64) -> Vec<Behind> {
        vec![Behind {
            tenant_id: "018f0000-0000-7000-8000-000000000001".parse().expect("an id"),
            head: Position::new(100),
            archived: Position::new(archived),
            oldest: jiff::Timestamp::UNIX_EPOCH,
        }]
    }

    #[test]
    fn of_a_clock_that_is_behind_is_told_once_an_hour() {
        let (delivery, begun) = (Delivery::default(), Instant::now());
        let told: Vec<_> = (0..10).map(|quarter| delivery.tells_of_clock(begun + CLOCK_EVERY / 4 * quarter)).collect();
        assert_eq!(told, [true, false, false, false, true, false, false, false, true, false]);
    }

    #[test]
    fn a_tenant_of_somebody_else_is_left_alone_while_it_moves() {
        let delivered = Arc::new(Delivered::new(4, SUBSCRIPTION, runtime::RegionMetrics::new("eu")));
        let delivery = Delivery { delivered: Some(Arc::clone(&delivered)), ..Delivery::default() };
        let is_mine_at = |archived| {
            delivery.note(&behind(archived));
            delivery.is_mine(&behind(archived)[0])
        };
        assert!(is_mine_at(1), "before the topic is read, everybody is everybody's");
        delivered.assign([]);
        assert!((0..30).all(|sweep| !is_mine_at(sweep / 6)), "it moves every few sweeps");
        assert_eq!(
            (0..30).position(|_| is_mine_at(77)),
            Some(SWEEPS_MAX as usize),
            "it stands still: whoever finds it"
        );
        assert!(Delivery::default().is_mine(&behind(1)[0]), "without a topic everybody is everybody's");
    }
}
