//! A tenant's archive, proven with the region's own key: for those who are about to rely on it.

use archive::{Checkpoint, checkpoint, merkle::proof::Tree};
use auditor::{Options, Report};
use schemas::TenantId;

use crate::{archive_tenant::published, deps::ReplicatorDeps, error::Error, store::TenantObjects};

/// Verifies a tenant's archive as an auditor would, and gives the published checkpoint with its note, if there is one.
/// `expected`: a tree the archive is known to have had.
///
/// # Errors
/// If a store does not answer, or the checkpoint is not signed by the region's key. An archive that is wrong is no error.
pub async fn verify_archive(
    deps: &ReplicatorDeps,
    tenant_id: TenantId,
    expected: Option<Tree>,
) -> Result<(Report, Option<(Checkpoint, String)>), Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), tenant_id);
    let (ring, origin) = (deps.ring()?, checkpoint::origin(&deps.region.id, tenant_id));
    let verifier = ring.signer_of(tenant_id).verifier().clone();
    let published =
        published(&objects, (&ring, &origin)).await?.map(|published| (published.checkpoint, published.note));
    let options = Options { verifier: Some(verifier), tenant_id: Some(tenant_id), expected, ..Options::default() };
    let report = auditor::verify(&objects, &options, &mut |_| ()).await.map_err(Error::ReadBack)?;
    Ok((report, published))
}

/// How many events of a tenant are published; unchecked, to tell people how long something takes.
///
/// # Errors
/// If the bucket does not answer.
pub async fn published_size(deps: &ReplicatorDeps, tenant_id: TenantId) -> Result<u64, Error> {
    let objects = TenantObjects::new(deps.bucket.clone(), tenant_id);
    let object = objects.get(archive::layout::CHECKPOINT).await?;
    let claimed = object.and_then(|object| Checkpoint::claimed(std::str::from_utf8(&object.body).ok()?).ok());
    Ok(claimed.map_or(0, |checkpoint| checkpoint.size))
}
