//! Roots of subtrees from tiles: what proofs are made of where the leaves are not at hand.
//!
//! [`crate::merkle::proof`] names the subtrees; [`tiles`] says which objects hold them, [`hashes`] takes the roots from those.
//! A proof in a tree of `n` events reads at most two tiles a level.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use schemas::Hash;

use super::{Tile, WIDTH};
use crate::merkle::{node, root_of};

/// The tiles of a tree of `size` that hold the roots of these subtrees.
pub fn tiles(subtrees: &[Range<u64>], size: u64) -> BTreeSet<Tile> {
    subtrees.iter().flat_map(|subtree| peaks(subtree, size)).map(|peak| peak.tile).collect()
}

/// The roots of these subtrees of a tree of `size`; `None` if a tile of [`tiles`] is missing or too narrow.
pub fn hashes(subtrees: &[Range<u64>], size: u64, held: &BTreeMap<Tile, Vec<Hash>>) -> Option<Vec<Hash>> {
    subtrees.iter().map(|subtree| root(subtree, size, held)).collect()
}

fn root(subtree: &Range<u64>, size: u64, held: &BTreeMap<Tile, Vec<Hash>>) -> Option<Hash> {
    let roots = peaks(subtree, size).map(|peak| Some(root_of(held.get(&peak.tile)?.get(peak.hashes)?)));
    let roots = roots.collect::<Option<Vec<_>>>()?;
    Some(roots.into_iter().rev().reduce(|right, left| node(&left, &right)).unwrap_or_else(|| root_of(&[])))
}

/// A perfect subtree: hashes that stand side by side in one tile.
struct Peak {
    tile: Tile,
    hashes: Range<usize>,
}

/// The perfect subtrees of a subtree, largest first. A subtree of a tree begins at a multiple of a power of two that it is no
/// larger than, so each of them lies within one tile.
fn peaks(subtree: &Range<u64>, size: u64) -> impl Iterator<Item = Peak> {
    let mut rest = subtree.clone();
    std::iter::from_fn(move || {
        let height = (rest.end - rest.start).checked_ilog2()?;
        let level = height / 8;
        let first = rest.start >> (8 * level);
        let (index, offset) = (first / WIDTH, (first % WIDTH) as usize);
        rest.start += 1 << height;
        Some(Peak { tile: Tile::at(level as u8, index, size), hashes: offset..offset + (1 << (height % 8)) })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        merkle::{
            literal,
            proof::{consistency_path, inclusion_path},
        },
        tile::Edge,
    };

    /// Every tile that a tree of these leaves leaves behind.
    fn tiles_over(leaves: &[Hash]) -> BTreeMap<Tile, Vec<Hash>> {
        let mut edge = Edge::new();
        let mut tiles: BTreeMap<_, _> = leaves.iter().flat_map(|leaf| edge.push(*leaf)).collect();
        tiles.extend(edge.partial().map(|(tile, hashes)| (tile, hashes.to_vec())));
        tiles
    }

    /// The roots, from those tiles alone that are named as needed.
    fn taken(subtrees: &[Range<u64>], leaves: &[Hash]) -> Vec<Hash> {
        let (size, all) = (leaves.len() as u64, tiles_over(leaves));
        let needed = tiles(subtrees, size).into_iter().map(|tile| (tile, all[&tile].clone())).collect();
        hashes(subtrees, size, &needed).expect("the tiles that are needed are enough")
    }

    #[test]
    fn proofs_over_three_levels_of_tiles_are_those_over_the_leaves() {
        let leaves = literal::leaves(66_000);
        for index in [0, 255, 256, 65_535, 65_536, 65_999] {
            let path = inclusion_path(index, 66_000);
            assert_eq!(taken(&path, &leaves), literal::inclusion(index as usize, &leaves), "{index}");
            assert!(tiles(&path, 66_000).len() <= 6, "{index}: two tiles a level");
        }
        for old in [1, 256, 300, 65_536, 65_537, 65_999] {
            let path = consistency_path(old, 66_000);
            assert_eq!(taken(&path, &leaves), literal::consistency(old as usize, &leaves), "{old}");
        }
        assert_eq!(taken(std::slice::from_ref(&(0..66_000)), &leaves), [literal::root(&leaves)]);
    }

    #[test]
    fn a_tile_that_is_missing_or_too_narrow_gives_no_hash() {
        let leaves = literal::leaves(300);
        let path = inclusion_path(7, 300);
        let mut held = tiles_over(&leaves);
        let edge = Tile { level: 0, index: 1, width: 44 };
        held.get_mut(&edge).expect("the right edge").pop();
        assert_eq!(hashes(&path, 300, &held), None);
        held.remove(&edge);
        assert_eq!(hashes(&path, 300, &held), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_proof_from_tiles_is_the_one_over_the_leaves(size in 1_usize..1_500, place in any::<prop::sample::Index>()) {
            let leaves = literal::leaves(size);
            let index = place.index(size);
            prop_assert_eq!(
                taken(&inclusion_path(index as u64, size as u64), &leaves), literal::inclusion(index, &leaves)
            );
            let old = index + 1;
            prop_assert_eq!(
                taken(&consistency_path(old as u64, size as u64), &leaves), literal::consistency(old, &leaves)
            );
        }
    }
}
