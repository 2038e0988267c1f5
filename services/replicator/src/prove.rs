//! A tenant's archive, proven with the region's own key: for those who are about to rely on it.
//!
//! The key is the one that signed what is published, which a newer one may have followed since. Where a newer one follows while an
//! archive is read, its statement may not have been there yet: so what is not clean then is read once more, with the newer key.

use archive::{Checkpoint, Verifier, checkpoint, merkle::proof::Tree};
use auditor::{Options, Progress, Report};
use schemas::TenantId;

use crate::{archive_tenant::published, deps::ReplicatorDeps, error::Error, store::TenantObjects};

/// Verifies a tenant's archive as an auditor would, and gives the published checkpoint with its note, if there is one.
/// `expected`: a tree the archive is known to have had. `progress` is told how far it is, from the start once more where it is read
/// once more.
///
/// # Errors
/// If a store does not answer, or the checkpoint is not signed by the region's key. An archive that is wrong is no error.
pub async fn verify_archive(
    deps: &ReplicatorDeps,
    tenant_id: TenantId,
    expected: Option<Tree>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(Report, Option<(Checkpoint, String)>), Error> {
    let asked = Options { tenant_id: Some(tenant_id), expected, ..Options::default() };
    let objects = TenantObjects::new(deps.bucket.clone(), tenant_id);
    let mut strict = async || {
        let (ring, origin) = (deps.ring()?, checkpoint::origin(&deps.region.id, tenant_id));
        let published = published(&objects, (&ring, &origin)).await?;
        let verifier = ring.verifier_of(tenant_id, published.as_ref());
        Ok::<_, Error>((verify(&objects, &asked, &verifier, &mut *progress).await?, verifier, published))
    };
    let (mut report, verifier, mut published) = strict().await?;
    if !report.is_clean() && pinned(deps, &objects, tenant_id).await? != verifier {
        (report, _, published) = strict().await?;
    }
    Ok((report, published.map(|published| (published.checkpoint, published.note))))
}

/// Verifies a tenant's archive with the key that it is checked with. A checkpoint that cannot be trusted is no error either: what is
/// wrong the auditor says.
pub(crate) async fn verify_pinned(
    deps: &ReplicatorDeps,
    objects: &TenantObjects,
    (tenant_id, asked): (TenantId, Options),
) -> Result<Report, Error> {
    let asked = Options { tenant_id: Some(tenant_id), ..asked };
    let verifier = pinned(deps, objects, tenant_id).await?;
    let report = verify(objects, &asked, &verifier, &mut |_| ()).await?;
    if report.is_clean() {
        return Ok(report);
    }
    let now = pinned(deps, objects, tenant_id).await?;
    if now == verifier { Ok(report) } else { verify(objects, &asked, &now, &mut |_| ()).await }
}

async fn verify(
    objects: &TenantObjects,
    asked: &Options,
    verifier: &Verifier,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Error> {
    let options = Options { verifier: Some(verifier.clone()), ..asked.clone() };
    auditor::verify(objects, &options, progress).await.map_err(Error::ReadBack)
}

/// The key that a tenant's archive is checked with: the one that signed what is published. Where that cannot be trusted it is the
/// one at work, and what is wrong the auditor says.
async fn pinned(deps: &ReplicatorDeps, objects: &TenantObjects, tenant_id: TenantId) -> Result<Verifier, Error> {
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
