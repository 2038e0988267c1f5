//! The root of a Merkle tree over leaf hashes, as RFC 6962, section 2.1, defines it: written down once more, so that what the
//! product computes is held against something else.

use schemas::Hash;

/// The root over these leaves, which are hashed already; none over nothing.
pub fn root(leaves: &[Hash]) -> Option<Hash> {
    match leaves {
        [] => None,
        [leaf] => Some(*leaf),
        _ => {
            // The largest power of two that is smaller than the number of leaves.
            let middle = 1 << (usize::BITS - 1 - (leaves.len() - 1).leading_zeros());
            let (left, right) = leaves.split_at(middle);
            Some(Hash::of(&[&[1], root(left)?.as_bytes(), root(right)?.as_bytes()]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_the_recommendations_own_example_is_found() {
        // The reference tree of the certificate transparency project: its inputs, and the root over the first n of them.
        let inputs =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let leaf = |input: &&str| Hash::of(&[&[0], &hex::decode(input).expect("hex")]);
        let leaves: Vec<Hash> = inputs.iter().map(leaf).collect();
        let of = |count: usize| root(&leaves[..count]).map(|hash| hex::encode(hash.as_bytes()));
        assert_eq!(of(0), None);
        assert_eq!(of(1).as_deref(), Some("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"));
        assert_eq!(of(3).as_deref(), Some("aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"));
        assert_eq!(of(8).as_deref(), Some("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"));
    }
}
