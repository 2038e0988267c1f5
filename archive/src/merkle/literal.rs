//! The definitions of RFC 6962, section 2.1, word by word and slow: what the fast ones are held against.

use schemas::Hash;

use super::{empty_root, node};

/// Leaves that all differ.
pub(crate) fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|leaf| Hash::of(&[&leaf.to_be_bytes()])).collect()
}

/// `MTH(D[n])`.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        leaves => {
            let (left, right) = halves(leaves);
            node(&root(left), &root(right))
        }
    }
}

/// `PATH(m, D[n])`.
pub(crate) fn inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = halves(leaves);
    let (mut path, other) = match index.checked_sub(left.len()) {
        None => (inclusion(index, left), right),
        Some(index) => (inclusion(index, right), left),
    };
    path.push(root(other));
    path
}

/// `PROOF(m, D[n])`.
pub(crate) fn consistency(old: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(old, leaves, true)
}

/// `SUBPROOF(m, D[n], b)`.
fn subproof(old: usize, leaves: &[Hash], is_known: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if is_known { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = halves(leaves);
    let (mut proof, other) = if old <= left.len() {
        (subproof(old, left, is_known), right)
    } else {
        (subproof(old - left.len(), right, false), left)
    };
    proof.push(root(other));
    proof
}

/// Split at the largest power of two below the number of leaves.
fn halves(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    let mut at = 1;
    while at * 2 < leaves.len() {
        at *= 2;
    }
    leaves.split_at(at)
}
