//! Whose archive this is, and the key it is checked against.

use archive::{Manifest, checkpoint, layout, note::Verifier};
use schemas::{RegionId, TenantId};

use super::{Options, counted::Counted, listing::Listing};
use crate::{
    report::{Report, Wrong},
    source::Error,
};

pub(super) struct Identity {
    pub(super) tenant_id: TenantId,
    pub(super) region: RegionId,
    /// The key, under the name of the tenant's log.
    pub(super) verifier: Verifier,
}

impl Identity {
    /// Takes tenant and region from the first manifest that can be read; and the key from the auditor, or from there.
    /// `None`, with findings, if no manifest can be read.
    pub(super) async fn establish(
        source: &Counted<'_>,
        listing: &Listing,
        options: &Options,
        report: &mut Report,
    ) -> Result<Option<Self>, Error> {
        for generation in listing.generations() {
            let key = layout::manifest(generation);
            let Some(bytes) = source.get(&key).await? else { continue };
            let Ok(manifest) = Manifest::claimed(&bytes) else { continue };
            let Some(verifier) = key_of(&manifest, options, report) else { continue };
            if options.tenant_id.is_some_and(|tenant_id| tenant_id != manifest.tenant_id) {
                report.add(None, key, Wrong::Belongs("tenant"));
            }
            report.tenant_id = Some(manifest.tenant_id);
            report.region = Some(manifest.region.clone());
            report.verifier = Some(verifier.to_string());
            report.is_key_pinned = options.verifier.is_some();
            if options.verifier.is_none() {
                report.notes.push(
                    "no key was given: the one the archive names was used; compare it with a copy from elsewhere"
                        .to_owned(),
                );
            }
            return Ok(Some(Self { tenant_id: manifest.tenant_id, region: manifest.region, verifier }));
        }
        for generation in listing.generations() {
            report.add(None, layout::manifest(generation), Wrong::Unreadable("not the shape of a manifest".to_owned()));
        }
        Ok(None)
    }
}

/// The key under the log's name; of the auditor, if there is one.
fn key_of(manifest: &Manifest, options: &Options, report: &mut Report) -> Option<Verifier> {
    let origin = checkpoint::origin(&manifest.region, manifest.tenant_id);
    let Some(pinned) = &options.verifier else {
        let claimed: Verifier = manifest.verifier.parse().ok()?;
        return Some(Verifier::new(origin, *claimed.public_key()));
    };
    // A region signs for all its tenants with one key; its verifier speaks for each of them.
    if pinned.name() != origin && pinned.name() != checkpoint::region_name(&manifest.region) {
        report.add(None, layout::MANIFESTS, Wrong::Belongs("log than the given key"));
    }
    Some(Verifier::new(origin, *pinned.public_key()))
}
