//! Listeners: a plain one and a TLS one for what the router passes on, and one for ops.
//!
//! The first two take a connection only if it begins with a PROXY protocol header, version 2: without it nobody could say
//! who is calling, and whoever reaches these ports past the router is no client. TLS ends here, in the region. Ops asks
//! without that header, on a port of its own that no router leads to.

mod connection;
mod linger;
mod transport;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, middleware};
use runtime::Shutdown;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_rustls::TlsAcceptor;

use self::connection::{Door, Limits, Patience};
use crate::{
    access, app::app_with, automations, caller, erase, jobs, operator, ops, reconcile, state::Desk, webhooks, witness,
};

/// How many connections are open at a time, over all listeners of a desk.
const CONNECTIONS_MAX: usize = 4096;
/// How long to wait after an accept failed: out of file descriptors does not pass by asking again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where a desk listens.
#[derive(Debug, Clone)]
pub struct Config {
    /// For what the router passes on from its plain port.
    pub listen: SocketAddr,
    /// For what it passes on from its TLS port.
    pub listen_tls: Option<TlsConfig>,
    /// For ops.
    pub listen_ops: SocketAddr,
}

/// A port where TLS ends.
#[derive(Clone)]
pub struct TlsConfig {
    /// The address.
    pub listen: SocketAddr,
    /// The certificate chain for the apex and `*.<apex>`, leaf first, PEM.
    pub certificates_pem: String,
    /// Its private key, PEM.
    pub private_key_pem: String,
}

impl std::fmt::Debug for TlsConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TlsConfig").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// Why a desk cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is in use, or not ours to take.
    #[error("cannot listen on {address}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The PEM holds no usable certificate or key.
    #[error("the certificate or its key cannot be read")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// They do not fit together.
    #[error("the certificate and its key cannot be used")]
    Certificate(#[source] rustls::Error),
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The client's address, as the router says.
    pub(crate) address: Option<SocketAddr>,
    /// Whether it speaks TLS to us.
    pub(crate) tls: bool,
}

/// Bound ports, not served yet: a port in use is found out before anything else starts.
pub struct Listeners {
    plain: TcpListener,
    tls: Option<(TcpListener, TlsAcceptor)>,
    ops: TcpListener,
}

impl Listeners {
    /// Binds every port of `config`.
    ///
    /// # Errors
    /// If a port cannot be had, or the certificate cannot be used.
    pub async fn bind(config: &Config) -> Result<Self, Error> {
        let tls = match &config.listen_tls {
            Some(tls) => Some((bind(tls.listen).await?, acceptor(tls)?)),
            None => None,
        };
        Ok(Self { plain: bind(config.listen).await?, tls, ops: bind(config.listen_ops).await? })
    }

    /// Where the plain port is; useful after port 0.
    pub fn plain_address(&self) -> SocketAddr {
        self.plain.local_addr().expect("a bound socket has an address")
    }

    /// Where the TLS port is.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls.as_ref().map(|(listener, _)| listener.local_addr().expect("a bound socket has an address"))
    }

    /// Where the port for ops is.
    pub fn ops_address(&self) -> SocketAddr {
        self.ops.local_addr().expect("a bound socket has an address")
    }
}

/// What a process serves beside the desk's own.
#[derive(Default)]
pub struct More {
    /// On the port for ops.
    pub for_ops: Router,
    /// Pages of the region's operators, on the region's host.
    pub for_operators: Router,
}

/// Serves a desk until `shutdown` is requested. Connections finish the requests they carry; whoever drains `shutdown`
/// waits for them.
pub async fn run(desk: Desk, listeners: Listeners, more: More, shutdown: Shutdown) {
    let limits = Limits {
        connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        meter: desk.metrics.queue("desk_connections"),
        patience: Patience::default(),
        shutdown: shutdown.clone(),
    };
    let served = Arc::clone(&limits.connections);
    let routes = app_with(desk.clone(), more.for_operators);
    let health = Router::new().merge(ops::routes()).with_state(desk.clone()).merge(more.for_ops);
    let mut plain = routes.clone();
    if let Some((listener, acceptor)) = listeners.tls {
        plain = plain.layer(middleware::from_fn(transport::elsewhere));
        let encrypted = routes.layer(middleware::from_fn(transport::remembered));
        shutdown.spawn(accept(listener, Door::Tls(acceptor), encrypted, limits.clone()));
    }
    shutdown.spawn(accept(listeners.plain, Door::Plain, plain, limits.clone()));
    shutdown.spawn(accept(listeners.ops, Door::Ops, health, limits));
    shutdown.spawn(reconcile::run(desk.clone(), shutdown.clone()));
    shutdown.spawn(erase::run(desk.clone(), shutdown.clone()));
    shutdown.spawn(jobs::run(desk.clone(), shutdown.clone()));
    shutdown.spawn(webhooks::run(desk.clone(), shutdown.clone()));
    shutdown.spawn(automations::run(desk.clone(), shutdown.clone()));
    shutdown.spawn(access::retention::run(desk.clone(), shutdown.clone()));
    shutdown.spawn(operator::run(desk.clone(), shutdown.clone()));
    shutdown.spawn(witness::settle::watch(desk.clone(), shutdown.clone()));
    let last = all_closed(Arc::clone(&served), shutdown.clone());
    shutdown.spawn(caller::sign_ins::run(desk.clone(), last, shutdown.clone()));
    let last = all_closed(served, shutdown.clone());
    shutdown.spawn(access::recorder::run(desk.clone(), last, shutdown.clone()));
    shutdown.requested().await;
    desk.begin_draining();
}

/// Waits until the process is ending and no connection is served any more.
async fn all_closed(places: Arc<Semaphore>, shutdown: Shutdown) {
    shutdown.requested().await;
    let all = u32::try_from(CONNECTIONS_MAX).expect("a few thousand");
    drop(places.acquire_many(all).await);
}

async fn accept(listener: TcpListener, door: Door, routes: Router, limits: Limits) {
    loop {
        let place = limits.connections.clone().acquire_owned().await.expect("the places are never closed");
        let accepted = tokio::select! {
            () = limits.shutdown.requested() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let counted = limits.meter.enter();
                let served = connection::serve(stream, door.clone(), routes.clone(), limits.clone());
                limits.shutdown.spawn(async move {
                    if let Err(error) = served.await {
                        tracing::debug!(error = runtime::chain(&error), "a connection ended early");
                    }
                    drop((place, counted));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                limits.shutdown.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Bind { address, source })
}

fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, Error> {
    let certificates = CertificateDer::pem_slice_iter(config.certificates_pem.as_bytes()).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(config.private_key_pem.as_bytes()).map_err(Error::Pem)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Certificate)?
        .with_no_client_auth()
        .with_single_cert(certificates.map_err(Error::Pem)?, key)
        .map_err(Error::Certificate)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

#[cfg(test)]
mod tests;
