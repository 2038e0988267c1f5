//! Proves to the other regions that what they hold against this one's logs is of one history.
//!
//! A witness refuses a tree head whose proof does not hold, and keeps it. Anybody can bring a true head into that place, with a
//! false proof; so this region looks what is there, and shows how the one head follows on the other. Where it does not, there are two
//! histories, and nothing that is done here hides them.

use std::collections::HashMap;

use archive::{Checkpoint, witness::AddCheckpoint};
use auditor::Log;
use schemas::TenantId;

use crate::{
    deps::ReplicatorDeps,
    error::Error,
    witnesses::{Asked, Unproven},
};

/// Looks once.
pub(super) async fn look(deps: &ReplicatorDeps, witness: &Asked) -> Result<(), Error> {
    let mut of_tenants: HashMap<TenantId, Vec<Unproven>> = HashMap::new();
    for unproven in witness.unproven(&deps.region.id).await.map_err(Error::Witness)? {
        if let Some(tenant_id) = tenant_of(deps, &unproven) {
            of_tenants.entry(tenant_id).or_default().push(unproven);
        }
    }
    for (tenant_id, held) in of_tenants {
        match prove(deps, witness, tenant_id, &held).await {
            // What is wrong with one log is no reason not to look at the others.
            Err(error) if error.is_of_one() => {
                tracing::warn!(tenant.id = %tenant_id, witness = %witness.region,
                    error = runtime::chain(&error), "nothing can be proven of a log");
            }
            done => done?,
        }
    }
    Ok(())
}

/// Whose log of this region it is about. What a witness says is no more than a hint.
fn tenant_of(deps: &ReplicatorDeps, unproven: &Unproven) -> Option<TenantId> {
    let origin = Checkpoint::claimed(&unproven.theirs).ok()?.origin;
    let (region, tenant_id) = origin.strip_prefix("domicile/")?.split_once('/')?;
    if region == deps.region.id.as_str() { tenant_id.parse().ok() } else { None }
}

async fn prove(deps: &ReplicatorDeps, witness: &Asked, tenant_id: TenantId, held: &[Unproven]) -> Result<(), Error> {
    let objects = deps.objects(&deps.resident(tenant_id).await?);
    let key = deps.ring()?.signer_of(tenant_id).verifier().clone();
    let log = Log::open(&objects, Some(&key)).await.map_err(Error::Proof)?;
    for Unproven { ours, theirs } in held {
        // One that no key of this log signed is not this region's to explain.
        let (Ok(old), Ok(new)) = (log.older(ours), log.older(theirs)) else { continue };
        let size = new.size;
        match log.growth_between(&old, &new).await.map_err(Error::Proof)? {
            Some(proof) => {
                let shown = AddCheckpoint { old_size: old.size, proof, checkpoint: theirs.clone() };
                let is_settled = witness.settle(&shown).await.map_err(Error::Witness)?;
                tracing::info!(tenant.id = %tenant_id, witness = %witness.region, size, is_settled,
                    "a tree head that somebody showed with a wrong proof is proven");
            }
            // Signed and not published yet: proven once it is.
            None if size > log.head().size => {}
            None => tracing::error!(tenant.id = %tenant_id, witness = %witness.region, size,
                "a witness holds a tree head of another history, signed by this region's key"),
        }
    }
    Ok(())
}
