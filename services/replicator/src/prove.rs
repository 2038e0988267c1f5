//! A tenant's archive, proven with the region's own key: for those who are about to rely on it.

use archive::{Checkpoint, Verifier, checkpoint, merkle::proof::Tree};
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
    let published = published(&objects, (&ring, &origin)).await?;
    let verifier = ring.verifier_of(tenant_id, published.as_ref());
    let options = Options { verifier: Some(verifier), tenant_id: Some(tenant_id), expected, ..Options::default() };
    let report = auditor::verify(&objects, &options, &mut |_| ()).await.map_err(Error::ReadBack)?;
    Ok((report, published.map(|published| (published.checkpoint, published.note))))
}

/// The key that a tenant's archive is checked with: the one that signed what is published. Where that cannot be trusted it is the
/// one at work, and what is wrong the auditor says.
pub(crate) async fn pinned(
    deps: &ReplicatorDeps,
    objects: &TenantObjects,
    tenant_id: TenantId,
) -> Result<Verifier, Error> {
    let (ring, origin) = (deps.ring()?, checkpoint::origin(&deps.region.id, tenant_id));
    let published = match published(objects, (&ring, &origin)).await {
        Err(Error::Checkpoint(_)) => None,
        published => published?,
    };
    Ok(ring.verifier_of(tenant_id, published.as_ref()))
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
