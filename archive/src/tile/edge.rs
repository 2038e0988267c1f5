//! The right edge of a growing tree: the partial tiles that the next leaves complete, and the entries of the last bundle.

use schemas::{Envelope, Hash};

use super::{Tile, WIDTH, bundle, encode, right_edge};
use crate::{
    Object, layout,
    merkle::{Frontier, root_of},
};

/// The partial tiles of a tree, by level. All that a tree needs to grow and to write its next tiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// An edge as tiles give it back: the hashes of each tile that [`right_edge`] names for `size`, in that order.
    pub fn from_tiles(size: u64, tiles: Vec<Vec<Hash>>) -> Result<Self, EdgeError> {
        let named = right_edge(size);
        let mut levels = vec![Vec::new(); named.last().map_or(0, |tile| usize::from(tile.level) + 1)];
        if tiles.len() != named.len() {
            return Err(EdgeError::Tiles { expected: named.len(), actual: tiles.len() });
        }
        for (tile, hashes) in named.iter().zip(tiles) {
            if hashes.len() != usize::from(tile.width) {
                return Err(EdgeError::Width { path: tile.path(), actual: hashes.len() });
            }
            levels[usize::from(tile.level)] = hashes;
        }
        Ok(Self { size, levels })
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The leaves in the last, partial tile of level 0.
    pub fn last_leaves(&self) -> &[Hash] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// The roots of the perfect subtrees: what a tree head stores.
    pub fn frontier(&self) -> Frontier {
        let peaks = self.levels.iter().rev().flat_map(|hashes| {
            let mut within = Frontier::new();
            hashes.iter().for_each(|hash| within.push(*hash));
            within.peaks().to_vec()
        });
        Frontier::from_peaks(self.size, peaks.collect()).expect("level l holds digit l of the size in base 256")
    }

    /// The root hash.
    pub fn root(&self) -> Hash {
        self.frontier().root()
    }

    /// Adds a leaf and gives every tile it completes, lowest level first.
    pub fn push(&mut self, leaf: Hash) -> Vec<(Tile, Vec<Hash>)> {
        let mut completed = Vec::new();
        let mut hash = leaf;
        self.size += 1;
        for level in 0_u8.. {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::with_capacity(WIDTH as usize));
            }
            let hashes = &mut self.levels[usize::from(level)];
            hashes.push(hash);
            if hashes.len() < WIDTH as usize {
                break;
            }
            let hashes = std::mem::take(hashes);
            hash = root_of(&hashes);
            let index = (self.size >> (8 * (u32::from(level) + 1))) - 1;
            completed.push((Tile { level, index, width: WIDTH as u16 }, hashes));
        }
        completed
    }

    /// The partial tiles of the tree as it is now.
    pub fn partial(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        right_edge(self.size).into_iter().map(|tile| (tile, self.levels[usize::from(tile.level)].as_slice()))
    }
}

/// The edge of a tree together with the entries of its last bundle: grows entry by entry and says which objects that makes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    edge: Edge,
    bundle: Vec<u8>,
}

impl Tail {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tail as objects give it back; the bundle's entries must hash to the leaves of the edge.
    pub fn from_parts(edge: Edge, bundle: Vec<u8>) -> Result<Self, EdgeError> {
        let leaves = bundle::entries(&bundle).map(|entry| entry.map(Envelope::leaf_of_entry));
        let leaves = leaves.collect::<Result<Vec<_>, _>>().map_err(EdgeError::Bundle)?;
        if leaves != edge.last_leaves() {
            return Err(EdgeError::BundleDiffers);
        }
        Ok(Self { edge, bundle })
    }

    /// The edge.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Adds an entry whose leaf is known and gives the objects it completes.
    pub fn push(&mut self, entry: &[u8], leaf: Hash) -> Result<Vec<Object>, bundle::EntryTooLong> {
        bundle::push(&mut self.bundle, entry)?;
        let completed = self.edge.push(leaf);
        let mut objects = Vec::new();
        for (tile, hashes) in completed {
            objects.push(Object { key: layout::log(&tile.path()), bytes: encode(&hashes) });
            if tile.level == 0 {
                let bytes = std::mem::take(&mut self.bundle);
                objects.push(Object { key: layout::log(&tile.bundle_path()), bytes });
            }
        }
        Ok(objects)
    }

    /// The partial objects of the tree as it is now.
    pub fn partial(&self) -> Vec<Object> {
        let mut objects = Vec::new();
        for (tile, hashes) in self.edge.partial() {
            objects.push(Object { key: layout::log(&tile.path()), bytes: encode(hashes) });
            if tile.level == 0 {
                objects.push(Object { key: layout::log(&tile.bundle_path()), bytes: self.bundle.clone() });
            }
        }
        objects
    }
}

/// Objects that are no right edge of a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// The number of tiles does not fit the size.
    #[error("the right edge has {expected} tiles, not {actual}")]
    Tiles {
        /// As the size wants.
        expected: usize,
        /// As given.
        actual: usize,
    },
    /// A tile has not the width in its name.
    #[error("{path} holds {actual} hashes")]
    Width {
        /// Which tile.
        path: String,
        /// How many hashes it holds.
        actual: usize,
    },
    /// The last bundle cannot be read.
    #[error("the last bundle cannot be read")]
    Bundle(#[source] bundle::Cut),
    /// The last bundle holds other entries than the last tile has leaves of.
    #[error("the last bundle and the last tile do not belong together")]
    BundleDiffers,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::tile::{Named, decode, parse};

    fn leaf(index: u32) -> Hash {
        Hash::of(&[&index.to_be_bytes()])
    }

    /// Every tile a tree leaves behind, with its size's right edge.
    fn tiles(size: u32) -> BTreeMap<Tile, Vec<Hash>> {
        let mut edge = Edge::new();
        let mut tiles: BTreeMap<_, _> = (0..size).flat_map(|index| edge.push(leaf(index))).collect();
        tiles.extend(edge.partial().map(|(tile, hashes)| (tile, hashes.to_vec())));
        tiles
    }

    #[test]
    fn tiles_hold_what_the_specification_says() {
        let leaves: Vec<_> = (0..70_000).map(leaf).collect();
        let tiles = tiles(70_000);
        let count = |level, full| tiles.keys().filter(|tile| tile.level == level && tile.is_full() == full).count();
        assert_eq!(
            (count(0, true), count(0, false), count(1, true), count(1, false), count(2, false)),
            (273, 1, 1, 1, 1)
        );
        for (tile, hashes) in &tiles {
            for (number, hash) in hashes.iter().enumerate() {
                let span = 1 << (8 * u32::from(tile.level));
                let start = tile.first_leaf() as usize + number * span;
                assert_eq!(*hash, root_of(&leaves[start..start + span]), "{} at {number}", tile.path());
            }
        }
    }

    #[test]
    fn an_edge_read_back_from_tiles_grows_like_the_one_that_was_kept() {
        for size in [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_800] {
            let stored = tiles(size);
            let parts = right_edge(size.into()).iter().map(|tile| stored[tile].clone()).collect();
            let mut edge = Edge::from_tiles(size.into(), parts).expect("an edge");
            for index in size..size + 300 {
                edge.push(leaf(index));
            }
            let leaves: Vec<_> = (0..size + 300).map(leaf).collect();
            assert_eq!(edge.root(), root_of(&leaves), "from {size}");
        }
    }

    #[test]
    fn a_tail_gives_tiles_with_their_bundles() {
        let mut tail = Tail::new();
        let mut objects = Vec::new();
        for index in 0_u32..300 {
            let entry = index.to_be_bytes();
            objects.extend(tail.push(&entry, Envelope::leaf_of_entry(&entry)).expect("short"));
        }
        objects.extend(tail.partial());
        let keys: Vec<_> = objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "log/tile/0/000",
                "log/tile/entries/000",
                "log/tile/0/001.p/44",
                "log/tile/entries/001.p/44",
                "log/tile/1/000.p/1"
            ]
        );
        assert!(keys.iter().all(|key| matches!(parse(&key[4..]), Some(Named::Tile(_) | Named::Bundle(_)))));

        let edge = Edge::from_tiles(
            300,
            vec![decode(&objects[2].bytes).expect("hashes"), decode(&objects[4].bytes).expect("hashes")],
        );
        let read = Tail::from_parts(edge.clone().expect("an edge"), objects[3].bytes.clone());
        assert_eq!(read.as_ref(), Ok(&tail));
        assert_eq!(Tail::from_parts(edge.expect("an edge"), Vec::new()), Err(EdgeError::BundleDiffers));
    }
}
