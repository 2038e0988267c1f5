//! What an archive holds, read to its end before anything is changed: whatever in it stops a restore leaves the tenant as it was.

use auditor::Events;
use jiff::Timestamp;
use schemas::{Recorded, TenantId};
use sqlx::PgConnection;
use vault::Keyring;

use crate::{
    deps::{Named, RestorerDeps},
    error::Error,
    facts::Facts,
    keys,
    progress::{Meter, Step},
    proven::{self, Proven},
};

/// What follows from a tenant's events, and the keys that open them, without those on the erasure list.
pub(super) struct Surveyed {
    tenant_id: TenantId,
    pub(super) facts: Facts,
    pub(super) ring: Keyring,
}

/// Reads every event of an archive.
///
/// # Errors
/// If the archive is not what was proven, a key or a payload does not open, or a store does not answer.
pub(super) async fn survey(
    deps: &RestorerDeps,
    (tenant_id, proven): (TenantId, &Proven),
    owner: &mut PgConnection,
    meter: &Meter<'_>,
) -> Result<Surveyed, Error> {
    let ring = keys::load(deps, tenant_id, owner).await?;
    let mut surveyed = Surveyed { tenant_id, facts: Facts::new(tenant_id), ring };
    let objects = proven::objects(deps, tenant_id);
    let mut events = Events::new(&objects, tenant_id, proven.tree.size);
    while let Some(segment) = events.next().await.map_err(Error::Events)? {
        surveyed.take(&segment)?;
        meter.reach(tenant_id, Step::Read, events.tree().size());
    }
    proven.check(tenant_id, events.tree())?;
    surveyed.ring.check(owner).await?;
    Ok(surveyed)
}

impl Surveyed {
    /// Takes the events that come next.
    ///
    /// # Errors
    /// If a payload was changed, or an event of the erasure list cannot be opened.
    pub(super) fn take(&mut self, events: &[Recorded]) -> Result<(), Error> {
        self.facts.take(&mut self.ring, events)
    }

    /// Refuses a tenant that the directory calls by another name than the one it registered, and a clock that is behind what was
    /// archived: events of the future would be followed by events of the past.
    pub(super) fn check(&self, named: &Named, now: Timestamp, proven: &Proven) -> Result<(), Error> {
        if let Some(registered) = self.facts.slug.as_ref().filter(|registered| **registered != named.slug) {
            let (registered, directory) = (registered.clone(), named.slug.clone());
            return Err(Error::AnotherName { tenant_id: self.tenant_id, registered, directory });
        }
        let manifest = proven.made_at.filter(|_| proven.is_by_the_clock);
        for (what, made_at) in [("event", self.facts.newest_at), ("manifest", manifest)] {
            let Some(made_at) = made_at else { continue };
            proven::check_clock(now, format!("the newest {what} of {}", named.slug), made_at)?;
        }
        Ok(())
    }
}
