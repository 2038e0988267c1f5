//! The tree as it lies in tiles: compared with the one over the events, and asked where those differ from it.

use archive::{
    Object, layout,
    tile::{self, Named, Tile, WIDTH, bundle},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use schemas::{Envelope, Hash, Position};

use super::{
    counted::Counted,
    examine::{Decoded, facts_of_entry},
    listing::tile_of,
    walk::Walk,
};
use crate::{
    report::{Finding, Wrong},
    source::Error,
};

/// Tree objects that are fetched at the same time.
const OBJECTS_AHEAD: usize = 8;

/// A level 0 tile and its bundle, as they lie in the archive.
struct Stored {
    leaves: Vec<Hash>,
    bundle: Option<Bytes>,
}

impl Walk<'_> {
    /// Takes the positions up to `last` from tiles and bundles, because no segment holds them as they were signed. Gives the
    /// first position at which `damaged`, a segment that still holds some of them, differs from the tree.
    pub(super) async fn substitute(&mut self, last: Position, damaged: &Decoded) -> Result<Option<Position>, Error> {
        let first = self.next();
        let mut held = damaged.events.iter();
        let mut differs_at = None;
        let tenant_id = self.identity.tenant_id.to_string();
        while self.next() <= last {
            let stored = if self.is_tree_known { self.stored(self.size() / WIDTH).await? } else { None };
            let offset = (self.size() % WIDTH) as usize;
            let Some(stored) = stored.filter(|stored| stored.leaves.len() > offset) else {
                let unknown = self.next();
                self.lose_track(last);
                return Ok(differs_at.or(Some(if held.len() == 0 { unknown } else { first })));
            };
            let mut entries = stored.bundle.iter().flat_map(|bundle| bundle::entries(bundle)).skip(offset);
            for leaf in &stored.leaves[offset..] {
                if self.next() > last {
                    break;
                }
                let stored_entry = entries.next().and_then(Result::ok);
                let entry = match held.next().filter(|event| event.leaf == *leaf) {
                    Some(event) => Some(damaged.entry(event)),
                    None => {
                        differs_at.get_or_insert(self.next());
                        self.entry_under(stored_entry, leaf)
                    }
                };
                let facts = entry.and_then(|entry| facts_of_entry(entry, &tenant_id));
                self.event(layout::TILES, entry, *leaf, facts.as_ref());
            }
        }
        Ok(differs_at)
    }

    /// The entry that a bundle has for the next position, if it is the one the tile has the leaf of.
    fn entry_under<'entry>(&mut self, entry: Option<&'entry [u8]>, leaf: &Hash) -> Option<&'entry [u8]> {
        let is_same = entry.is_none_or(|entry| Envelope::leaf_of_entry(entry) == *leaf);
        if !is_same {
            let tile = Tile { level: 0, index: self.size() / WIDTH, width: WIDTH as u16 };
            self.report.add(self.next(), layout::log(&tile.bundle_path()), Wrong::TreeDiffers);
        }
        entry.filter(|_| is_same)
    }

    /// The first position from `first` on at which the generation's events differ from the tiles.
    pub(super) async fn first_unlike_tiles(&mut self, first: Position) -> Result<Option<Position>, Error> {
        let start = first.get() as u64 - 1;
        let end = start + self.leaves.len() as u64;
        for index in start / WIDTH..=end / WIDTH {
            let Some(stored) = self.stored(index).await? else { continue };
            for (leaf, place) in stored.leaves.iter().zip(index * WIDTH..) {
                let ours = place.checked_sub(start).and_then(|offset| self.leaves.get(offset as usize));
                if ours.is_some_and(|ours| ours != leaf) {
                    return Ok(Some(Position::new(place as i64 + 1)));
                }
            }
        }
        Ok(None)
    }

    /// Compares the tiles and bundles that were completed since.
    pub(super) async fn compare_completed(&mut self) -> Result<(), Error> {
        let completed = std::mem::take(&mut self.completed);
        if self.is_tree_known { self.compare(completed).await } else { Ok(()) }
    }

    /// Compares tiles and bundles with every object that holds them or a beginning of them.
    pub(super) async fn compare(&mut self, computed: Vec<Object>) -> Result<(), Error> {
        let mut comparisons = Vec::new();
        for object in computed {
            let named = object.key.strip_prefix("log/").and_then(tile::parse).expect("we have named it ourselves");
            let variants = self.listing.variants(named);
            if variants.last().is_none_or(|(widest, _)| widest.width < tile_of(named).width) {
                self.report.add(first_position(named), object.key.as_str(), Wrong::Missing);
            }
            for (_, key) in &variants {
                self.listing.name(key);
            }
            let is_unknown = matches!(named, Named::Bundle(tile) if self.unknown_bundles.contains(&tile.index));
            if !is_unknown {
                comparisons.extend(variants.into_iter().map(|(tile, key)| (named, tile, key, object.bytes.clone())));
            }
        }
        let comparisons: Vec<_> = comparisons
            .into_iter()
            .map(|(named, stored, key, computed)| compare(self.source, named, stored, key, computed))
            .collect();
        let findings: Vec<_> = stream::iter(comparisons).buffered(OBJECTS_AHEAD).try_collect().await?;
        for finding in findings.into_iter().flatten() {
            self.report.add(finding.position, finding.object, finding.what);
        }
        Ok(())
    }

    async fn stored(&self, index: u64) -> Result<Option<Stored>, Error> {
        let tile = Tile { level: 0, index, width: 1 };
        let Some(key) = self.listing.widest(Named::Tile(tile)) else { return Ok(None) };
        let Some(leaves) = self.source.get(&key).await?.and_then(|bytes| tile::decode(&bytes)) else { return Ok(None) };
        let bundle = match self.listing.widest(Named::Bundle(tile)) {
            Some(key) => self.source.get(&key).await?,
            None => None,
        };
        Ok(Some(Stored { leaves, bundle }))
    }
}

async fn compare(
    source: &Counted<'_>,
    named: Named,
    stored_tile: Tile,
    key: String,
    computed: Vec<u8>,
) -> Result<Option<Finding>, Error> {
    let Some(stored) = source.get(&key).await? else {
        return Ok(Some(Finding { position: Some(first_position(named)), object: key, what: Wrong::Missing }));
    };
    // A narrower object is a beginning of what was computed; a wider one holds events beyond the newest manifest.
    let is_wider = stored_tile.width > tile_of(named).width;
    let wanted = if is_wider { &computed[..] } else { beginning(named, &computed, stored_tile.width) };
    let is_same = if is_wider { stored.starts_with(wanted) } else { stored == wanted };
    if is_same {
        return Ok(None);
    }
    let same = stored.iter().zip(wanted).take_while(|(stored, wanted)| stored == wanted).count();
    let position = position_at(named, &computed, same);
    Ok(Some(Finding { position: Some(position), object: key, what: Wrong::TreeDiffers }))
}

/// The bytes of the first `width` hashes or entries.
fn beginning(named: Named, bytes: &[u8], width: u16) -> &[u8] {
    let length = match named {
        Named::Tile(_) => usize::from(width) * 32,
        Named::Bundle(_) => {
            bundle::entries(bytes).take(usize::from(width)).flatten().map(|entry| entry.len() + 2).sum::<usize>()
        }
    };
    &bytes[..length.min(bytes.len())]
}

/// The first position under the hash or entry at a byte of a tile or bundle.
fn position_at(named: Named, bytes: &[u8], at: usize) -> Position {
    let (place, tile) = match named {
        Named::Tile(tile) => (at as u64 / 32, tile),
        Named::Bundle(tile) => {
            let mut end = 0;
            let before = bundle::entries(bytes).flatten().take_while(|entry| {
                end += entry.len() + 2;
                end <= at
            });
            (before.count() as u64, tile)
        }
    };
    let first = tile.first_leaf() + (place.min(WIDTH - 1) << (8 * u32::from(tile.level)));
    Position::new(first as i64 + 1)
}

fn first_position(named: Named) -> Position {
    Position::new(tile_of(named).first_leaf() as i64 + 1)
}
