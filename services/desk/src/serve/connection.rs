//! One connection: the PROXY header, TLS, HTTP, and its end.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use runtime::{
    Shutdown,
    proxy_protocol::{self, Header},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::TcpStream,
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Peer,
    linger::{self, Lingering, Unread},
};

const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(20);
const HTTP2_STREAMS_MAX: u32 = 128;
const HEADER_BYTES_MAX: u32 = 32 * 1024;
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// What a listener's connections begin with.
#[derive(Clone)]
pub(super) enum Door {
    /// A PROXY header.
    Plain,
    /// A PROXY header, then TLS.
    Tls(TlsAcceptor),
    /// HTTP at once.
    Ops,
}

/// What connections share.
#[derive(Clone)]
pub(super) struct Limits {
    pub(super) connections: Arc<Semaphore>,
    /// The connections that are open. More wait in the listener's own backlog, unseen.
    pub(super) meter: runtime::QueueMeter,
    pub(super) patience: Patience,
    pub(super) shutdown: Shutdown,
}

/// How long a client may take. Who sends a byte a minute does not hold a connection for ever.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// The PROXY header and the TLS handshake, each.
    pub(super) opening: Duration,
    /// The headers of a request, the idle time before it included.
    pub(super) headers: Duration,
    /// The request under way, once the process is ending.
    pub(super) ending: Duration,
    /// What is still sent after the last answer.
    pub(super) lingering: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            opening: Duration::from_secs(10),
            headers: Duration::from_secs(30),
            ending: Duration::from_secs(20),
            lingering: Duration::from_secs(15),
        }
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// It took too long to begin.
    #[error("the connection did not begin in time")]
    Slow,
    /// The client went away.
    #[error("cannot read the beginning of the connection")]
    Read(#[source] std::io::Error),
    /// It did not come through a router.
    #[error("the connection has no PROXY header")]
    Proxy(#[source] proxy_protocol::Malformed),
    /// No agreement on TLS.
    #[error("the TLS handshake failed")]
    Handshake(#[source] std::io::Error),
    /// HTTP went wrong.
    #[error("the connection broke")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Serves one connection to its end.
pub(super) async fn serve(mut stream: TcpStream, door: Door, routes: Router, limits: Limits) -> Result<(), Error> {
    let _ = stream.set_nodelay(true);
    let Patience { opening, lingering, .. } = limits.patience;
    let unread = Unread::default();
    if let Door::Ops = door {
        let line = Line { peer: Peer { address: None, tls: false }, unread: unread.clone() };
        return http(Lingering::new(stream, unread, lingering), line, routes, limits).await;
    }
    let address = within(opening, client(&mut stream)).await?;
    let line = Line { peer: Peer { address, tls: matches!(door, Door::Tls(_)) }, unread: unread.clone() };
    let stream = Lingering::new(stream, unread, lingering);
    let Door::Tls(acceptor) = door else { return http(stream, line, routes, limits).await };
    let handshake = async { acceptor.accept(stream).await.map_err(Error::Handshake) };
    http(within(opening, handshake).await?, line, routes, limits).await
}

/// What a connection tells its requests, and they it.
#[derive(Clone)]
struct Line {
    peer: Peer,
    unread: Unread,
}

async fn within<T>(patience: Duration, step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(patience, step).await.map_err(|_| Error::Slow)?
}

/// Reads the PROXY header and not a byte more: who is calling, unless the router calls for itself.
async fn client(stream: &mut TcpStream) -> Result<Option<std::net::SocketAddr>, Error> {
    let mut bytes = vec![0; FIXED_LENGTH];
    stream.read_exact(&mut bytes).await.map_err(Error::Read)?;
    let length = proxy_protocol::expected_length(&bytes).map_err(Error::Proxy)?.unwrap_or(FIXED_LENGTH);
    bytes.resize(length, 0);
    stream.read_exact(&mut bytes[FIXED_LENGTH..]).await.map_err(Error::Read)?;
    match proxy_protocol::decode(&bytes).map_err(Error::Proxy)? {
        Some((Header::Proxied { source, .. }, _)) => Ok(Some(source)),
        Some((Header::Local, _)) | None => Ok(None),
    }
}

/// The part of the header that says how long the rest is.
const FIXED_LENGTH: usize = 16;

/// HTTP/1.1 or HTTP/2, whichever the client speaks, until it goes or the process ends.
async fn http<S>(stream: S, line: Line, routes: Router, limits: Limits) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = tower::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(line.peer);
        linger::answer(routes.clone(), request, line.unread.clone())
    });
    let builder = builder(&limits.patience);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        result = connection.as_mut() => return result.map_err(Error::Http),
        () = limits.shutdown.requested() => {}
    }
    // The request under way is answered, and the connection closed after it.
    connection.as_mut().graceful_shutdown();
    match tokio::time::timeout(limits.patience.ending, connection).await {
        Ok(result) => result.map_err(Error::Http),
        Err(_) => Err(Error::Slow),
    }
}

fn builder(patience: &Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.headers).max_buf_size(BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HTTP2_PING_INTERVAL)
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX);
    builder
}
