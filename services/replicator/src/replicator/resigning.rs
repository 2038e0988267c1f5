//! Brings archives that do not grow under a signing key that took over.
//!
//! Generations take the new key by themselves. An archive without new events would stay under the old one, and whoever knows
//! only the key that the region publishes now could not read it.

use archive::checkpoint::origin;
use regions::Resident;
use runtime::Shutdown;
use schemas::{Position, TenantId};

use crate::{
    archive_tenant::{archive_tenant, published},
    deps::ReplicatorDeps,
    error::Error,
    signing::KeyRing,
};

pub(super) async fn run(deps: &ReplicatorDeps, shutdown: &Shutdown) {
    // A process that starts does not know how far the one before it came.
    let mut all_under = None;
    loop {
        match deps.ring() {
            Ok(ring) if all_under != Some(ring.chain().newest()) => {
                if all_are_under(deps, &ring, shutdown).await {
                    all_under = Some(ring.chain().newest());
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot look for a new signing key"),
        }
        if !shutdown.sleep(deps.interval).await {
            return;
        }
    }
}

/// Goes through every tenant of the region. Whether all of them are under the newest key now.
async fn all_are_under(deps: &ReplicatorDeps, ring: &KeyRing, shutdown: &Shutdown) -> bool {
    if ring.successions().is_empty() {
        return true;
    }
    let tenants = match tenants(deps).await {
        Ok(tenants) => tenants,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot read whose archives to sign anew");
            return false;
        }
    };
    let mut are_all = true;
    for tenant_id in tenants {
        if shutdown.is_requested() {
            return false;
        }
        if let Err(error) = one(deps, ring, tenant_id).await {
            are_all = false;
            let error = &error as &dyn std::error::Error;
            tracing::warn!(tenant.id = %tenant_id, error, "a tree head could not be signed by the new key, and is tried again");
        }
    }
    are_all
}

async fn tenants(deps: &ReplicatorDeps) -> Result<Vec<TenantId>, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let heads = eventlog::heads(&mut connection).await.map_err(Error::Log)?;
    Ok(heads.into_iter().map(|head| head.tenant_id).collect())
}

async fn one(deps: &ReplicatorDeps, ring: &KeyRing, tenant_id: TenantId) -> Result<(), Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let resident = Resident::prove_id(&mut connection, &deps.region.id, tenant_id).await.map_err(Error::Database)?;
    drop(connection);
    // A tenant that was closed or moved away is signed by nobody any more.
    let Some(resident) = resident else { return Ok(()) };
    let origin = origin(&deps.region.id, tenant_id);
    let published = published(&deps.objects(&resident), (ring, &origin)).await?;
    if published.is_none_or(|published| published.key_number == ring.chain().newest_number()) {
        return Ok(());
    }
    // Up to where the archive is already: nothing is taken, and the checkpoint is signed anew.
    archive_tenant(deps, &resident, Some(Position::ZERO)).await.map(drop)
}
