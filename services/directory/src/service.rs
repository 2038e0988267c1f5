//! The directory itself: what it is made of, and what regions and routers ask of it.

use std::{
    collections::BTreeMap,
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

use crate::{api, client::Claim, error::Error, map, map::Map, names::Names};

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
    /// Each region with its public key, as a verifier of signed notes. Only these regions may claim.
    pub verifiers: BTreeMap<RegionId, String>,
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
    /// Held while the log is folded in, so that no event is folded twice.
    pub(crate) following: tokio::sync::Mutex<()>,
    pub(crate) version: watch::Sender<Position>,
    signed: Mutex<Option<SignedMap>>,
}

/// The signed map and its entity tag.
#[derive(Clone)]
pub(crate) struct SignedMap {
    pub(crate) version: Position,
    pub(crate) bytes: Bytes,
    pub(crate) etag: String,
}

impl Directory {
    /// Makes the directory's tenant if this is the first start, and folds the log.
    pub async fn start(deps: Deps) -> Result<Self, Error> {
        let resident = own_tenant(&deps).await?;
        let directory = Self(Arc::new(Inner {
            deps,
            resident,
            names: RwLock::new(Names::new()),
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

    /// Takes a name for a tenant that is signing up in a region. Asking again for the same tenant succeeds.
    pub async fn claim(&self, slug: Slug, tenant: TenantId, region: RegionId, epoch: Epoch) -> Result<Position, Error> {
        if !self.0.deps.verifiers.contains_key(&region) {
            return Err(Error::UnknownRegion);
        }
        // `<region>.<apex>` is the region's own host.
        if self.0.deps.verifiers.keys().any(|known| known.as_str() == slug.as_str()) {
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

    /// The claims of a region that nobody has confirmed, for its reconciler.
    pub fn pending(&self, region: &RegionId) -> Vec<Claim> {
        self.names().pending(region, self.0.deps.clock.now())
    }

    /// The map as of now, signed once a version.
    pub(crate) fn signed_map(&self) -> SignedMap {
        let mut signed = self.0.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let names = self.names();
        if let Some(current) = signed.as_ref().filter(|current| current.version == names.position()) {
            return current.clone();
        }
        let (version, regions) = (names.position(), self.0.deps.verifiers.clone());
        let map = Map { version, regions, names: names.entries() };
        drop(names);
        let bytes = map.sign(&self.0.deps.signing_key);
        let made = SignedMap { version, etag: map::etag(&bytes), bytes: bytes.into() };
        signed.insert(made).clone()
    }

    /// Waits until the map is newer than a version.
    pub(crate) async fn changed_after(&self, version: Position) {
        // The sender lives as long as we do, so waiting cannot fail.
        let _ = self.0.version.subscribe().wait_for(|current| *current > version).await;
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
