//! The keys of the other regions, as the directory publishes them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use archive::{KeyChain, Verifier, checkpoint::region_name};
use directory::{Map, map};
use schemas::{Position, RegionId};
use tokio::time::Instant;

/// How long a map is believed to be the newest.
const FRESH: Duration = Duration::from_secs(60);
/// How long the directory is left alone after it was asked, whatever came of it.
const PAUSE: Duration = Duration::from_secs(1);

/// The directory's signed map: fetched now and then, and when a key is missed, by one caller at a time.
#[derive(Clone)]
pub struct WitnessKeys {
    directory: directory::Client,
    public_key: Option<[u8; 32]>,
    known: Arc<Mutex<Known>>,
    /// Held by whoever asks the directory; others wait for what that brings.
    asking: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Default)]
struct Known {
    map: Option<(Arc<Map>, Instant)>,
    tried_at: Option<Instant>,
}

impl WitnessKeys {
    /// Keys from a directory with this public key, as a router has it: only maps that it has signed are believed. Without one,
    /// none is.
    pub fn new(directory: directory::Client, public_key: Option<[u8; 32]>) -> Self {
        Self { directory, public_key, known: Arc::default(), asking: Arc::default() }
    }

    /// Knows a map without asking for it.
    #[cfg(test)]
    pub(crate) fn teach(&self, map: Map) {
        self.keep(map).expect("a map that is not older");
    }

    /// What a region's key opens: the newest one, because a retired key signs no more. One that is missed may have been put to
    /// work just now, so the directory is asked again.
    pub(crate) async fn opened<T>(
        &self,
        region: &RegionId,
        open: impl Fn(&KeyChain) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let public_key = self.public_key.ok_or(Error::NoDirectoryKey)?;
        let open = |map: &Map| open(&KeyChain::of(published_keys(map, region)?.newest()));
        let opened = |known: &Known| known.map.as_ref().and_then(|(map, _)| open(map));
        let known = self.known();
        let found = opened(&known);
        if found.is_some() && known.map.is_some_and(|(_, at)| at.elapsed() < FRESH) {
            return Ok(found);
        }
        // Who has a key goes on with it while somebody else looks for a newer one.
        let _asking = match (found, self.asking.try_lock()) {
            (_, Ok(asking)) => asking,
            (Some(found), Err(_)) => return Ok(Some(found)),
            (None, Err(_)) => self.asking.lock().await,
        };
        if self.known().tried_at.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.ask(&public_key).await;
        }
        let known = self.known();
        if known.map.is_none() { Err(Error::Silent) } else { Ok(opened(&known)) }
    }

    /// Asks the directory. While it is silent, or says something that cannot be believed, the keys that are known are the keys.
    async fn ask(&self, public_key: &[u8; 32]) {
        self.note_try();
        let kept = match self.fetch(public_key).await {
            Ok(map) => self.keep(map),
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::warn!(error = runtime::chain(&error), "the keys of other regions may be out of date");
        }
        self.note_try();
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Noted before, so that a caller who goes away does not undo it, and after, so that the pause follows on the answer.
    fn note_try(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).tried_at = Some(Instant::now());
    }

    fn keep(&self, map: Map) -> Result<(), Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((current, _)) = &known.map
            && is_older(&map, current)
        {
            return Err(Error::Older { offered: map.version, current: current.version });
        }
        known.map = Some((Arc::new(map), Instant::now()));
        Ok(())
    }

    async fn fetch(&self, public_key: &[u8; 32]) -> Result<Map, Error> {
        let bytes = self.directory.map(None, None, Duration::ZERO).await.map_err(Error::Directory)?;
        map::verify(&bytes.ok_or(Error::Silent)?, public_key).map_err(Error::Map)
    }
}

/// A map of an older version; or of the same, from before a region replaced its key, which makes no version of its own.
fn is_older(map: &Map, than: &Map) -> bool {
    let replaced = |map: &Map, region| map.successions.get(region).map_or(0, Vec::len);
    map.version < than.version || than.successions.keys().any(|region| replaced(map, region) < replaced(than, region))
}

/// The keys of a region, as a map has them.
pub fn published_keys(map: &Map, region: &RegionId) -> Option<KeyChain> {
    let newest: Verifier = map.regions.get(region)?.parse().ok()?;
    let statements = map.successions.get(region).into_iter().flatten();
    let statements = (1..).zip(statements.map(|note| note.clone().into_bytes())).collect();
    Some(KeyChain::through(*newest.public_key(), &region_name(region), &statements).0)
}

/// Keys that are not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "this desk was not given the directory's public key, so it knows no keys of other regions: it takes \
         --directory-key HEX or DOMICILE_DIRECTORY_KEY"
    )]
    NoDirectoryKey,
    #[error("cannot ask the directory for keys")]
    Directory(#[source] directory::ClaimError),
    #[error("the directory sent no map")]
    Silent,
    #[error("the directory's map cannot be trusted")]
    Map(#[source] map::Error),
    #[error("the directory's map is older (version {offered}) than the one in use (version {current})")]
    Older { offered: Position, current: Position },
}

#[cfg(test)]
mod tests;
