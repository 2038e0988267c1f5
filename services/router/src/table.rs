//! The routing table: which region a name is at home in. Kept in memory, and on disk as the signed map it came from.

use std::{
    collections::HashMap,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use directory::map::{self, Map, NameState};
use runtime::Shutdown;
use schemas::{Position, RegionId};
use tokio::sync::watch;

/// A map that is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the map is not signed by the directory, or was changed")]
    Unsigned(#[source] map::Error),
    #[error("the map is older (version {offered}) than the one in use (version {current})")]
    Older { offered: Position, current: Position },
}

impl Refused {
    /// The word in metrics.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Unsigned(_) => "unsigned",
            Self::Older { .. } => "older",
        }
    }
}

/// The names of one map that may be routed.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// The map's version; nothing before the first map.
    pub(crate) version: Option<Position>,
    /// What the directory calls these very bytes.
    pub(crate) etag: Option<String>,
    regions: HashMap<Box<str>, RegionId>,
    signed: Bytes,
}

impl Routes {
    /// Where a name is at home. A name that is claimed but not confirmed is at home nowhere yet.
    pub(crate) fn home(&self, label: &str) -> Option<&RegionId> {
        self.regions.get(label)
    }

    fn new(map: Map, signed: Bytes) -> Self {
        let confirmed = map.names.into_iter().filter(|(_, entry)| entry.state == NameState::Confirmed);
        let regions = confirmed.map(|(slug, entry)| (Box::from(slug.as_str()), entry.region)).collect();
        Self { version: Some(map.version), etag: Some(map::etag(&signed)), regions, signed }
    }
}

/// The table in use, and the file that outlives the process.
#[derive(Debug)]
pub(crate) struct Table {
    current: watch::Sender<Arc<Routes>>,
    cache: PathBuf,
    public_key: [u8; 32],
}

impl Table {
    /// An empty table.
    pub(crate) fn new(cache: PathBuf, public_key: [u8; 32]) -> Self {
        Self { current: watch::Sender::default(), cache, public_key }
    }

    /// The routes in use.
    pub(crate) fn routes(&self) -> Arc<Routes> {
        self.current.borrow().clone()
    }

    /// Uses a map if it is signed by the directory and not older than the one in use.
    pub(crate) fn offer(&self, signed: Bytes) -> Result<(), Refused> {
        let map = map::verify(&signed, &self.public_key).map_err(Refused::Unsigned)?;
        let offered = map.version;
        let routes = Arc::new(Routes::new(map, signed));
        let mut refused = None;
        self.current.send_if_modified(|current| {
            refused = current.version.filter(|version| *version > offered);
            let is_other = refused.is_none() && current.etag != routes.etag;
            if is_other {
                *current = routes;
            }
            is_other
        });
        refused.map_or(Ok(()), |current| Err(Refused::Older { offered, current }))
    }

    /// The map the last process left, if it left one.
    pub(crate) fn cached(&self) -> std::io::Result<Option<Bytes>> {
        match std::fs::read(&self.cache) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps every map that is used from now on for the next process, until asked to stop and all are kept.
    pub(crate) async fn keep(&self, shutdown: &Shutdown) {
        let mut current = self.current.subscribe();
        loop {
            tokio::select! {
                biased;
                _ = current.changed() => {}
                () = shutdown.requested() => return,
            }
            let (cache, routes) = (self.cache.clone(), current.borrow_and_update().clone());
            let kept = tokio::task::spawn_blocking(move || write_atomically(&cache, &routes.signed)).await;
            if let Err(error) = kept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
                // Routing goes on; only the next start without the directory would miss this map.
                tracing::warn!(%error, "the map cannot be cached");
            }
        }
    }
}

/// Replaces a file as a whole. A crash before the rename leaves the old file, a crash after it the new one.
fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    std::fs::File::open(folder)?.sync_all()
}
