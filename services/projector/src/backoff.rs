//! When a halted tenant is tried again: at once after a start, then less and less often.

use std::{collections::HashMap, time::Duration};

use schemas::TenantId;
use tokio::time::Instant;

use crate::projections::{self, Projection};

const DELAY_MIN: Duration = Duration::from_secs(1);
const DELAY_MAX: Duration = Duration::from_secs(300);

struct Wait {
    delay: Duration,
    until: Instant,
}

/// The halts this process knows of. Nothing here is written down: a restart tries every halted tenant.
#[derive(Default)]
pub(crate) struct Backoff {
    waits: HashMap<(TenantId, &'static str), Wait>,
}

impl Backoff {
    /// The projections of a tenant that may be tried now.
    pub(crate) fn ready(&self, tenant: TenantId, now: Instant) -> Vec<&'static Projection> {
        let is_ready =
            |projection: &&&Projection| self.waits.get(&(tenant, projection.name)).is_none_or(|wait| wait.until <= now);
        projections::ALL.iter().filter(is_ready).copied().collect()
    }

    /// Whether one projection of a tenant may be tried now.
    pub(crate) fn is_ready(&self, tenant: TenantId, projection: &str, now: Instant) -> bool {
        self.ready(tenant, now).iter().any(|ready| ready.name == projection)
    }

    /// Takes note of a round: which projections were tried, and which of those halted.
    pub(crate) fn note(
        &mut self,
        tenant: TenantId,
        tried: &[&'static Projection],
        halted: &[&'static str],
        now: Instant,
    ) {
        for projection in tried {
            let key = (tenant, projection.name);
            if halted.contains(&projection.name) {
                let delay = self.waits.get(&key).map_or(DELAY_MIN, |wait| (wait.delay * 2).min(DELAY_MAX));
                self.waits.insert(key, Wait { delay, until: now + delay });
            } else {
                self.waits.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const TENANT: TenantId = TenantId::new(Uuid::nil());

    #[test]
    fn a_halted_tenant_is_tried_less_and_less_often_and_others_always() {
        let (mut backoff, start) = (Backoff::default(), Instant::now());
        backoff.note(TENANT, projections::ALL, &["audits"], start);
        assert_eq!(backoff.ready(TENANT, start).len(), projections::ALL.len() - 1);
        assert!(backoff.is_ready(TENANT, "audits", start + Duration::from_secs(1)));

        backoff.note(TENANT, projections::ALL, &["audits"], start);
        assert!(!backoff.is_ready(TENANT, "audits", start + Duration::from_secs(1)));
        assert!(backoff.is_ready(TENANT, "audits", start + Duration::from_secs(2)));

        for _ in 0..20 {
            backoff.note(TENANT, projections::ALL, &["audits"], start);
        }
        assert!(backoff.is_ready(TENANT, "audits", start + DELAY_MAX), "the wait is capped");

        backoff.note(TENANT, projections::ALL, &[], start);
        assert!(backoff.is_ready(TENANT, "audits", start), "after the fix nothing waits");
    }
}
