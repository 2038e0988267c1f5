//! The directory itself: what it is made of, and what regions and routers ask of it.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
};

use axum::body::Bytes;
use domain::name::Command;
use eventlog::{Appender, NewTenant};
use regions::{Region, Resident};
use runtime::{Clock, Ids, Shutdown};
use schemas::{Epoch, Position, RegionId, Slug, TenantId};
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::watch};
use uuid::Uuid;
use vault::{SigningKey, Vault};

use crate::{
    api,
    client::Claim,
    error::Error,
    map,
    map::{Map, RegionKeys},
    names::Names,
};

/// The one tenant of the directory's log: the directory itself.
pub const TENANT_ID: TenantId = TenantId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));

const SLUG: &str = "directory";

/// What a directory is made of. Its database is migrated (log and vault) and its own.
pub struct Deps {
    /// The directory's place: [`Region::for_directory`].
    pub region: Region,
    /// Its database, in the role of a desk.
    pub pool: PgPool,
    /// Its keys.
    pub vault: Vault,
    /// The way into its log.
    pub appender: Appender,
    /// Signs the map.
    pub signing_key: SigningKey,
    /// Opens the API.
    pub token: String,
    /// What the regions sign with. Only regions that have a key here may claim.
    pub keys: RegionKeys,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

/// The directory. Clones share everything.
#[derive(Clone)]
pub struct Directory(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) deps: Deps,
    pub(crate) resident: Resident,
    pub(crate) names: RwLock<Names>,
    keys: RwLock<RegionKeys>,
    /// Held while the log is folded in, so that no event is folded twice.
    pub(crate) following: tokio::sync::Mutex<()>,
    pub(crate) version: watch::Sender<Position>,
    signed: Mutex<Option<SignedMap>>,
}

/// The signed map and its entity tag.
#[derive(Clone)]
pub(crate) struct SignedMap {
    pub(crate) version: Position,
    keys: RegionKeys,
    pub(crate) bytes: Bytes,
    pub(crate) etag: String,
}

impl Directory {
    /// Makes the directory's tenant if this is the first start, and folds the log.
    pub async fn start(mut deps: Deps) -> Result<Self, Error> {
        let resident = own_tenant(&deps).await?;
        let keys = RwLock::new(mem::take(&mut deps.keys));
        let directory = Self(Arc::new(Inner {
            deps,
            resident,
            names: RwLock::new(Names::new()),
            keys,
            following: tokio::sync::Mutex::default(),
            version: watch::Sender::new(Position::ZERO),
            signed: Mutex::default(),
        }));
        directory.catch_up().await?;
        Ok(directory)
    }

    /// Serves the API and follows the log until asked to stop.
    pub async fn run(self, listener: TcpListener, shutdown: Shutdown) -> Result<(), Error> {
        let served = axum::serve(listener, self.router(shutdown.clone())).with_graceful_shutdown({
            let shutdown = shutdown.clone();
            async move { shutdown.requested().await }
        });
        let (served, ()) = tokio::join!(async { served.await }, self.follow(&shutdown));
        served.map_err(Error::Serve)
    }

    /// The API, for a server or for tests.
    pub fn router(&self, shutdown: Shutdown) -> axum::Router {
        api::router(self.clone(), &self.0.deps.token, shutdown)
    }

    /// The key that maps are verified with.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.deps.signing_key.public_key()
    }

    /// Publishes other keys from now on: a region has put a new one to work.
    pub fn publish_keys(&self, keys: RegionKeys) {
        // The map is signed anew with the next request, if something has changed.
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Takes a name for a tenant that is signing up in a region. Asking again for the same tenant succeeds.
    pub async fn claim(&self, slug: Slug, tenant: TenantId, region: RegionId, epoch: Epoch) -> Result<Position, Error> {
        let keys = self.keys().clone();
        if !keys.verifiers.contains_key(&region) {
            return Err(Error::UnknownRegion);
        }
        // `<region>.<apex>` is the region's own host.
        if keys.verifiers.keys().any(|known| known.as_str() == slug.as_str()) {
            return Err(Error::Reserved);
        }
        let command = Command::Claim { slug: slug.clone(), tenant, region, epoch };
        self.execute(slug, command).await
    }

    /// The tenant exists now: the name may be routed.
    pub async fn confirm(&self, slug: Slug, tenant: TenantId) -> Result<Position, Error> {
        self.execute(slug, Command::Confirm { tenant }).await
    }

    /// The signup never finished: the name is free again.
    pub async fn release(&self, slug: Slug, tenant: TenantId) -> Result<Position, Error> {
        self.execute(slug, Command::Release { tenant }).await
    }

    /// Whether somebody holds a name, confirmed or not yet.
    pub fn is_taken(&self, slug: &Slug) -> bool {
        self.names().name(slug).0.holding().is_some()
    }

    /// The claims of a region that nobody has confirmed, for its reconciler.
    pub fn pending(&self, region: &RegionId) -> Vec<Claim> {
        self.names().pending(region, self.0.deps.clock.now())
    }

    /// The map as of now, signed once a version.
    pub(crate) fn signed_map(&self) -> SignedMap {
        let mut signed = self.0.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let (names, keys) = (self.names(), self.keys().clone());
        let is_same = |current: &&SignedMap| current.version == names.position() && current.keys == keys;
        if let Some(current) = signed.as_ref().filter(is_same) {
            return current.clone();
        }
        let RegionKeys { verifiers: regions, successions } = keys.clone();
        let (version, names) = (names.position(), names.entries());
        let map = Map { version, regions, successions, names };
        let bytes = map.sign(&self.0.deps.signing_key);
        let made = SignedMap { version, keys, etag: map::etag(&bytes), bytes: bytes.into() };
        signed.insert(made).clone()
    }

    /// Waits until the map is newer than a version.
    pub(crate) async fn changed_after(&self, version: Position) {
        // The sender lives as long as we do, so waiting cannot fail.
        let _ = self.0.version.subscribe().wait_for(|current| *current > version).await;
    }

    fn keys(&self) -> RwLockReadGuard<'_, RegionKeys> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn names(&self) -> RwLockReadGuard<'_, Names> {
        self.0.names.read().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn own_tenant(deps: &Deps) -> Result<Resident, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Read)?;
    let tenant = NewTenant {
        tenant_id: TENANT_ID,
        slug: SLUG.parse().expect("a literal that is a slug"),
        region: deps.region.id.clone(),
        epoch: Epoch::FIRST,
        created_at: deps.clock.now(),
    };
    // From the second start on it is there already.
    eventlog::create_tenant(&mut connection, &tenant).await?;
    let resident = Resident::prove_id(&mut connection, &deps.region.id, TENANT_ID).await.map_err(Error::Read)?;
    resident.ok_or(Error::NotAtHome)
}
