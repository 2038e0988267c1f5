//! The keys of a tenant, out of the region's bucket and what the database still has.

use archive::layout;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use schemas::TenantId;
use sqlx::PgConnection;
use vault::Keyring;

use crate::{deps::RestorerDeps, error::Error};

/// Exports that are read at the same time: each generation has one.
const EXPORTS_AT_ONCE: usize = 16;

/// Every key of the tenant that there is anywhere.
pub(crate) async fn load(deps: &RestorerDeps, tenant_id: TenantId, owner: &mut PgConnection) -> Result<Keyring, Error> {
    let bucket = &deps.replicator.bucket;
    let mut ring = Keyring::new(tenant_id, deps.region_key.clone());
    ring.add_stored(owner).await?;
    let listed = bucket.list(&layout::keys_prefix(tenant_id)).await.map_err(Error::Bucket)?;
    let gets: Vec<_> = listed.iter().map(|listed| bucket.get(&listed.key).boxed()).collect();
    // In order: of exports that name one key, the last counts. One that expired since it was listed is as good as never listed.
    let mut exports = stream::iter(gets).buffered(EXPORTS_AT_ONCE);
    while let Some(found) = exports.try_next().await.map_err(Error::Bucket)? {
        if let Some(export) = found {
            ring.add(&export.body)?;
        }
    }
    Ok(ring)
}
