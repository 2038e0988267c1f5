//! When a tenant is archived next: it rests after a success, and waits longer and longer after failures.

use std::{collections::HashMap, time::Duration};

use schemas::TenantId;
use tokio::time::Instant;

use crate::{error::Error, lag::Behind};

/// Intervals a tenant rests after a generation.
const REST_INTERVALS: u32 = 5;
/// New events that end a rest early: a full tile.
const EVENTS_ENOUGH: i64 = archive::tile::WIDTH as i64;
/// The longest wait after failures.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// The paces of all tenants that were archived or failed lately.
pub(super) struct Paces {
    interval: Duration,
    tenants: HashMap<TenantId, Pace>,
}

struct Pace {
    not_before: Instant,
    failures: u32,
    is_halted: bool,
}

impl Paces {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, tenants: HashMap::new() }
    }

    /// Forgets who is up to date and has rested.
    pub(super) fn keep_only(&mut self, behind: &[Behind], now: Instant) {
        self.tenants.retain(|tenant_id, pace| {
            pace.not_before > now || behind.iter().any(|tenant| tenant.tenant_id == *tenant_id)
        });
    }

    pub(super) fn is_due(&self, tenant: &Behind, now: Instant) -> bool {
        self.tenants
            .get(&tenant.tenant_id)
            .is_none_or(|pace| pace.not_before <= now || (pace.failures == 0 && tenant.positions() >= EVENTS_ENOUGH))
    }

    /// Whether a tenant need not rest, because it has enough for a further generation.
    pub(super) fn has_backlog(&self, tenant: &Behind, now: Instant) -> bool {
        tenant.positions() >= EVENTS_ENOUGH && self.is_due(tenant, now)
    }

    pub(super) fn note(&mut self, tenant_id: TenantId, result: &Result<(), Error>, now: Instant) {
        let failures = match result {
            Ok(()) => 0,
            Err(_) => self.tenants.get(&tenant_id).map_or(0, |pace| pace.failures).saturating_add(1),
        };
        let wait = if failures == 0 { self.interval * REST_INTERVALS } else { self.backoff(tenant_id, failures) };
        // One that is behind is closed, and counted where it is: in the database.
        let is_halted =
            result.as_ref().is_err_and(|error| !error.is_transient() && !matches!(error, Error::PublishedAhead { .. }));
        self.tenants.insert(tenant_id, Pace { not_before: now + wait, failures, is_halted });
    }

    /// How many tenants wait for an operator.
    pub(super) fn halted(&self) -> i64 {
        self.tenants.values().filter(|pace| pace.is_halted).count() as i64
    }

    /// Doubles with every failure up to the cap, and up to a quarter longer by the tenant's id, so that tenants that failed
    /// together do not come back together.
    fn backoff(&self, tenant_id: TenantId, failures: u32) -> Duration {
        let doubled = self.interval.saturating_mul(1 << failures.min(16)).min(BACKOFF_MAX);
        let jitter = u32::from(tenant_id.get().as_bytes()[15]);
        doubled + doubled / 4 * jitter / 256
    }
}

#[cfg(test)]
mod tests {
    use schemas::Position;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(2);

    fn behind(positions: i64) -> Behind {
        Behind {
            tenant_id: "018f0000-0000-7000-8000-000000000001".parse().expect("an id"),
            head: Position::new(positions),
            archived: Position::ZERO,
            oldest: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_tenant_rests_after_a_generation_unless_it_fills_a_tile() {
        let (mut paces, now, tenant) = (Paces::new(INTERVAL), Instant::now(), behind(3));
        assert!(paces.is_due(&tenant, now));
        paces.note(tenant.tenant_id, &Ok(()), now);
        assert!(!paces.is_due(&tenant, now) && paces.is_due(&behind(256), now));
        assert!(paces.is_due(&tenant, now + INTERVAL * REST_INTERVALS));
    }

    #[test]
    fn failures_wait_longer_and_longer_and_never_for_ever() {
        let (mut paces, now, tenant) = (Paces::new(INTERVAL), Instant::now(), behind(1000));
        paces.note(tenant.tenant_id, &Err(Error::Contended), now);
        assert!(!paces.is_due(&tenant, now) && paces.is_due(&tenant, now + INTERVAL * 3));
        for _ in 0..40 {
            paces.note(tenant.tenant_id, &Err(Error::Contended), now);
        }
        assert!(!paces.is_due(&tenant, now + INTERVAL * 3));
        assert!(paces.is_due(&tenant, now + BACKOFF_MAX + BACKOFF_MAX / 4));
    }

    #[test]
    fn a_tenant_that_needs_an_operator_counts_as_halted_until_it_works_again() {
        let (mut paces, now, tenant) = (Paces::new(INTERVAL), Instant::now(), behind(1));
        paces.note(tenant.tenant_id, &Err(Error::ArchiveLost { archived: Position::new(2), published: 1 }), now);
        assert_eq!(paces.halted(), 1);
        paces.note(tenant.tenant_id, &Ok(()), now);
        assert_eq!(paces.halted(), 0);
    }
}
