//! What hangs on the events: audit lines, files, schemas.

use archive::{Manifest, audit, layout, segment};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use schemas::{Hash, Position};

use super::walk::Walk;
use crate::{report::Wrong, source::Error};

/// Files that are fetched at the same time.
const FILES_AHEAD: usize = 4;

impl Walk<'_> {
    /// The audit objects must be the ones that were signed and, where the events are known, hold exactly their lines.
    pub(super) fn check_audit(
        &mut self,
        manifest: &Manifest,
        found: &[Option<Bytes>],
        made: Option<&Vec<audit::Part>>,
    ) {
        for (named, object) in manifest.audit.iter().zip(found) {
            self.listing.name(&named.object);
            let wrong = match object {
                None => Wrong::Missing,
                Some(object) if Hash::of(&[object]) != named.sha256 => Wrong::HashDiffers,
                Some(_) => continue,
            };
            self.report.add(named.first, named.object.as_str(), wrong);
        }
        let Some(made) = made else { return };
        for (number, part) in made.iter().enumerate() {
            let named = manifest.audit.get(number);
            if named.is_none_or(|named| named.object != part.key() || named.lines != part.lines) {
                self.report.add(part.first, part.key(), Wrong::AuditDiffers);
                return;
            }
            let Some(object) = &found[number] else { continue };
            let (text, complete) = segment::decompress(object);
            if complete.is_err() || text != part.text {
                self.report.add(part.first, part.key(), Wrong::AuditDiffers);
            }
        }
    }

    /// The manifest must name the files of the events, in their order, and each must be the bytes its name is the hash of.
    pub(super) async fn check_attachments(&mut self, manifest: &Manifest, key: &str) -> Result<(), Error> {
        let named: Vec<_> = manifest.attachments.iter().map(|attachment| attachment.blob).collect();
        let mut of_events: Vec<_> = self.blobs.clone();
        of_events.dedup_by_key(|(_, blob)| *blob);
        let is_same = named.iter().eq(of_events.iter().map(|(_, blob)| blob));
        if !is_same && self.is_tree_known && self.leaves.len() as u64 == generation_length(manifest) {
            self.report.add(of_events.first().map(|(position, _)| *position), key, Wrong::AttachmentsDiffer);
        }
        let checks: Vec<_> = manifest
            .attachments
            .iter()
            .map(|attachment| check_file(self, attachment.blob, attachment.size_bytes))
            .collect();
        let checked: Vec<_> = stream::iter(checks).buffered(FILES_AHEAD).try_collect().await?;
        for (blob, wrong) in named.iter().zip(checked) {
            self.listing.name(&layout::attachment(*blob));
            self.report.attachments += 1;
            if let Some(wrong) = wrong {
                let position = of_events.iter().find(|(_, of_event)| of_event == blob).map(|(position, _)| *position);
                self.report.add(position, layout::attachment(*blob), wrong);
            }
        }
        Ok(())
    }

    /// Each schema is checked once; manifests name it again and again.
    pub(super) async fn check_schemas(&mut self, manifest: &Manifest) -> Result<(), Error> {
        for schema in &manifest.schemas {
            let key = layout::schema(&schema.name);
            self.listing.name(&key);
            if !self.schemas.contains_key(&schema.name) {
                let Some(bytes) = self.source.get(&key).await? else {
                    self.report.add(None, key.as_str(), Wrong::Missing);
                    self.schemas.insert(schema.name.clone(), schema.sha256);
                    continue;
                };
                self.schemas.insert(schema.name.clone(), Hash::of(&[&bytes]));
            }
            if self.schemas[&schema.name] != schema.sha256 {
                self.report.add(None, key.as_str(), Wrong::HashDiffers);
                self.schemas.insert(schema.name.clone(), schema.sha256);
            }
        }
        Ok(())
    }
}

fn generation_length(manifest: &Manifest) -> u64 {
    manifest.segments.iter().map(|segment| segment.count).sum()
}

async fn check_file(walk: &Walk<'_>, blob: Hash, size_bytes: u64) -> Result<Option<Wrong>, Error> {
    let key = layout::attachment(blob);
    if !walk.options.reads_attachments {
        return Ok((!walk.listing.has(&key)).then_some(Wrong::Missing));
    }
    Ok(match walk.source.get(&key).await? {
        None => Some(Wrong::Missing),
        Some(bytes) if bytes.len() as u64 != size_bytes || Hash::of(&[&bytes]) != blob => Some(Wrong::HashDiffers),
        Some(_) => None,
    })
}

/// The first position in the name of an object below `events/` or `audit/`.
pub(super) fn first_in_name(key: &str) -> Option<Position> {
    layout::segment_range(key).or_else(|| layout::audit_range(key)).map(|(first, _)| first)
}
