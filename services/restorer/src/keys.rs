//! The keys of a tenant, out of the region's bucket and what the database still has.

use archive::layout;
use schemas::TenantId;
use sqlx::PgConnection;
use vault::Keyring;

use crate::{deps::RestorerDeps, error::Error};

/// Every key of the tenant that there is anywhere.
pub(crate) async fn load(deps: &RestorerDeps, tenant_id: TenantId, owner: &mut PgConnection) -> Result<Keyring, Error> {
    let bucket = &deps.replicator.bucket;
    let mut ring = Keyring::new(tenant_id, deps.region_key.clone());
    ring.add_stored(owner).await?;
    for listed in bucket.list(&layout::keys_prefix(tenant_id)).await.map_err(Error::Bucket)? {
        // One that expired since it was listed is as good as never listed.
        if let Some(export) = bucket.get(&listed.key).await.map_err(Error::Bucket)? {
            ring.add(&export.body)?;
        }
    }
    Ok(ring)
}
