//! Proofs: that a leaf is in a tree (RFC 6962, section 2.1.1) and that one tree is the beginning of another (2.1.2).
//!
//! A proof is first a list of subtrees, as ranges of leaves; whoever asks hashes those from what they hold, leaves or tiles.
//! The checks follow RFC 9162, sections 2.1.3.2 and 2.1.4.2, which the makers do not share code with.

use std::ops::Range;

use schemas::Hash;

use super::{node, root_of};

/// The subtrees whose roots prove that the leaf at `index` is in the tree of `size`, lowest first.
///
/// # Panics
/// If `index` is not below `size`.
pub fn inclusion_path(index: u64, size: u64) -> Vec<Range<u64>> {
    assert!(index < size, "a leaf is proven in a tree that holds it");
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(middle..end);
            end = middle;
        } else {
            path.push(start..middle);
            start = middle;
        }
    }
    path.reverse();
    path
}

/// The subtrees whose roots prove that the tree of `old` leaves is the beginning of the one of `new`, lowest first.
///
/// # Panics
/// If `old` is larger than `new`.
pub fn consistency_path(old: u64, new: u64) -> Vec<Range<u64>> {
    assert!(old <= new, "a tree only grows");
    if old == 0 || old == new {
        return Vec::new();
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, new);
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(middle..end);
            end = middle;
        } else {
            path.push(start..middle);
            start = middle;
        }
    }
    // The old tree itself is known to whoever checks; a part of it is not.
    if start > 0 {
        path.push(start..end);
    }
    path.reverse();
    path
}

/// The hashes of an inclusion proof, from all leaves.
pub fn inclusion(leaves: &[Hash], index: u64) -> Vec<Hash> {
    hashes(leaves, &inclusion_path(index, leaves.len() as u64))
}

/// The hashes of a consistency proof, from all leaves of the newer tree.
pub fn consistency(leaves: &[Hash], old: u64) -> Vec<Hash> {
    hashes(leaves, &consistency_path(old, leaves.len() as u64))
}

/// Whether `proof` shows that `leaf` is at `index` in the tree of `size` with `root`.
pub fn inclusion_holds(leaf: &Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut index, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            hash = node(sibling, &hash);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// A tree as a signer states it: how many leaves, and the root over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// How many leaves.
    pub size: u64,
    /// The root.
    pub root: Hash,
}

/// Whether `proof` shows that `old` is the beginning of `new`.
pub fn consistency_holds(old: &Tree, new: &Tree, proof: &[Hash]) -> bool {
    if old.size > new.size {
        return false;
    }
    if old.size == new.size {
        return proof.is_empty() && old.root == new.root;
    }
    if old.size == 0 {
        return proof.is_empty() && old.root == super::empty_root();
    }
    let mut hashes = proof.iter();
    let (mut index, mut last) = (old.size - 1, new.size - 1);
    while index & 1 == 1 {
        index >>= 1;
        last >>= 1;
    }
    let start = if old.size.is_power_of_two() { Some(&old.root) } else { hashes.next() };
    let Some(start) = start else { return false };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in hashes {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            old_hash = node(sibling, &old_hash);
            new_hash = node(sibling, &new_hash);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node(&new_hash, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old.root && new_hash == new.root
}

/// The largest power of two below `size`: where a tree splits.
fn split(size: u64) -> u64 {
    size.next_power_of_two() / 2
}

fn hashes(leaves: &[Hash], path: &[Range<u64>]) -> Vec<Hash> {
    let index = |place: u64| usize::try_from(place).expect("the leaves are in memory");
    path.iter().map(|part| root_of(&leaves[index(part.start)..index(part.end)])).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::merkle::{literal, tests::known_leaves};

    fn many_leaves(count: u32) -> Vec<Hash> {
        (0..count).map(|leaf| Hash::of(&[&leaf.to_be_bytes()])).collect()
    }

    fn tree(leaves: &[Hash]) -> Tree {
        Tree { size: leaves.len() as u64, root: root_of(leaves) }
    }

    #[test]
    fn a_known_inclusion_proof_comes_out() {
        let proof: Vec<_> = inclusion(&known_leaves(), 5).iter().map(ToString::to_string).collect();
        assert_eq!(
            proof,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
    }

    #[test]
    fn every_leaf_of_every_tree_is_proven_and_nothing_else_is() {
        let leaves = many_leaves(70);
        for size in 1..=leaves.len() {
            let (part, root) = (&leaves[..size], root_of(&leaves[..size]));
            for (index, leaf) in part.iter().enumerate() {
                let (index, size) = (index as u64, size as u64);
                let mut proof = inclusion(part, index);
                assert!(inclusion_holds(leaf, index, size, &root, &proof), "{index} of {size}");
                assert!(!inclusion_holds(&root, index, size, &root, &proof) || size == 1);
                assert!(!inclusion_holds(leaf, index + 1, size, &root, &proof));
                proof.push(root);
                assert!(!inclusion_holds(leaf, index, size, &root, &proof), "a longer proof is none");
                proof.truncate(proof.len().saturating_sub(2));
                assert!(size == 1 || !inclusion_holds(leaf, index, size, &root, &proof), "a shorter proof is none");
            }
        }
    }

    #[test]
    fn every_beginning_of_every_tree_is_proven_and_nothing_else_is() {
        let leaves = many_leaves(70);
        for new in 0..=leaves.len() {
            for old in 0..=new {
                let (old_tree, new_tree) = (tree(&leaves[..old]), tree(&leaves[..new]));
                let mut proof = consistency(&leaves[..new], old as u64);
                assert!(consistency_holds(&old_tree, &new_tree, &proof), "{old} in {new}");
                if old > 0 && old < new {
                    let other = Tree { root: leaves[0], size: old_tree.size };
                    assert!(old == 1 || !consistency_holds(&other, &new_tree, &proof));
                    proof.pop();
                    assert!(!consistency_holds(&old_tree, &new_tree, &proof));
                }
            }
        }
    }

    /// A proof with a hash changed, left out, doubled, or put in another's place.
    fn damaged(proof: &[Hash]) -> Vec<Vec<Hash>> {
        let mut damaged = Vec::new();
        for place in 0..proof.len() {
            let mut changed = proof.to_vec();
            changed[place] = node(&changed[place], &changed[place]);
            let mut shorter = proof.to_vec();
            shorter.remove(place);
            let mut doubled = proof.to_vec();
            doubled.insert(place, proof[place]);
            let mut moved = proof.to_vec();
            moved.rotate_left(place);
            damaged.extend([changed, shorter, doubled]);
            damaged.extend((moved != proof).then_some(moved));
        }
        damaged
    }

    /// On which side each hash of an inclusion proof stands. The root does not say how many leaves there are: of two sizes in
    /// which a leaf has the same way up, the same proof holds for both, and only the signature over the size tells them apart.
    fn sides(index: u64, size: u64) -> Vec<bool> {
        inclusion_path(index, size).iter().map(|part| part.start > index).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_inclusion_proof_holds_for_its_leaf_and_place_and_no_other(
            size in 1_usize..600, place in any::<prop::sample::Index>(), other in 0_u64..700,
        ) {
            let (leaves, index) = (literal::leaves(size), place.index(size));
            let (root, proof) = (literal::root(&leaves), literal::inclusion(index, &leaves));
            let (leaf, index, size) = (&leaves[index], index as u64, size as u64);
            prop_assert_eq!(inclusion(&leaves, index), proof.clone());
            prop_assert!(inclusion_holds(leaf, index, size, &root, &proof));
            prop_assert!(!inclusion_holds(&node(leaf, leaf), index, size, &root, &proof));
            prop_assert!(!inclusion_holds(leaf, index, size, &node(&root, &root), &proof));
            prop_assert_eq!(inclusion_holds(leaf, other, size, &root, &proof), other == index);
            let goes_alike = index < other && sides(index, other) == sides(index, size);
            prop_assert_eq!(inclusion_holds(leaf, index, other, &root, &proof), goes_alike);
            for damaged in damaged(&proof) {
                prop_assert!(!inclusion_holds(leaf, index, size, &root, &damaged));
            }
        }

        #[test]
        fn a_consistency_proof_holds_for_its_trees_and_no_others(
            new in 2_usize..600, place in any::<prop::sample::Index>(), other in 1_u64..700,
        ) {
            let leaves = literal::leaves(new);
            let old = 1 + place.index(new - 1);
            let proof = literal::consistency(old, &leaves);
            prop_assert_eq!(consistency(&leaves, old as u64), proof.clone());
            let (old, new) = (tree(&leaves[..old]), tree(&leaves));
            prop_assert!(consistency_holds(&old, &new, &proof));
            let forked = Tree { root: node(&old.root, &old.root), ..old };
            prop_assert!(!consistency_holds(&forked, &new, &proof));
            let forked = Tree { root: node(&new.root, &new.root), ..new };
            prop_assert!(!consistency_holds(&old, &forked, &proof));
            prop_assert_eq!(consistency_holds(&Tree { size: other, ..old }, &new, &proof), other == old.size);
            for damaged in damaged(&proof) {
                prop_assert!(!consistency_holds(&old, &new, &damaged));
            }
        }
    }
}
