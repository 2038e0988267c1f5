//! What came by the region's topic, standing in for the log where it may.
//!
//! Delivered events are handed over if they come right after the checkpoint, without a gap, as whole commands, and if the log
//! vouches for each. Anything else is read from the log, as if there were no topic.

use std::{collections::HashMap, sync::Arc};

use regions::Resident;
use schemas::{Position, TenantId};
use topic::Delivered;

use crate::{
    Error, ProjectorDeps,
    batch::Batch,
    feed::{self, BATCH_SIZE_MAX},
    sweep::Behind,
};

/// The name under which projectors share the topic, and under which metrics show it.
pub(crate) const SUBSCRIPTION: &str = "projector";

/// Where a projector's events come from besides the log: nowhere, or the topic.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivery {
    delivered: Option<Arc<Delivered>>,
}

impl Delivery {
    /// By the topic.
    pub(crate) const fn by_topic(delivered: Arc<Delivered>) -> Self {
        Self { delivered: Some(delivered) }
    }

    /// The batch after a position, if what was delivered joins there and the log vouches for it.
    pub(crate) async fn next(
        &self,
        deps: &ProjectorDeps,
        resident: &Resident,
        position: Position,
    ) -> Result<Option<Batch>, Error> {
        let Some(delivered) = &self.delivered else { return Ok(None) };
        let tenant = resident.tenant_id();
        let (recorded, more) = delivered.after(tenant, position, BATCH_SIZE_MAX);
        if recorded.is_empty() {
            return Ok(None);
        }
        let mut conn = deps.pool.acquire().await.map_err(Error::Transaction)?;
        let is_vouched = topic::vouched(&mut conn, resident, &recorded).await.map_err(Error::Topic)?;
        drop(conn);
        if !is_vouched {
            delivered.let_go(tenant);
            deps.metrics.topic_records_refused.with_label_values(&["unknown to the log"]).inc();
            tracing::error!(
                tenant.id = %tenant,
                subscription = SUBSCRIPTION,
                position = position.next().get(),
                "the topic has events that the log has not; the log is read"
            );
            return Ok(None);
        }
        deps.metrics.topic_events.with_label_values(&[SUBSCRIPTION]).inc_by(recorded.len() as u64);
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
    /// Those that stand where they stood at the last sweep. The others are moving, so somebody serves them; these were forgotten,
    /// or the topic does not come through.
    pub(crate) fn still(&mut self, behind: Vec<Behind>) -> Vec<Behind> {
        let key = |entry: &Behind| (entry.tenant_id, entry.projection.clone());
        let now = behind.iter().map(|entry| (key(entry), entry.position)).collect();
        let last = std::mem::replace(&mut self.last, now);
        behind.into_iter().filter(|entry| last.get(&key(entry)) == Some(&entry.position)).collect()
    }
}
