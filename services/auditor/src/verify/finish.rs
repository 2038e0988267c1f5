//! The end of a verification: the right edge of the tree, the published checkpoint, and what nothing named.

use archive::{
    Checkpoint, checkpoint, guide, layout,
    tile::{self, Named, WIDTH},
};
use bytes::Bytes;
use schemas::Position;

use super::{attached::first_in_name, listing::tile_of, load, walk::Walk};
use crate::{
    report::{Finding, NotChecked, Report, Wrong},
    source::Error,
};

/// How often a manifest is asked for whose checkpoint was there already: a writer publishes one right after the other.
const LOOKS_MAX: u32 = 16;

/// The checkpoint as it was before the archive was listed, and as it is at the end.
pub(super) struct Published {
    pub(super) before: Option<Bytes>,
    pub(super) after: Option<Bytes>,
}

/// What became of an object that nothing named.
enum Unnamed {
    Wrong(Option<Position>),
    /// It belongs to a step of the archive that is not published yet, or never was.
    Unpublished,
    /// A file that no event claims.
    Unclaimed,
    /// It belongs to a part of the archive that could not be looked at.
    NotLookedAt,
    Known,
}

impl Walk<'_> {
    pub(super) async fn finish(mut self, published: Published) -> Result<Report, Error> {
        if self.is_tree_known {
            let partial = self.tail.partial();
            self.compare(partial).await?;
        } else {
            self.report.not_checked.push(NotChecked::Tree);
        }
        let known = self.known.iter().map(|known| known.tree.size).max().unwrap_or(0).max(self.options.at_least);
        if known > self.size() {
            self.report.add(self.next(), layout::MANIFESTS, Wrong::Truncated);
        }
        self.check_published(&published).await?;
        self.check_cosigned(published.after.as_deref());
        self.check_guide().await?;
        self.check_unnamed();
        self.report.size = self.size();
        self.report.root = self.is_tree_known.then(|| self.tail.edge().root());
        self.sharpen();
        self.report.findings.sort_by_key(|finding| finding.position);
        Ok(self.report)
    }

    /// A hash above level 0 stands for many events: where one of them is known to be wrong, that is the position.
    fn sharpen(&mut self) {
        let known: Vec<_> = self.report.findings.iter().filter(|finding| span(finding) == 1).cloned().collect();
        for finding in self.report.findings.iter_mut().filter(|finding| span(finding) > 1) {
            let Some(first) = finding.position else { continue };
            let end = Position::new(first.get().saturating_add(span(finding)));
            let below =
                known.iter().filter_map(|known| known.position).filter(|position| (first..end).contains(position));
            finding.position = below.min().or(finding.position);
        }
    }

    /// A generation that is published meanwhile makes the first checkpoint missing or behind, and the last one ahead. None of
    /// that is wrong, nor is a first one ahead whose manifest can be seen by now.
    async fn check_published(&mut self, published: &Published) -> Result<(), Error> {
        let before = published.before.as_deref().and_then(|note| self.wrong_with(Some(note)));
        let wrong = match before.filter(|(_, wrong)| *wrong != Wrong::CheckpointBehind) {
            Some((_, Wrong::CheckpointAhead)) if self.is_published_now(published.before.as_deref()).await? => None,
            wrong => wrong,
        };
        let after = || self.wrong_with(published.after.as_deref());
        let wrong = wrong.or_else(|| after().filter(|(_, wrong)| *wrong != Wrong::CheckpointAhead));
        if let Some((position, wrong)) = wrong {
            self.report.add(position, layout::CHECKPOINT, wrong);
        }
        Ok(())
    }

    /// Whether the generation after those that were walked is there by now and has the checkpoint's tree.
    async fn is_published_now(&self, published: Option<&[u8]>) -> Result<bool, Error> {
        let Some(Ok((published, _))) = published.map(|note| self.open_published(note)) else { return Ok(false) };
        let generation = self.newest().map_or(0, |newest| newest.generation).saturating_add(1);
        for _ in 0..LOOKS_MAX {
            if let Some(bytes) = self.source.get(&layout::manifest(generation)).await? {
                let next = load::open(&bytes, self.identity, generation);
                return Ok(next.is_ok_and(|(next, _)| (next.size, next.root) == (published.size, published.root)));
            }
        }
        Ok(false)
    }

    /// The steps by hand must be ones that were published: whoever follows others may be led to a wrong result.
    async fn check_guide(&mut self) -> Result<(), Error> {
        match self.source.get(layout::GUIDE).await? {
            None => self.report.add(None, layout::GUIDE, Wrong::Missing),
            Some(text) if !guide::is_ours(&text, self.identity.keys.verifiers(&self.identity.origin)) => {
                self.report.add(None, layout::GUIDE, Wrong::GuideDiffers);
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn wrong_with(&self, published: Option<&[u8]>) -> Option<(Option<Position>, Wrong)> {
        match published.map(|note| self.open_published(note)) {
            None => Some((None, Wrong::Missing)),
            Some(Err(why)) => Some((None, Wrong::Signature(why))),
            Some(Ok((published, key_number))) => self.compare_published(&published, key_number),
        }
    }

    pub(super) fn open_published(&self, note: &[u8]) -> Result<(Checkpoint, usize), String> {
        let note = std::str::from_utf8(note).map_err(|_| checkpoint::Error::Line("text").to_string())?;
        self.identity.keys.checkpoint(&self.identity.origin, note).map_err(|error| match error {
            checkpoint::Error::Note(why) => why.to_string(),
            checkpoint::Error::Line(_) | checkpoint::Error::AnotherLog { .. } => error.to_string(),
        })
    }

    fn compare_published(&self, published: &Checkpoint, key_number: usize) -> Option<(Option<Position>, Wrong)> {
        let origin = checkpoint::origin(&self.identity.region, self.identity.tenant_id);
        let newest = self.newest();
        let (size, root) = newest.map_or((0, None), |newest| (newest.size, Some(newest.root)));
        if published.origin != origin {
            Some((None, Wrong::Belongs("log")))
        } else if published.size > size {
            Some((Some(Position::new(size as i64 + 1)), Wrong::CheckpointAhead))
        } else if published.size < size {
            Some((None, Wrong::CheckpointBehind))
        } else if key_number < self.key_number {
            Some((None, Wrong::KeyRetired))
        } else {
            (Some(published.root) != root).then_some((None, Wrong::RootDiffers))
        }
    }

    fn check_unnamed(&mut self) {
        let unnamed: Vec<_> = self.listing.unnamed().map(|key| (key.to_owned(), self.judge(key))).collect();
        let (mut unpublished, mut unclaimed, mut not_looked_at) = (0_u64, 0_u64, 0_u64);
        for (key, judged) in unnamed {
            match judged {
                Unnamed::Wrong(position) => self.report.add(position, key, Wrong::Extra),
                Unnamed::Unpublished => unpublished += 1,
                Unnamed::Unclaimed => unclaimed += 1,
                Unnamed::NotLookedAt => not_looked_at += 1,
                Unnamed::Known => {}
            }
        }
        let met = [
            (not_looked_at, NotChecked::Unreachable(not_looked_at)),
            (unpublished, NotChecked::Unpublished(unpublished)),
            (unclaimed, NotChecked::Unclaimed(unclaimed)),
        ];
        self.report.not_checked.extend(met.into_iter().filter(|(count, _)| *count > 0).map(|(_, met)| met));
    }

    fn judge(&self, key: &str) -> Unnamed {
        if key == layout::CHECKPOINT || key == layout::GUIDE {
            return Unnamed::Known;
        }
        if key.starts_with(layout::ATTACHMENTS) {
            return if self.is_tree_known { Unnamed::Unclaimed } else { Unnamed::NotLookedAt };
        }
        // The first cosignature of another region may come after those that there were have been read.
        if layout::succession_number(key).is_some() || layout::witness_region(key).is_some() {
            return Unnamed::Known;
        }
        if key.starts_with(layout::SCHEMAS) {
            return Unnamed::Unpublished;
        }
        if let Some(first) = first_in_name(key) {
            return match first {
                first if first >= self.next() => Unnamed::Unpublished,
                // The manifest that names it may be the one that cannot be trusted.
                _ if self.has_untrusted_manifest() => Unnamed::NotLookedAt,
                first => Unnamed::Wrong(Some(first)),
            };
        }
        match key.strip_prefix("log/").and_then(tile::parse).map(tile_of) {
            Some(_) if !self.is_tree_known => Unnamed::NotLookedAt,
            Some(tile) if end_of(tile) > self.size() => Unnamed::Unpublished,
            _ => Unnamed::Wrong(None),
        }
    }

    fn has_untrusted_manifest(&self) -> bool {
        self.report.findings.iter().any(|finding| finding.object.starts_with(layout::MANIFESTS))
    }
}

/// How many events the position of a finding stands for.
fn span(finding: &Finding) -> i64 {
    match finding.object.strip_prefix("log/").and_then(tile::parse) {
        Some(Named::Tile(tile)) => (WIDTH as i64).saturating_pow(u32::from(tile.level)),
        _ => 1,
    }
}

/// How many leaves a tree has that holds the tile.
fn end_of(tile: tile::Tile) -> u64 {
    let span = WIDTH.checked_pow(u32::from(tile.level));
    let width = tile.index.checked_mul(WIDTH).and_then(|start| start.checked_add(u64::from(tile.width)));
    width.zip(span).and_then(|(width, span)| width.checked_mul(span)).unwrap_or(u64::MAX)
}
