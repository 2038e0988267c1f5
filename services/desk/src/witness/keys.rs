//! The keys of the other regions, as the directory publishes them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use archive::{KeyChain, Verifier, checkpoint::region_name};
use directory::{Map, map};
use schemas::RegionId;
use tokio::time::Instant;

/// How long a map is believed to be the newest.
const FRESH: Duration = Duration::from_secs(60);
/// How often the directory is asked at most, whoever sends what.
const PAUSE: Duration = Duration::from_secs(1);

/// The directory's signed map: fetched now and then, and when a key is missed.
#[derive(Clone)]
pub struct WitnessKeys {
    directory: directory::Client,
    public_key: Option<[u8; 32]>,
    known: Arc<Mutex<Option<Known>>>,
}

#[derive(Clone)]
struct Known {
    map: Arc<Map>,
    at: Instant,
}

impl WitnessKeys {
    /// Keys from a directory. With its public key, only a map that it has signed is believed, as a router does.
    pub fn new(directory: directory::Client, public_key: Option<[u8; 32]>) -> Self {
        Self { directory, public_key, known: Arc::default() }
    }

    /// Knows a map without asking for it.
    #[cfg(test)]
    pub(crate) fn teach(&self, map: Map) {
        self.keep(map);
    }

    /// What a region's key opens: the newest one, because a retired key signs no more. One that is missed may have been put to
    /// work just now, so the directory is asked again.
    pub(crate) async fn opened<T>(
        &self,
        region: &RegionId,
        open: impl Fn(&KeyChain) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let open = |map: &Map| open(&KeyChain::of(published_keys(map, region)?.newest()));
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let age = known.as_ref().map(|known| known.at.elapsed());
        let opened = known.as_ref().and_then(|known| open(&known.map));
        if age.is_some_and(|age| age < PAUSE || (opened.is_some() && age < FRESH)) {
            return Ok(opened);
        }
        match self.fetch().await {
            Ok(map) => Ok(open(&self.keep(map))),
            // While the directory is silent, the keys that are known are the keys.
            Err(error) if known.is_some() => {
                tracing::warn!(error = &error as &dyn std::error::Error, of = %region, "cannot look for a new key");
                Ok(opened)
            }
            Err(error) => Err(error),
        }
    }

    fn keep(&self, map: Map) -> Arc<Map> {
        let map = Arc::new(map);
        let known = Known { map: Arc::clone(&map), at: Instant::now() };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        map
    }

    async fn fetch(&self) -> Result<Map, Error> {
        let bytes = self.directory.map(None, None, Duration::ZERO).await.map_err(Error::Directory)?;
        let bytes = bytes.ok_or(Error::Silent)?;
        let map = match &self.public_key {
            Some(key) => map::verify(&bytes, key),
            None => map::read(&bytes),
        };
        map.map_err(Error::Map)
    }
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
    #[error("cannot ask the directory for keys")]
    Directory(#[source] directory::ClaimError),
    #[error("the directory sent no map")]
    Silent,
    #[error("the directory's map cannot be trusted")]
    Map(#[source] map::Error),
}
