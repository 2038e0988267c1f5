//! Brings archives that do not grow under a signing key that took over.
//!
//! Generations take the new key by themselves. An archive without new events would stay under the old one, and whoever knows
//! only the key that the region publishes now could not read it.

use std::collections::BTreeSet;

use archive::checkpoint::origin;
use runtime::Shutdown;
use schemas::{Position, TenantId};

use crate::{
    archive_tenant::{archive_tenant, published},
    deps::ReplicatorDeps,
    error::Error,
    signing::KeyRing,
};

/// Intervals between two looks for tenants that came, or came back, since all were under the key at work.
const INTERVALS: u32 = 30;

/// Which archives are under the key at work. A process that starts does not know how far the one before it came.
#[derive(Default)]
struct Resigned {
    key: Option<[u8; 32]>,
    tenants: BTreeSet<TenantId>,
    /// Intervals until the next look; none while somebody is left.
    rests: u32,
}

pub(super) async fn run(deps: &ReplicatorDeps, shutdown: &Shutdown) {
    let mut resigned = Resigned::default();
    loop {
        match deps.ring() {
            Ok(ring) => resigned.round(deps, &ring, shutdown).await,
            Err(error) => tracing::warn!(error = runtime::chain(&error), "cannot look for a new signing key"),
        }
        if !shutdown.sleep(deps.interval).await {
            return;
        }
    }
}

impl Resigned {
    /// Goes through the tenants of the region that are not under the newest key yet.
    async fn round(&mut self, deps: &ReplicatorDeps, ring: &KeyRing, shutdown: &Shutdown) {
        let newest = ring.chain().newest();
        if self.key != Some(newest) {
            *self = Self { key: Some(newest), ..Self::default() };
        }
        if ring.successions().is_empty() || self.rests > 0 {
            self.rests = self.rests.saturating_sub(1);
            return;
        }
        let tenants = match tenants(deps).await {
            Ok(tenants) => tenants,
            Err(error) => {
                tracing::warn!(error = runtime::chain(&error), "cannot read whose archives to sign anew");
                return;
            }
        };
        let mut are_all = true;
        for tenant_id in tenants {
            if shutdown.is_requested() {
                return;
            }
            if self.tenants.contains(&tenant_id) {
                continue;
            }
            match one(deps, ring, tenant_id).await {
                Ok(()) => _ = self.tenants.insert(tenant_id),
                // One that is closed or moved away is signed by nobody. Should it come back, its turn has not passed.
                Err(Error::NotAtHome { .. }) => {}
                Err(error) => {
                    are_all = false;
                    let error = runtime::chain(&error);
                    tracing::warn!(tenant.id = %tenant_id, error, "a tree head could not be signed by the new key, and is tried again");
                }
            }
        }
        self.rests = if are_all { INTERVALS } else { 0 };
    }
}

async fn tenants(deps: &ReplicatorDeps) -> Result<Vec<TenantId>, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let heads = eventlog::heads(&mut connection).await.map_err(Error::Log)?;
    Ok(heads.into_iter().map(|head| head.tenant_id).collect())
}

async fn one(deps: &ReplicatorDeps, ring: &KeyRing, tenant_id: TenantId) -> Result<(), Error> {
    let resident = deps.resident(tenant_id).await?;
    let origin = origin(&deps.region.id, tenant_id);
    let published = published(&deps.objects(&resident), (ring, &origin)).await?;
    if published.is_none_or(|published| published.key_number == ring.chain().newest_number()) {
        return Ok(());
    }
    // Up to where the archive is already: nothing is taken, and the checkpoint is signed anew.
    archive_tenant(deps, &resident, Some(Position::ZERO)).await.map(drop)
}
