//! One connection, from its first byte to its last: peek, look up, connect, splice.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use runtime::Shutdown;
use schemas::RegionId;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tracing::{Instrument, field};

use crate::{
    answer::{self, Refusal},
    client_hello,
    config::{Backend, Config},
    follow::Follower,
    host::{self, Place},
    metrics::Metrics,
    peek::Peeked,
    request_head,
    splice::splice,
    table::Table,
};

/// What a listener takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.
    Plain,
    /// TLS, of which only the first message is read.
    Tls,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) apex_host: String,
    pub(crate) table: Arc<Table>,
    pub(crate) follower: Follower,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
}

/// What the first bytes ask for.
struct Asked {
    host: String,
    is_head_request: bool,
}

/// Where a connection goes.
struct Home {
    region: RegionId,
    slug: Option<String>,
    backend: Backend,
}

/// Why a connection ends before it was passed on.
enum Ended {
    /// It is answered.
    Refused(Refusal),
    /// The client went away by itself.
    Gone,
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Protocol {
    /// The word in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
        }
    }

    fn read(self, bytes: &[u8], config: &Config) -> Result<Option<Asked>, Refusal> {
        match self {
            Self::Plain => match request_head::read(bytes, config.limits.head_length_max) {
                Ok(head) => Ok(head
                    .map(|head| Asked { host: head.host.to_ascii_lowercase(), is_head_request: head.is_head_request })),
                Err(request_head::Refused::Malformed) => Err(Refusal::Malformed),
                Err(request_head::Refused::Http2) => Err(Refusal::Http2),
                Err(request_head::Refused::TooLong) => Err(Refusal::TooLong),
            },
            Self::Tls => match client_hello::read(bytes, config.limits.hello_length_max) {
                Ok(client_hello::Hello::Incomplete) => Ok(None),
                Ok(client_hello::Hello::Names(host)) => Ok(Some(Asked { host, is_head_request: false })),
                Ok(client_hello::Hello::NamesNobody) => Err(Refusal::UnknownName),
                Err(client_hello::Refused::TooLong) => Err(Refusal::TooLong),
                Err(client_hello::Refused::NotTls | client_hello::Refused::Malformed) => Err(Refusal::Malformed),
            },
        }
    }

    const fn address(self, backend: &Backend) -> SocketAddr {
        match self {
            Self::Plain => backend.plain,
            Self::Tls => backend.tls,
        }
    }
}

/// Handles a connection to its end.
pub(crate) async fn handle(shared: Arc<Shared>, protocol: Protocol, mut client: TcpStream, source: SocketAddr) {
    let mut is_head_request = false;
    let count = |outcome| shared.metrics.count(protocol.as_str(), outcome);
    shared.metrics.connections_open.inc();
    match open(&shared, protocol, &mut client, source, &mut is_head_request).await {
        Ok((home, region)) => {
            let span = tracing::info_span!("router.route", region = %home.region, tenant.slug = field::Empty);
            if let Some(slug) = &home.slug {
                span.record("tenant.slug", slug.as_str());
            }
            let end = splice(client, region, &shared.config.limits, &shared.shutdown).instrument(span).await;
            count(end.outcome());
        }
        Err(Ended::Gone) => count("gone"),
        Err(Ended::Refused(refusal)) => {
            count(refusal.outcome());
            match protocol {
                Protocol::Plain => answer::send(&mut client, refusal.page(is_head_request)).await,
                Protocol::Tls => answer::send(&mut client, &refusal.alert()).await,
            }
        }
    }
    shared.metrics.connections_open.dec();
}

/// Everything before the splice: the home region's end of the connection, which has got the first bytes already.
async fn open(
    shared: &Shared,
    protocol: Protocol,
    client: &mut TcpStream,
    source: SocketAddr,
    is_head_request: &mut bool,
) -> Result<(Home, TcpStream), Ended> {
    let _ = client.set_nodelay(true);
    let mut peeked = Peeked::new();
    let asked = peek(shared, protocol, client, &mut peeked).await?;
    *is_head_request = asked.is_head_request;
    let home = find_home(shared, &asked.host).await.ok_or(Refusal::UnknownName)?;
    let destination = client.local_addr()?;
    let mut region = connect(protocol, &home, shared.config.limits.connect_timeout).await?;
    let first = peeked.behind_header(source, destination);
    region.write_all(first).await.map_err(|_| Refusal::RegionDown)?;
    Ok((home, region))
}

/// Reads until the first bytes say where to. The time for all of it runs from the start, so that a byte now and then does
/// not hold a place for ever.
async fn peek(
    shared: &Shared,
    protocol: Protocol,
    client: &mut TcpStream,
    peeked: &mut Peeked,
) -> Result<Asked, Ended> {
    let limits = &shared.config.limits;
    let start = Instant::now();
    loop {
        let patience = if peeked.received().is_empty() { limits.first_byte_timeout } else { limits.head_timeout };
        let read = tokio::select! {
            read = timeout_at(start + patience, peeked.read_more(client)) => read.map_err(|_| Refusal::Slow)??,
            // Nothing was promised to somebody who has not finished asking.
            () = shared.shutdown.requested() => return Err(Ended::Gone),
        };
        if read == 0 {
            return Err(Ended::Gone);
        }
        if let Some(asked) = protocol.read(peeked.received(), &shared.config)? {
            return Ok(asked);
        }
    }
}

async fn find_home(shared: &Shared, host: &str) -> Option<Home> {
    let (region, slug) = match host::place(host, &shared.apex_host) {
        Place::Apex => (shared.config.default_region.clone(), None),
        Place::Label(label) => match region_named(shared, label) {
            Some(region) => (region, None),
            None => (home_of(shared, label).await?, Some(label.to_owned())),
        },
        Place::Foreign => return None,
    };
    // A map may name a region this router was not told of: then it cannot pass anybody on.
    let backend = *shared.config.regions.get(&region)?;
    Some(Home { region, slug, backend })
}

fn region_named(shared: &Shared, label: &str) -> Option<RegionId> {
    label.parse().ok().filter(|region| shared.config.regions.contains_key(region))
}

/// Where a tenant is at home. A name that is missing is looked up once more after asking the directory.
async fn home_of(shared: &Shared, label: &str) -> Option<RegionId> {
    if let Some(region) = shared.table.routes().home(label) {
        return Some(region.clone());
    }
    shared.follower.ask_for_news(shared.config.limits.unknown_name_timeout).await;
    shared.table.routes().home(label).cloned()
}

async fn connect(protocol: Protocol, home: &Home, patience: Duration) -> Result<TcpStream, Refusal> {
    let connecting = timeout(patience, TcpStream::connect(protocol.address(&home.backend)));
    let connected = connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let stream = connected.map_err(|error| {
        tracing::warn!(region = %home.region, %error, "the region does not take connections");
        Refusal::RegionDown
    })?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
