//! What came by the region's topic, standing in for the log where it may.
//!
//! Delivered events are handed over if they come right after the checkpoint, without a gap, as whole commands, and if the log
//! vouches for each. Anything else is read from the log, as if there were no topic.

use std::{collections::HashMap, sync::Arc};

use regions::{DatabaseRole, Resident};
use runtime::Shutdown;
use schemas::{Position, TenantId};
use topic::{Delivered, Destination, Hints, Reader};

use crate::{
    Error, ProjectorDeps,
    batch::Batch,
    feed::{self, BATCH_SIZE_MAX},
    sweep::Behind,
};

/// The name under which projectors share the topic, and under which metrics show it.
const SUBSCRIPTION: &str = "projector";

/// Where a projector's events come from besides the log: nowhere, or the topic.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivery {
    delivered: Option<Arc<Delivered>>,
}

impl Delivery {
    /// As the region's file says.
    pub(crate) fn start(deps: &ProjectorDeps, hints: Hints, shutdown: &Shutdown) -> Self {
        let reader = Reader {
            region: deps.region.clone(),
            role: DatabaseRole::Projector,
            subscription: SUBSCRIPTION,
            metrics: deps.metrics.clone(),
            hints: Some(hints),
        };
        Self { delivered: reader.start(shutdown) }
    }

    /// Whether a tenant's new events are delivered, to this process or to another, so that it need not be looked after when the log
    /// says that there are some.
    pub(crate) fn comes(&self, tenant: TenantId) -> bool {
        self.delivered.as_ref().is_some_and(|delivered| delivered.destination(tenant) != Destination::Nowhere)
    }

    /// The batch after a position, if what was delivered joins there and the log vouches for it.
    pub(crate) async fn next(
        &self,
        deps: &ProjectorDeps,
        resident: &Resident,
        position: Position,
    ) -> Result<Option<Batch>, Error> {
        let Some(delivered) = &self.delivered else { return Ok(None) };
        let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
        let wanted = (position, BATCH_SIZE_MAX);
        let (recorded, more) = delivered.vouched_after(&mut conn, resident, wanted).await.map_err(Error::Topic)?;
        drop(conn);
        if recorded.is_empty() {
            return Ok(None);
        }
        feed::of_recorded(deps, resident, recorded, more).await.map(Some)
    }

    /// What was handed over need not wait any longer: whoever could not take it reads the log.
    pub(crate) fn handled(&self, tenant: TenantId, up_to: Position) {
        if let Some(delivered) = &self.delivered {
            delivered.handled(tenant, up_to);
        }
    }
}

/// Who was behind at the last sweep, and where.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    last: HashMap<(TenantId, String), Position>,
}

impl Standing {
    /// Those that are to be served: all to whom nothing is delivered, and of the others those that stand where they stood at the
    /// last sweep. The rest is moving, so somebody serves it; these were forgotten, or the topic does not come through.
    pub(crate) fn due(&mut self, delivery: &Delivery, behind: Vec<Behind>) -> Vec<Behind> {
        if delivery.delivered.is_none() {
            return behind;
        }
        let key = |entry: &Behind| (entry.tenant_id, entry.projection.clone());
        let now = behind.iter().map(|entry| (key(entry), entry.position)).collect();
        let last = std::mem::replace(&mut self.last, now);
        let stands = |entry: &Behind| last.get(&key(entry)) == Some(&entry.position);
        behind.into_iter().filter(|entry| !delivery.comes(entry.tenant_id) || stands(entry)).collect()
    }
}
