//! The chain of manifests alone: what the archive says it holds, signed.

use archive::{layout, manifest::Segment};
use schemas::{Hash, Position, TenantId};

use super::{Options, counted::Counted, identity::Identity, listing::Listing, load};
use crate::{
    report::{Report, Wrong},
    source::{Error, Source},
};

/// Every segment of an archive, in order and without gaps.
pub(crate) struct Chain {
    pub(crate) tenant_id: TenantId,
    pub(crate) segments: Vec<Segment>,
}

impl Chain {
    /// Reads the manifests. `None`: there are none. The first thing that is wrong with them ends it, as a finding.
    pub(crate) async fn read(
        source: &dyn Source,
        options: &Options,
        report: &mut Report,
    ) -> Result<Option<Self>, Error> {
        let source = Counted::new(source);
        let listing = Listing::new(source.list().await?);
        let Some(identity) = Identity::establish(&source, &listing, options, report).await? else { return Ok(None) };
        let mut chain = Self { tenant_id: identity.tenant_id, segments: Vec::new() };
        let (mut previous_sha256, mut key_number) = (None, 0);
        for generation in 1..=listing.newest_generation() {
            let key = layout::manifest(generation);
            let Some(bytes) = source.get(&key).await? else {
                report.add(chain.next(), key, Wrong::Missing);
                break;
            };
            let opened = match load::open(&bytes, &identity, generation) {
                Ok((_, number)) if number < key_number => Err(Wrong::KeyRetired),
                Ok((manifest, _)) if manifest.previous_sha256 != previous_sha256 => Err(Wrong::ChainBroken),
                opened => opened,
            };
            let (manifest, number) = match opened {
                Ok(opened) => opened,
                Err(wrong) => {
                    report.add(chain.next(), key, wrong);
                    break;
                }
            };
            key_number = number;
            previous_sha256 = Some(Hash::of(&[&bytes]));
            for segment in manifest.segments {
                if segment.first != chain.next() {
                    report.add(chain.next(), key.as_str(), Wrong::Gap);
                    return Ok(Some(chain));
                }
                chain.segments.push(segment);
            }
        }
        Ok(Some(chain))
    }

    fn next(&self) -> Position {
        self.segments.last().map_or(Position::new(1), |segment| segment.last.next())
    }
}
