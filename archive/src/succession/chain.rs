//! The keys of a region, one after the other, and what each of them may sign.

use std::collections::BTreeMap;

use super::{Error, Succession};
use crate::{
    BackupManifest, Checkpoint, DrillReport, Manifest, SignedError, checkpoint,
    note::{self, Verifier},
};

/// The public keys of a region, oldest first. Their numbers begin with 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChain(Vec<[u8; 32]>);

/// A succession that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// There is a later one, and not this one.
    #[error("missing")]
    Missing,
    /// It is no statement of two keys.
    #[error(transparent)]
    Invalid(#[from] Error),
    /// It is one of another region, or of another number.
    #[error("it is of another region or number")]
    Elsewhere,
    /// It retires a key that was not at work, or brings a retired one back.
    #[error("it does not follow the succession before it")]
    Unconnected,
}

impl KeyChain {
    /// The chain of a region whose key was never replaced, as far as anybody knows.
    pub fn of(public_key: [u8; 32]) -> Self {
        Self(vec![public_key])
    }

    /// The chain that a key belongs to, from the region's statements by their number. Of statements that do not lead from one
    /// to the next, the ones on the key's side of the break count. Every broken one is given with its number.
    pub fn through(
        public_key: [u8; 32],
        region_name: &str,
        statements: &BTreeMap<u64, Vec<u8>>,
    ) -> (Self, Vec<(u64, Broken)>) {
        let (mut chains, mut broken) = (vec![Vec::new()], Vec::new());
        let mut next = 1;
        for (number, note) in statements {
            if *number != next {
                broken.push((next, Broken::Missing));
                chains.push(Vec::new());
            }
            next = number.saturating_add(1);
            let last: &mut Vec<[u8; 32]> = chains.last_mut().expect("there is always one");
            match read(region_name, *number, note).and_then(|succession| extend(last, &succession)) {
                Ok(()) => {}
                Err(wrong) => {
                    broken.push((*number, wrong));
                    chains.push(Vec::new());
                }
            }
        }
        let holding = chains.into_iter().find(|keys| keys.contains(&public_key));
        (holding.map_or_else(|| Self::of(public_key), Self), broken)
    }

    /// The newest key.
    pub fn newest(&self) -> [u8; 32] {
        *self.0.last().expect("a chain has a key")
    }

    /// The number of the newest key.
    pub fn newest_number(&self) -> usize {
        self.0.len() - 1
    }

    /// Every key under a name, oldest first.
    pub fn verifiers(&self, name: &str) -> impl DoubleEndedIterator<Item = Verifier> + ExactSizeIterator {
        self.0.iter().map(move |key| Verifier::new(name, *key))
    }

    /// Reads a manifest that one of the keys has signed under a name, and names itself; with the key's number.
    ///
    /// # Errors
    /// If none of the keys has signed it.
    pub fn manifest(&self, name: &str, bytes: &[u8]) -> Result<(Manifest, usize), SignedError> {
        self.first_signed(name, |key| Manifest::open(bytes, key), is_unsigned)
    }

    /// Reads a backup manifest that one of the keys has signed under the region's name.
    ///
    /// # Errors
    /// If none of the keys has signed it.
    pub fn backup(&self, name: &str, bytes: &[u8]) -> Result<BackupManifest, SignedError> {
        self.first_signed(name, |key| BackupManifest::open(bytes, key), is_unsigned).map(|(backup, _)| backup)
    }

    /// Reads the report of a drill that one of the keys has signed under the region's name.
    ///
    /// # Errors
    /// If none of the keys has signed it.
    pub fn drill(&self, name: &str, bytes: &[u8]) -> Result<DrillReport, SignedError> {
        self.first_signed(name, |key| DrillReport::open(bytes, key), is_unsigned).map(|(report, _)| report)
    }

    /// Reads a checkpoint that one of the keys has signed under the name of its log, or of its region; with the key's number.
    ///
    /// # Errors
    /// If none of the keys has signed it.
    pub fn checkpoint(&self, name: &str, note: &str) -> Result<(Checkpoint, usize), checkpoint::Error> {
        let is_unsigned =
            |error: &checkpoint::Error| matches!(error, checkpoint::Error::Note(note::Error::NotSignedBy { .. }));
        self.first_signed(name, |key| Checkpoint::open_of(note, key), is_unsigned)
    }

    /// Tries the keys, the newest first, until one of them has signed. Most of what is read was signed lately.
    fn first_signed<T, E>(
        &self,
        name: &str,
        open: impl Fn(&Verifier) -> Result<T, E>,
        is_unsigned: impl Fn(&E) -> bool,
    ) -> Result<(T, usize), E> {
        let mut keys = self.verifiers(name).enumerate().rev();
        let (number, newest) = keys.next().expect("a chain has a key");
        let of_newest = open(&newest).map(|opened| (opened, number));
        keys.fold(of_newest, |found, (number, key)| match found {
            Err(error) if is_unsigned(&error) => open(&key).map(|opened| (opened, number)),
            found => found,
        })
    }
}

fn is_unsigned(error: &SignedError) -> bool {
    matches!(error, SignedError::Signature(note::Error::NotSignedBy { .. }))
}

fn read(region_name: &str, number: u64, note: &[u8]) -> Result<Succession, Broken> {
    let note = std::str::from_utf8(note).map_err(|_| Error::Shape)?;
    let succession = Succession::open(note)?;
    let is_here = succession.number == number && succession.old.name() == region_name;
    if is_here { Ok(succession) } else { Err(Broken::Elsewhere) }
}

fn extend(keys: &mut Vec<[u8; 32]>, succession: &Succession) -> Result<(), Broken> {
    let (old, new) = (*succession.old.public_key(), *succession.new.public_key());
    if keys.is_empty() {
        keys.push(old);
    }
    if keys.last() != Some(&old) || keys.contains(&new) {
        return Err(Broken::Unconnected);
    }
    keys.push(new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::note::tests::signer;

    const REGION: &str = "domicile/eu";

    fn statement(number: u64, old: u8, new: u8) -> (u64, Vec<u8>) {
        let note = Succession::sign(number, (&signer(REGION, old), &signer(REGION, new)), Timestamp::UNIX_EPOCH);
        (number, note.into_bytes())
    }

    fn key(seed: u8) -> [u8; 32] {
        *signer(REGION, seed).verifier().public_key()
    }

    fn chain(of: u8, statements: impl IntoIterator<Item = (u64, Vec<u8>)>) -> (Vec<[u8; 32]>, Vec<(u64, Broken)>) {
        let (chain, broken) = KeyChain::through(key(of), REGION, &statements.into_iter().collect());
        (chain.0, broken)
    }

    #[test]
    fn every_key_of_the_chain_leads_to_all_of_it() {
        for pinned in 1..=3 {
            let found = chain(pinned, [statement(1, 1, 2), statement(2, 2, 3)]);
            assert_eq!(found, (vec![key(1), key(2), key(3)], vec![]));
        }
        assert_eq!(chain(4, []), (vec![key(4)], vec![]));
    }

    #[test]
    fn a_strangers_chain_says_nothing_of_the_key() {
        assert_eq!(chain(1, [statement(1, 8, 9)]), (vec![key(1)], vec![]));
    }

    #[test]
    fn a_broken_statement_is_named_and_ends_the_chain_there() {
        let two = |note: &[u8]| [statement(1, 1, 2), (2, note.to_vec()), statement(3, 3, 4)];
        assert_eq!(
            chain(1, two(b"")),
            (vec![key(1), key(2)], vec![(2, Broken::Invalid(note::Error::Malformed.into()))])
        );
        assert_eq!(chain(4, two(b"")).0, [key(3), key(4)], "what the newest key has behind it is cut off as well");
        assert_eq!(chain(1, two(&statement(3, 2, 3).1)).1, [(2, Broken::Elsewhere)]);
        assert_eq!(chain(1, two(&statement(2, 5, 3).1)).1[0], (2, Broken::Unconnected));
        assert_eq!(
            chain(1, [statement(1, 1, 2), statement(3, 2, 3)]),
            (vec![key(1), key(2)], vec![(2, Broken::Missing)])
        );
        assert_eq!(
            chain(1, [statement(1, 1, 2), statement(2, 2, 1)]),
            (vec![key(1), key(2)], vec![(2, Broken::Unconnected)])
        );
    }

    #[test]
    fn the_chain_says_which_of_its_keys_has_signed() {
        let (chain, _) = KeyChain::through(key(2), REGION, &[statement(1, 1, 2)].into());
        let origin = "domicile/eu/x";
        let head = Checkpoint { origin: origin.into(), size: 3, root: schemas::Hash::of(&[]) };
        for (seed, number) in [(1, 0), (2, 1)] {
            assert_eq!(chain.checkpoint(REGION, &head.sign(&signer(origin, seed))), Ok((head.clone(), number)));
        }
        let refused = chain.checkpoint(REGION, &head.sign(&signer(origin, 3)));
        assert!(matches!(refused, Err(checkpoint::Error::Note(note::Error::NotSignedBy { .. }))), "{refused:?}");
        let changed = head.sign(&signer(origin, 1)).replace("\n3\n", "\n4\n");
        assert!(matches!(
            chain.checkpoint(REGION, &changed),
            Err(checkpoint::Error::Note(note::Error::BadSignature { .. }))
        ));
    }
}
