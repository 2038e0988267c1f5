//! What the region signs with, and how a new key takes over.
//!
//! The folder of keys is read anew for every generation and backup, so a key that took over meanwhile is used from the next one
//! on and no process has to be started again. A generation that was sealed under the old key and is not published yet is
//! published under the new one: nothing that any key has signed is lost, and no generation of the old key follows one of the new.

use std::{collections::BTreeMap, sync::Arc};

use archive::{KeyChain, Signer, Succession, Verifier, checkpoint};
use jiff::Timestamp;
use runtime::Ids;
use schemas::{RegionId, TenantId};
use vault::{SigningKey, SigningKeyFolder, SigningKeys};

use crate::archive_tenant::Published;

/// The keys of a region at one moment.
#[derive(Debug, Clone)]
pub struct KeyRing {
    region: RegionId,
    key: SigningKey,
    chain: KeyChain,
    /// The statements of the takeovers that led to the key, in order: their number is their place, counted from 1.
    successions: Vec<Arc<[u8]>>,
}

impl KeyRing {
    /// Reads the folder of a region's keys.
    ///
    /// # Errors
    /// If a file cannot be read, or a statement does not lead to the key at work.
    pub fn read(region: &RegionId, folder: &SigningKeyFolder) -> Result<Self, Error> {
        let SigningKeys { key, successions } = folder.read().map_err(Error::Files)?;
        Self::new(region, key, successions)
    }

    fn new(region: &RegionId, key: SigningKey, mut successions: BTreeMap<u64, Vec<u8>>) -> Result<Self, Error> {
        let name = checkpoint::region_name(region);
        // The last statement may be of a takeover that is not finished: the key it retires is still at work.
        let is_begun = |statement: &[u8]| {
            let note = std::str::from_utf8(statement).ok().and_then(|note| Succession::open(note).ok());
            note.is_some_and(|succession| *succession.old.public_key() == key.public_key())
        };
        if successions.last_entry().is_some_and(|last| is_begun(last.get())) {
            successions.pop_last();
        }
        let (chain, broken) = KeyChain::through(key.public_key(), &name, &successions);
        if let Some((number, source)) = broken.into_iter().next() {
            return Err(Error::Broken { number, source });
        }
        if chain.newest() != key.public_key() || chain.newest_number() != successions.len() {
            return Err(Error::Unled { id: key.id().to_owned() });
        }
        let successions = successions.into_values().map(Arc::from).collect();
        Ok(Self { region: region.clone(), key, chain, successions })
    }

    /// Every key of the region up to the one at work.
    pub const fn chain(&self) -> &KeyChain {
        &self.chain
    }

    /// The statements that led to the key at work.
    pub fn successions(&self) -> &[Arc<[u8]>] {
        &self.successions
    }

    /// The same, to read what was signed where other keys have taken over since, by an archive's statements of that. Nothing else is
    /// taken from them: each was signed by the key that it retires.
    pub(crate) fn led_by(&self, successions: &BTreeMap<u64, Vec<u8>>) -> Self {
        let name = checkpoint::region_name(&self.region);
        let (chain, _) = KeyChain::through(self.key.public_key(), &name, successions);
        Self { chain, ..self.clone() }
    }

    /// What checks a tenant's archive: the key that signed the published checkpoint, which leads to all before it. One that is not
    /// published, or not readable, is checked with the key at work.
    pub(crate) fn verifier_of(&self, tenant_id: TenantId, published: Option<&Published>) -> Verifier {
        let number = published.map_or(self.chain.newest_number(), |published| published.key_number);
        let origin = checkpoint::origin(&self.region, tenant_id);
        self.chain.verifiers(&origin).nth(number).expect("the number of a key of the chain")
    }

    /// Signs for a tenant's log, under its origin.
    pub fn signer_of(&self, tenant_id: TenantId) -> Signer {
        self.signer_named(checkpoint::origin(&self.region, tenant_id))
    }

    /// Signs for the region.
    pub fn signer_of_region(&self) -> Signer {
        self.signer_named(checkpoint::region_name(&self.region))
    }

    fn signer_named(&self, name: String) -> Signer {
        signer(name, &self.key)
    }
}

fn signer(name: String, key: &SigningKey) -> Signer {
    let key = key.clone();
    Signer::new(name, key.public_key(), move |message| key.sign(message))
}

/// Puts a new signing key to work, or finishes what a killed call began; gives the statement of it.
///
/// # Errors
/// If another process is at it, or a file cannot be read or written. Calling again goes on where this call stopped.
pub fn rotate(
    region: &RegionId,
    folder: &SigningKeyFolder,
    ids: &dyn Ids,
    now: Timestamp,
) -> Result<Succession, Error> {
    let takeover = folder.take_over(ids).map_err(Error::Files)?;
    let ring = KeyRing::new(region, takeover.old.clone(), takeover.successions.clone())?;
    let name = checkpoint::region_name(region);
    let (old, new) = (signer(name.clone(), &takeover.old), signer(name, &takeover.new));
    let number = ring.successions.len() as u64 + 1;
    let begun = takeover.successions.get(&number).and_then(|note| std::str::from_utf8(note).ok());
    let begun = begun.filter(|note| {
        Succession::open(note).is_ok_and(|begun| (&begun.old, &begun.new) == (old.verifier(), new.verifier()))
    });
    let note = begun.map_or_else(|| Succession::sign(number, (&old, &new), now), str::to_owned);
    let succession = Succession::open(&note).map_err(|source| Error::Broken { number, source: source.into() })?;
    takeover.finish(number, note.as_bytes()).map_err(Error::Files)?;
    Ok(succession)
}

/// Keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key file or statement cannot be read or written.
    #[error("cannot read or write the region's signing keys")]
    Files(#[source] vault::Error),
    /// A statement in the folder of keys is none.
    #[error("successions/{number:08}: the statement leads nowhere")]
    Broken {
        /// Its number.
        number: u64,
        /// Why.
        #[source]
        source: archive::succession::Broken,
    },
    /// The statements lead to other keys than the one at work.
    #[error("no succession leads to the signing key {id}: the key file and its successions belong together")]
    Unled {
        /// Of the key at work.
        id: String,
    },
}
