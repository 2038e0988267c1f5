//! The proof that an event is in its tenant's log: one small text file (<https://c2sp.org/tlog-proof>) that is checked with the
//! key of the log or its region, and nothing else.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64 of the event's entry>
//! index <position - 1>
//! <base64 of a hash>                      as many as the way up to the root takes
//! <empty line>
//! <the signed checkpoint>
//! ```
//!
//! The format leaves open what the leaf is the hash of. Here the extra data is the event's entry, always.

use std::fmt::{self, Display};

use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::{Envelope, Hash};
use serde::Deserialize;

use crate::{
    KeyChain,
    checkpoint::{self, Checkpoint},
    merkle::proof::inclusion_holds,
    note::Verifier,
};

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// An event's proof. [`Display`] writes the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventProof {
    /// The event's entry in the Merkle log: its envelope with the hash of its payload.
    pub entry: Vec<u8>,
    /// The leaf's index: the position, less one.
    pub index: u64,
    /// The hashes from the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The signed checkpoint, whole.
    pub checkpoint: String,
}

impl Display for EventProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{HEADER}\nextra {}\nindex {}", STANDARD.encode(&self.entry), self.index)?;
        for hash in &self.path {
            writeln!(formatter, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(formatter, "\n{}", self.checkpoint)
    }
}

impl EventProof {
    /// Reads a file; only the one right spelling of a proof.
    ///
    /// # Errors
    /// If it is no such proof, or carries no entry.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Error::Shape("checkpoint"))?;
        let mut lines = head.split('\n');
        lines.next().filter(|line| *line == HEADER).ok_or(Error::Shape("first line"))?;
        let entry = lines.next().and_then(|line| STANDARD.decode(line.strip_prefix("extra ")?).ok());
        let index = lines.next().and_then(|line| line.strip_prefix("index ")?.parse().ok());
        let proof = Self {
            entry: entry.ok_or(Error::Shape("entry"))?,
            index: index.ok_or(Error::Shape("index"))?,
            path: lines.map(hash).collect::<Option<_>>().ok_or(Error::Shape("hashes"))?,
            checkpoint: checkpoint.to_owned(),
        };
        if proof.to_string() == text { Ok(proof) } else { Err(Error::Shape("spelling")) }
    }

    /// Checks it with the key of the log, or of its region; gives the tree head that it leads to.
    ///
    /// # Errors
    /// If the tree head is not signed by the key, the event is not in its tree at this place, or is not of this tenant.
    pub fn check(&self, key: &Verifier) -> Result<Checkpoint, Error> {
        self.check_with(key.name(), &KeyChain::of(*key.public_key())).map(|(head, _)| head)
    }

    /// Checks it as [`Self::check`] does, with any key of a chain; `name` is that of the log or its region. Gives the key that
    /// has signed, too.
    ///
    /// # Errors
    /// As for [`Self::check`].
    pub fn check_with(&self, name: &str, keys: &KeyChain) -> Result<(Checkpoint, Verifier), Error> {
        let (head, number) = keys.checkpoint(name, &self.checkpoint).map_err(Error::Checkpoint)?;
        let leaf = Envelope::leaf_of_entry(&self.entry);
        if !inclusion_holds(&leaf, self.index, head.size, &head.root, &self.path) {
            return Err(Error::NotInTree { index: self.index, size: head.size });
        }
        let entry: Entry<'_> = serde_json::from_slice(&self.entry).map_err(Error::Entry)?;
        if head.origin.rsplit('/').next() != Some(entry.tenant_id) {
            return Err(Error::AnotherTenant);
        }
        let key = keys.verifiers(name).nth(number).expect("a key of the chain has signed");
        Ok((head, key))
    }
}

#[derive(Deserialize)]
struct Entry<'entry> {
    tenant_id: &'entry str,
}

fn hash(line: &str) -> Option<Hash> {
    Hash::try_from(STANDARD.decode(line).ok()?.as_slice()).ok()
}

/// A proof that proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not of the shape.
    #[error("no proof that carries its entry (c2sp.org/tlog-proof): its {0} is missing or not as it is written")]
    Shape(&'static str),
    /// The tree head in it cannot be trusted or read.
    #[error("its tree head cannot be trusted")]
    Checkpoint(#[source] checkpoint::Error),
    /// Its hashes do not lead from the entry to the root.
    #[error("its hashes do not lead from the entry at index {index} to the root that was signed over {size} events")]
    NotInTree {
        /// Of the leaf.
        index: u64,
        /// Of the tree.
        size: u64,
    },
    /// What is in the tree there is no entry of an event.
    #[error("its entry is no event's")]
    Entry(#[source] serde_json::Error),
    /// The entry names another tenant than the log is of.
    #[error("its entry is another tenant's")]
    AnotherTenant,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        merkle::{proof::inclusion, root_of},
        note::{Signer, tests::signer},
    };

    const ORIGIN: &str = "domicile/eu/x";

    fn entry(index: u64) -> Vec<u8> {
        format!(r#"{{"tenant_id":"x","version":{index},"event_type":"status_set"}}"#).into_bytes()
    }

    /// The proof of an event in a log of `size` whose entries are these.
    fn proof(index: u64, size: u64, entry: impl Fn(u64) -> Vec<u8>, signer: &Signer) -> EventProof {
        let leaves: Vec<_> = (0..size).map(|index| Envelope::leaf_of_entry(&entry(index))).collect();
        let head = Checkpoint { origin: ORIGIN.into(), size, root: root_of(&leaves) };
        EventProof { entry: entry(index), index, path: inclusion(&leaves, index), checkpoint: head.sign(signer) }
    }

    #[test]
    fn the_file_is_that_of_the_specification() {
        let signer = signer(ORIGIN, 1);
        let proof = proof(2, 3, entry, &signer);
        let lines = proof.to_string();
        let lines: Vec<_> = lines.lines().collect();
        let extra = format!("extra {}", STANDARD.encode(entry(2)));
        assert_eq!((lines[0], lines[1], lines[2], lines[3].len()), (HEADER, extra.as_str(), "index 2", 44));
        assert_eq!((lines[4], lines[5], lines[6], lines.len()), ("", ORIGIN, "3", 10));
        assert_eq!(EventProof::parse(&proof.to_string()).expect("parses"), proof);
    }

    #[test]
    fn the_key_of_the_log_or_its_region_checks_it_and_no_other() {
        let ours = signer(ORIGIN, 1);
        let proof = proof(4, 7, entry, &ours);
        let key = |name: &str| Verifier::new(name, *ours.verifier().public_key());
        for name in [ORIGIN, "domicile/eu"] {
            assert_eq!(proof.check(&key(name)).expect(name).size, 7);
        }
        for name in ["domicile/us", "domicile/e", "domicile/eu/", "domicile/eu/y"] {
            assert!(matches!(proof.check(&key(name)), Err(Error::Checkpoint(checkpoint::Error::AnotherLog { .. }))));
        }
        let theirs = signer(ORIGIN, 2);
        assert!(matches!(proof.check(theirs.verifier()), Err(Error::Checkpoint(checkpoint::Error::Note(_)))));
    }

    #[test]
    fn a_second_spelling_is_no_proof() {
        let text = proof(2, 4, entry, &signer(ORIGIN, 1)).to_string();
        let without_entry = text.split_inclusive('\n').filter(|line| !line.starts_with("extra")).collect::<String>();
        let padding = text.replacen("=\n", "\n", 1);
        for other in [
            text.replace("index 2", "index 02"),
            text.replace("index 2", "index +2"),
            text.replace("@v1", "@v2"),
            text.replace("index", "Index"),
            text.replace('\n', "\r\n"),
            text.replacen("\n\n", "\n", 1),
            format!("\n{text}"),
            padding,
            without_entry,
            String::new(),
        ] {
            assert!(matches!(EventProof::parse(&other), Err(Error::Shape(_))), "{other}");
        }
    }

    #[test]
    fn the_entry_of_another_tenant_or_of_no_event_proves_nothing() {
        let signer = signer(ORIGIN, 1);
        let other = |index: u64| format!(r#"{{"tenant_id":"y","version":{index}}}"#).into_bytes();
        assert!(matches!(proof(1, 3, other, &signer).check(signer.verifier()), Err(Error::AnotherTenant)));
        let none = |index: u64| index.to_be_bytes().to_vec();
        assert!(matches!(proof(1, 3, none, &signer).check(signer.verifier()), Err(Error::Entry(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_proof_with_any_bit_changed_is_refused(
            size in 1_u64..40, place in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), bit in 0_u8..8,
        ) {
            let signer = signer(ORIGIN, 1);
            let text = proof(place.index(size as usize) as u64, size, entry, &signer).to_string();
            let mut changed = text.clone().into_bytes();
            changed[byte.index(text.len())] ^= 1 << bit;
            let accepted = String::from_utf8(changed)
                .is_ok_and(|changed| EventProof::parse(&changed).is_ok_and(|proof| proof.check(signer.verifier()).is_ok()));
            prop_assert!(!accepted);
            prop_assert!(EventProof::parse(&text).is_ok_and(|proof| proof.check(signer.verifier()).is_ok()));
        }
    }
}
