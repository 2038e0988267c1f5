//! Whose archive this is, and the key it is checked against.

use std::collections::BTreeMap;

use archive::{KeyChain, Manifest, checkpoint, layout, note::Verifier};
use schemas::{RegionId, TenantId};

use super::{Options, counted::Counted, listing::Listing};
use crate::{
    report::{Report, Wrong},
    source::Error,
};

pub(super) struct Identity {
    pub(super) tenant_id: TenantId,
    pub(super) region: RegionId,
    /// The name of the tenant's log, which its keys sign under.
    pub(super) origin: String,
    /// The keys, as the successions lead from the given one to the others.
    pub(super) keys: KeyChain,
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
            let object = layout::manifest(generation);
            let Some(bytes) = source.get(&object).await? else { continue };
            let Ok(manifest) = Manifest::claimed(&bytes) else { continue };
            let Some(key) = key_of(&manifest, options, report) else { continue };
            if options.tenant_id.is_some_and(|tenant_id| tenant_id != manifest.tenant_id) {
                report.add(None, object, Wrong::Belongs("tenant"));
            }
            report.tenant_id = Some(manifest.tenant_id);
            report.region = Some(manifest.region.clone());
            let origin = checkpoint::origin(&manifest.region, manifest.tenant_id);
            let keys = chain(source, listing, &manifest, (key, report)).await?;
            report.verifier = Some(Verifier::new(origin.as_str(), key).to_string());
            report.verifiers = keys.verifiers(&origin).map(|verifier| verifier.to_string()).collect();
            report.is_key_pinned = options.verifier.is_some();
            return Ok(Some(Self { tenant_id: manifest.tenant_id, region: manifest.region, origin, keys }));
        }
        for generation in listing.generations() {
            report.add(None, layout::manifest(generation), Wrong::Unreadable("not the shape of a manifest".to_owned()));
        }
        Ok(None)
    }
}

/// The keys that one key and the archive's successions make.
async fn chain(
    source: &Counted<'_>,
    listing: &Listing,
    manifest: &Manifest,
    (key, report): ([u8; 32], &mut Report),
) -> Result<KeyChain, Error> {
    let mut statements = BTreeMap::new();
    for number in listing.successions() {
        if let Some(bytes) = source.get(&layout::succession(number)).await? {
            statements.insert(number, bytes.to_vec());
        }
    }
    let (keys, broken) = KeyChain::through(key, &checkpoint::region_name(&manifest.region), &statements);
    for (number, why) in broken {
        report.add(None, layout::succession(number), Wrong::Succession(why.to_string()));
    }
    if !statements.is_empty() && keys.newest_number() == 0 {
        report.notes.push("the archive holds successions of other keys than the given one".to_owned());
    }
    Ok(keys)
}

/// The key of the auditor, if there is one, or of the manifest.
fn key_of(manifest: &Manifest, options: &Options, report: &mut Report) -> Option<[u8; 32]> {
    let origin = checkpoint::origin(&manifest.region, manifest.tenant_id);
    let Some(pinned) = &options.verifier else {
        let claimed: Verifier = manifest.verifier.parse().ok()?;
        return Some(*claimed.public_key());
    };
    // A region signs for all its tenants with one key; its verifier speaks for each of them.
    if pinned.name() != origin && pinned.name() != checkpoint::region_name(&manifest.region) {
        report.add(None, layout::MANIFESTS, Wrong::Belongs("log than the given key"));
    }
    Some(*pinned.public_key())
}
