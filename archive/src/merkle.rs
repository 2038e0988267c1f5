//! The Merkle tree of RFC 6962, section 2.1, over leaves that are hashed already. The leaf at index `i` is the event at
//! position `i + 1`, so a tree of size `n` holds the positions 1 to `n`.

use schemas::Hash;

#[cfg(test)]
pub(crate) mod literal;
pub mod proof;

/// The hash of an inner node: `SHA-256(0x01 || left || right)`.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: the hash of nothing.
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

/// The root of a tree whose leaves are all at hand.
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}

/// What a growing tree needs to remember: the roots of its perfect subtrees, largest first, one per bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frontier as a store gives it back; `None` if the number of peaks does not fit the size.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut peak = leaf;
        // Every trailing one bit of the size is a perfect subtree that the new one completes to the next larger.
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("one peak per bit of the size");
            peak = node(&left, &peak);
        }
        self.peaks.push(peak);
        self.size += 1;
    }

    /// The root hash.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return empty_root() };
        peaks.fold(*smallest, |right, left| node(left, &right))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use schemas::Envelope;

    use super::*;

    /// The eight leaves that the Certificate Transparency implementations test with.
    pub(crate) fn known_leaves() -> Vec<Hash> {
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
            .iter()
            .map(|data| Envelope::leaf_of_entry(&hex::decode(data).expect("hex")))
            .collect()
    }

    const KNOWN_ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_are_those_of_the_known_trees() {
        let leaves = known_leaves();
        for (size, root) in KNOWN_ROOTS.iter().enumerate() {
            assert_eq!(root_of(&leaves[..size]).to_string(), *root, "size {size}");
        }
    }

    #[test]
    fn a_frontier_grows_from_what_was_stored() {
        let leaves = known_leaves();
        for stored_at in 0..=leaves.len() {
            let mut before = Frontier::new();
            leaves[..stored_at].iter().for_each(|leaf| before.push(*leaf));
            let mut after = Frontier::from_peaks(before.size(), before.peaks().to_vec()).expect("peaks fit");
            leaves[stored_at..].iter().for_each(|leaf| after.push(*leaf));
            assert_eq!(after.root(), root_of(&leaves));
        }
        assert_eq!(Frontier::from_peaks(3, vec![empty_root()]), None);
    }
}
