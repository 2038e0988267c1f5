//! The published checkpoint of an archive that does not grow, under a key that took over.

use archive::{Object, layout};
use regions::Resident;

use super::{publish::write_successions, standing::Standing};
use crate::{deps::ReplicatorDeps, error::Error, signing::KeyRing};

/// Signs the published checkpoint with the newest key, if an older one signed it. Size and root stay.
///
/// The successions are written first: who trusts the old key finds the way to the new one.
pub(super) async fn under_the_newest_key(
    deps: &ReplicatorDeps,
    resident: &Resident,
    standing: &Standing,
    ring: &KeyRing,
) -> Result<(), Error> {
    let Some(published) = &standing.checkpoint else { return Ok(()) };
    if published.key_number == ring.chain().newest_number() {
        return Ok(());
    }
    let objects = deps.objects(resident);
    write_successions(deps, &objects, ring).await?;
    // A crash here leaves an archive that says more of keys than it needs.
    let note = published.checkpoint.sign(&ring.signer_of(resident.tenant_id()));
    let signed = Object { key: layout::CHECKPOINT.to_owned(), bytes: note.into_bytes() };
    if objects.swap(&signed, Some(&published.etag)).await? { Ok(()) } else { Err(Error::Contended) }
}
