//! Walk the generations in order: positions, streams, the chain of manifests, the roots.

use std::collections::{HashMap, HashSet};

use archive::{
    Checkpoint, Manifest, Object,
    checkpoint::origin,
    layout,
    manifest::Segment,
    tile::{Tail, WIDTH},
};
use schemas::{Hash, Position};

use super::{
    Options,
    counted::Counted,
    examine::{Decoded, Examined, Facts},
    identity::Identity,
    known::{KnownTree, known_trees},
    listing::Listing,
    load::Loaded,
    witnessed,
};
use crate::{
    report::{Report, Wrong},
    source::Error,
};

/// What the next manifest must say about the one before it.
enum Previous {
    Known(Option<Hash>),
    /// The one before cannot be trusted, so neither can a comparison with it.
    Unknown,
}

pub(super) struct Walk<'run> {
    pub(super) source: &'run Counted<'run>,
    pub(super) identity: &'run Identity,
    pub(super) options: &'run Options,
    pub(super) listing: Listing,
    pub(super) report: Report,
    /// Trees the archive is known to have had.
    pub(super) known: Vec<KnownTree>,
    /// The tree over the events so far.
    pub(super) tail: Tail,
    /// False once an event is unknown for good: then no later root can be computed.
    pub(super) is_tree_known: bool,
    /// Bundles of which an entry is unknown, though its leaf is known.
    pub(super) unknown_bundles: HashSet<u64>,
    /// Tiles and bundles that the events completed and nobody compared yet.
    pub(super) completed: Vec<Object>,
    /// Leaves of the generation that is being walked.
    pub(super) leaves: Vec<Hash>,
    /// Files that events of the generation brought along.
    pub(super) blobs: Vec<(Position, Hash)>,
    /// Schemas that were checked already.
    pub(super) schemas: HashMap<String, Hash>,
    /// What other regions have cosigned.
    pub(super) cosigned: Vec<witnessed::Expected>,
    size: i64,
    versions: HashMap<Box<str>, i64>,
    are_versions_known: bool,
    previous: Previous,
    /// The number of the newest key that has signed a manifest.
    pub(super) key_number: usize,
    previous_manifest: Option<Manifest>,
    is_gap_explained: bool,
}

impl<'run> Walk<'run> {
    pub(super) fn new(
        source: &'run Counted<'run>,
        identity: &'run Identity,
        options: &'run Options,
        listing: Listing,
        mut report: Report,
    ) -> Self {
        let known = known_trees(options, identity, &mut report);
        Self {
            source,
            identity,
            options,
            listing,
            report,
            known,
            tail: Tail::new(),
            is_tree_known: true,
            unknown_bundles: HashSet::new(),
            completed: Vec::new(),
            leaves: Vec::new(),
            blobs: Vec::new(),
            schemas: HashMap::new(),
            cosigned: Vec::new(),
            size: 0,
            versions: HashMap::new(),
            are_versions_known: true,
            previous: Previous::Known(None),
            key_number: 0,
            previous_manifest: None,
            is_gap_explained: false,
        }
    }

    /// Events walked.
    pub(super) fn size(&self) -> u64 {
        self.size as u64
    }

    /// The position after the last one walked.
    pub(super) fn next(&self) -> Position {
        Position::new(self.size + 1)
    }

    /// The newest manifest that could be trusted.
    pub(super) fn newest(&self) -> Option<&Manifest> {
        self.previous_manifest.as_ref()
    }

    pub(super) async fn generation(&mut self, loaded: Loaded, examined: Examined) -> Result<(), Error> {
        let key = layout::manifest(loaded.generation);
        self.listing.name(&key);
        self.report.generations += 1;
        let (manifest, key_number, sha256) = match loaded.manifest {
            Ok(opened) => opened,
            Err(wrong) => {
                self.report.add(self.next(), key, wrong);
                self.previous = Previous::Unknown;
                self.is_gap_explained = true;
                return Ok(());
            }
        };
        if matches!(self.previous, Previous::Known(previous) if previous != manifest.previous_sha256) {
            self.report.add(self.next(), key.as_str(), Wrong::ChainBroken);
        }
        if self.newest().is_some_and(|before| manifest.created_at < before.created_at) {
            self.report.add(self.next(), key.as_str(), Wrong::OlderThanPrevious);
        }
        self.check_key(&manifest, key_number, &key);
        self.leaves.clear();
        self.blobs.clear();
        let first = self.next();
        let is_whole = examined.segments.iter().all(|segment| segment.wrong.is_none());
        for (named, decoded) in manifest.segments.iter().zip(&examined.segments) {
            self.segment(named, decoded).await?;
        }
        self.check_tree(&manifest, &key, first).await?;
        self.compare_completed().await?;
        self.check_audit(&manifest, &loaded.audit, is_whole.then_some(&examined.audit));
        self.check_attachments(&manifest, &key).await?;
        self.check_schemas(&manifest).await?;
        self.previous = Previous::Known(Some(sha256));
        self.previous_manifest = Some(manifest);
        Ok(())
    }

    async fn segment(&mut self, named: &Segment, decoded: &Decoded) -> Result<(), Error> {
        self.listing.name(&named.object);
        if named.object != layout::segment(named.first, named.last) {
            self.report.add(named.first, named.object.as_str(), Wrong::Belongs("range"));
        }
        if named.first < self.next() {
            self.report.add(named.first, named.object.as_str(), Wrong::Overlap);
            return Ok(());
        }
        if named.first > self.next() {
            if !self.is_gap_explained {
                self.report.add(self.next(), named.object.as_str(), Wrong::Gap);
            }
            self.substitute(Position::new(named.first.get() - 1), &Decoded::default()).await?;
        }
        self.is_gap_explained = false;
        match &decoded.wrong {
            None => self.whole_segment(named, decoded),
            Some(wrong) => {
                // The tree says where the segment begins to differ, and what belongs there.
                let position = self.substitute(named.last, decoded).await?;
                self.report.add(position, named.object.as_str(), wrong.clone());
            }
        }
        Ok(())
    }

    fn whole_segment(&mut self, named: &Segment, decoded: &Decoded) {
        for event in &decoded.events {
            let entry = decoded.entry(event);
            if event.facts.is_none() {
                let what = Wrong::Unreadable("the envelope has not the shape of one".to_owned());
                self.report.add(self.next(), named.object.as_str(), what);
            }
            self.event(&named.object, Some(entry), event.leaf, event.facts.as_ref());
        }
    }

    /// Takes the next event: its entry, if that is known, its leaf, and what its envelope says.
    pub(super) fn event(&mut self, object: &str, entry: Option<&[u8]>, leaf: Hash, facts: Option<&Facts>) {
        let position = self.next();
        match (entry, facts) {
            (Some(entry), Some(facts)) => self.facts(position, object, entry, facts),
            // From here on no stream's version can be told to be the next.
            _ => self.are_versions_known = false,
        }
        if self.is_tree_known {
            if entry.is_none() {
                self.unknown_bundles.insert(self.size as u64 / WIDTH);
            }
            match self.tail.push(entry.unwrap_or_default(), leaf) {
                Ok(completed) => self.completed.extend(completed),
                Err(error) => {
                    self.report.add(position, object, Wrong::Unreadable(error.to_string()));
                    self.is_tree_known = false;
                }
            }
        }
        self.leaves.push(leaf);
        self.size += 1;
        self.check_expected();
        self.note_cosigned_size();
    }

    fn facts(&mut self, position: Position, object: &str, entry: &[u8], facts: &Facts) {
        if !facts.is_tenants {
            self.report.add(position, object, Wrong::AnotherTenant);
        }
        if let Some(blob) = facts.blob {
            self.blobs.push((position, blob));
        }
        let Ok(stream) = std::str::from_utf8(&entry[facts.stream.clone()]) else { return };
        let version = match self.versions.get_mut(stream) {
            Some(version) => version,
            None => self.versions.entry(stream.into()).or_insert(0),
        };
        if version.checked_add(1) != Some(facts.version) && self.are_versions_known {
            self.report.add(position, object, Wrong::StreamVersion);
        }
        *version = facts.version;
    }

    /// Gives up on the tree: positions up to `last` are unknown.
    pub(super) fn lose_track(&mut self, last: Position) {
        self.is_tree_known = false;
        self.are_versions_known = false;
        self.completed.clear();
        self.size = last.get();
    }

    /// A key signs no more once its successor has, and signs manifest and checkpoint alike.
    fn check_key(&mut self, manifest: &Manifest, key_number: usize, key: &str) {
        let signed = self.identity.keys.checkpoint(&self.identity.origin, &manifest.checkpoint);
        let is_retired = key_number < self.key_number || signed.is_ok_and(|(_, number)| number != key_number);
        if is_retired {
            self.report.add(self.next(), key, Wrong::KeyRetired);
        }
        self.key_number = self.key_number.max(key_number);
    }

    async fn check_tree(&mut self, manifest: &Manifest, key: &str, first: Position) -> Result<(), Error> {
        let signed = self.identity.keys.checkpoint(&self.identity.origin, &manifest.checkpoint);
        let wanted = Checkpoint {
            origin: origin(&manifest.region, manifest.tenant_id),
            size: manifest.size,
            root: manifest.root,
        };
        match signed {
            Err(error) => self.report.add(first, key, Wrong::Signature(error.to_string())),
            Ok((signed, _)) if signed != wanted => self.report.add(first, key, Wrong::Belongs("tree")),
            Ok(_) => {}
        }
        if manifest.size > self.size() {
            self.report.add(self.next(), key, Wrong::Gap);
            let last = i64::try_from(manifest.size).unwrap_or(i64::MAX);
            self.substitute(Position::new(last), &Decoded::default()).await?;
        }
        let is_same = manifest.size == self.size() && manifest.root == self.tail.edge().root();
        if self.is_tree_known && !is_same {
            let position = self.first_unlike_tiles(first).await?.unwrap_or(first);
            self.report.add(position, key, Wrong::RootDiffers);
            self.is_tree_known = false;
        }
        Ok(())
    }

    fn check_expected(&mut self) {
        let size = self.size as u64;
        for known in self.known.iter().filter(|known| known.tree.size == size) {
            if self.is_tree_known && self.tail.edge().root() != known.tree.root {
                self.report.add(None, known.told_by.as_str(), Wrong::RootDiffers);
            }
        }
    }
}
