//! Listens, accepts, hands each connection to a task of its own, and drains at the end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use runtime::Shutdown;
use tokio::net::{TcpListener, TcpStream};

use crate::{
    answer::Refusal,
    config::Config,
    connection::{Protocol, Shared, handle},
    follow::Follower,
    metrics::Metrics,
    slots::Slots,
    table::Table,
};

/// After a failure to accept, such as too many open files, the next attempt waits for so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A router that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is taken, or not ours to take.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address from the configuration.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The default region is not among the regions.
    #[error("default_region: takes a region the router knows, not {0}")]
    DefaultRegion(schemas::RegionId),
}

/// A router that listens, and does not yet accept.
#[derive(Debug)]
pub struct Router {
    config: Config,
    plain: TcpListener,
    tls: Option<TcpListener>,
    metrics: Metrics,
}

impl Router {
    /// Opens the listeners. Nothing is accepted before [`Router::run`].
    pub async fn bind(config: Config) -> Result<Self, Error> {
        if !config.regions.contains_key(&config.default_region) {
            return Err(Error::DefaultRegion(config.default_region));
        }
        let plain = listen(config.listen).await?;
        let tls = match config.listen_tls {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        Ok(Self { config, plain, tls, metrics: Metrics::new() })
    }

    /// Where plain HTTP is taken.
    pub fn plain_address(&self) -> io::Result<SocketAddr> {
        self.plain.local_addr()
    }

    /// Where TLS is taken, if it is.
    pub fn tls_address(&self) -> Option<io::Result<SocketAddr>> {
        self.tls.as_ref().map(TcpListener::local_addr)
    }

    /// What the router counts; the clone outlives [`Router::run`].
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The page for Prometheus.
    pub fn metrics_page(&self) -> String {
        self.metrics.page()
    }

    /// Routes until asked to stop. Then nothing new is accepted; connections in use get the time to finish that the limits
    /// give, as tasks that [`Shutdown::drain`] waits for.
    pub async fn run(self, shutdown: Shutdown) {
        let table = Arc::new(Table::new(self.config.map_cache.clone(), self.config.public_key));
        let follower = Follower::new(self.config.directory.clone(), table.clone(), self.metrics.clone());
        follower.load();
        let slots = Slots::new(self.config.limits.connections_max, self.config.limits.connections_per_address_max);
        let shared = Arc::new(Shared {
            apex_host: self.config.apex_host(),
            config: self.config,
            table,
            follower,
            metrics: self.metrics,
            shutdown,
        });
        let tls = async {
            if let Some(listener) = self.tls {
                accept(&shared, &slots, Protocol::Tls, listener).await;
            }
        };
        tokio::join!(
            accept(&shared, &slots, Protocol::Plain, self.plain),
            tls,
            shared.follower.follow(&shared.shutdown),
            shared.table.keep(&shared.shutdown)
        );
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

async fn accept(shared: &Arc<Shared>, slots: &Slots, protocol: Protocol, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.shutdown.requested() => return,
        };
        match accepted {
            Ok((client, source)) => match slots.take(source.ip()) {
                Some(slot) => {
                    let shared = shared.clone();
                    shared.shutdown.clone().spawn(async move {
                        handle(shared, protocol, client, source).await;
                        drop(slot);
                    });
                }
                None => turn_away(shared, protocol, client),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                shared.shutdown.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers without a task or a wait: somebody who floods us gets no more of our time than one write.
fn turn_away(shared: &Shared, protocol: Protocol, client: TcpStream) {
    use io::Write as _;
    shared.metrics.count(protocol.as_str(), Refusal::Busy.outcome());
    if let Ok(mut client) = client.into_std() {
        let _ = match protocol {
            Protocol::Plain => client.write(Refusal::Busy.page(false)),
            Protocol::Tls => client.write(&Refusal::Busy.alert()),
        };
    }
}
