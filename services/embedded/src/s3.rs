//! An S3 endpoint on a folder, with just the calls the product makes.
//!
//! The protocol (signatures, checksums, chunked bodies, XML) comes from `s3s`; the store behind it is ours, because what
//! matters here is that a conditional write is atomic: `If-None-Match: *` is one `link(2)`, which either makes the name or
//! finds it taken, whoever else tries at the same moment. A bucket keeps versions, locks them and ends their lives, if it is
//! told to, as the real service does. Each key has a policy, which is judged as the real service judges it.
//!
//! Reading order: `files`, `record` (what a version carries), `versions`, `settings`, `lives`, `policy`, `access`,
//! `store` (the calls).

mod access;
mod conditions;
mod files;
mod lives;
mod policy;
mod record;
mod settings;
mod store;
mod versions;

use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
};
use runtime::{Clock, Shutdown};
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;

pub use access::Credential;
pub use files::Durability;
pub use lives::Ended;
pub use policy::Policy;
use store::FolderStore;

/// Where the endpoint keeps objects, and who may use it.
#[derive(Clone)]
pub struct Config {
    /// The folder: a folder per bucket, a file per object.
    pub folder: PathBuf,
    /// What `GetBucketLocation` answers for buckets made here.
    pub location: String,
    /// The keys that are taken, and what each may do.
    pub credentials: Vec<Credential>,
    /// Whether an acknowledged object is on disk.
    pub durability: Durability,
    /// By which locks and lives end.
    pub clock: Arc<dyn Clock>,
}

/// A running endpoint.
pub struct Endpoint {
    address: SocketAddr,
    store: FolderStore,
}

/// How often lives are looked at that may be over.
const LIVES_EVERY: Duration = Duration::from_secs(3600);

impl Endpoint {
    /// Serves on a free loopback port until shutdown.
    pub async fn start(config: Config, shutdown: &Shutdown) -> io::Result<Self> {
        let store = FolderStore::open(&config)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mut service = S3ServiceBuilder::new(store.clone());
        let access = store.access(&config);
        service.set_auth(access.clone());
        service.set_access(access);
        let service = service.build();
        shutdown.spawn(end_lives(store.clone(), shutdown.clone()));
        let (tasks, stop) = (shutdown.clone(), shutdown.clone());
        shutdown.spawn(async move {
            let server = Arc::new(auto::Builder::new(TokioExecutor::new()));
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => stream,
                        Err(error) => {
                            tracing::warn!(%error, "the S3 endpoint could not accept a connection");
                            continue;
                        }
                    },
                    () = stop.requested() => break,
                };
                let (server, service, stop) = (Arc::clone(&server), service.clone(), stop.clone());
                tasks.spawn(async move {
                    let graceful = GracefulShutdown::new();
                    let connection = server.serve_connection(TokioIo::new(stream), service).into_owned();
                    let connection = graceful.watch(connection);
                    tokio::select! {
                        // Errors of a connection are the client's to see.
                        _ = connection => {}
                        () = async { stop.requested().await; graceful.shutdown().await } => {}
                    }
                });
            }
        });
        Ok(Self { address, store })
    }

    /// The endpoint's address, as clients take it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the lives that are over now, as it does by itself once an hour.
    ///
    /// # Errors
    /// If the folder cannot be read or changed.
    pub async fn end_lives(&self) -> io::Result<Ended> {
        self.store.end_lives().await
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn end_lives(store: FolderStore, shutdown: Shutdown) {
    while shutdown.sleep(LIVES_EVERY).await {
        match store.end_lives().await {
            Ok(ended) if ended == Ended::default() => {}
            Ok(Ended { objects, versions, markers }) => {
                tracing::info!(objects, versions, markers, "lives of objects ended");
            }
            Err(error) => tracing::warn!(%error, "the S3 endpoint could not end lives of objects"),
        }
    }
}
