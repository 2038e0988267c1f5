//! What other regions have cosigned must be a beginning of the archive.

use std::collections::BTreeSet;

use archive::{Checkpoint, checkpoint::region_name, cosignature, layout, merkle::empty_root, note::Verifier};
use bytes::Bytes;
use jiff::Timestamp;
use schemas::{Hash, RegionId};

use super::walk::Walk;
use crate::{
    report::{Witnessed, Wrong},
    source::{Error, Source},
};

/// A tree head that another region cosigned, to be compared when the walk comes to its size.
pub(super) struct Expected {
    object: String,
    head: Checkpoint,
    /// The root over as many events here.
    root: Option<Hash>,
}

/// Reads the tree heads that other regions have cosigned, by region.
///
/// To be called before anything else of an archive that grows is listed: what is cosigned was published before.
///
/// # Errors
/// If the source cannot be read.
pub async fn cosigned(source: &dyn Source) -> Result<Vec<(RegionId, Bytes)>, Error> {
    let regions: BTreeSet<RegionId> =
        source.list().await?.iter().filter_map(|key| layout::witness_region(key)).collect();
    let mut notes = Vec::new();
    for region in regions {
        if let Some(note) = source.get(&layout::witness(&region)).await? {
            notes.push((region, note));
        }
    }
    Ok(notes)
}

/// When the witness of this name has cosigned. Nothing if no key of it is given; an error if one is and did not.
fn time(note: &str, name: &str, keys: &[Verifier]) -> Result<Option<Timestamp>, String> {
    let mut known = keys.iter().filter(|key| key.name() == name).peekable();
    if known.peek().is_none() {
        return Ok(None);
    }
    for key in known {
        if let Some(at) = cosignature::time(note, key).map_err(|why| why.to_string())? {
            return Ok(Some(at));
        }
    }
    Err(format!("no cosignature by a given key of {name}"))
}

impl Walk<'_> {
    /// Takes what other regions have cosigned: each must be signed by the log's key, and by a given key of its witness.
    pub(super) fn take_cosigned(&mut self, notes: Vec<(RegionId, Bytes)>) {
        for (region, note) in notes {
            let (object, name) = (layout::witness(&region), region_name(&region));
            self.listing.name(&object);
            let note = String::from_utf8_lossy(&note);
            match self.identity.keys.checkpoint(&self.identity.origin, &note) {
                Err(why) => self.report.add(None, object, Wrong::Signature(why.to_string())),
                Ok((head, _)) => {
                    match time(&note, &name, &self.options.witnesses) {
                        Ok(at) => self.report.witnesses.push(Witnessed { name, size: head.size, at }),
                        Err(why) => self.report.add(None, object.as_str(), Wrong::Signature(why)),
                    }
                    let root = (head.size == 0).then(empty_root);
                    self.cosigned.push(Expected { object, head, root });
                }
            }
        }
    }

    /// Notes the root at the sizes that were cosigned.
    pub(super) fn note_cosigned_size(&mut self) {
        let (size, is_known) = (self.size(), self.is_tree_known);
        if is_known && self.cosigned.iter().any(|expected| expected.head.size == size) {
            let root = self.tail.edge().root();
            self.cosigned.iter_mut().filter(|expected| expected.head.size == size).for_each(|it| it.root = Some(root));
        }
    }

    /// Compares them, at the end. A head beyond the newest manifest may be of a generation that is being published.
    pub(super) fn check_cosigned(&mut self, published: Option<&[u8]>) {
        let published = published.and_then(|note| self.open_published(note).ok()).map_or(0, |(head, _)| head.size);
        for Expected { object, head, root } in std::mem::take(&mut self.cosigned) {
            let is_published = published >= head.size;
            match root {
                Some(root) if root != head.root => self.report.add(None, object, Wrong::Forked),
                None if head.size > self.size() && !is_published => {
                    self.report.add(self.next(), object, Wrong::Truncated);
                }
                _ => {}
            }
        }
    }
}
