//! A proxy in front of an S3 endpoint that answers wrongly, late, by half or not at all, by a script that a seed makes.
//!
//! It understands HTTP: a fault is one of a single request, and it knows whether the store behind it has handled that. Signatures stay
//! right, because everything is passed on as it came.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{future::BoxFuture, stream};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use runtime::Shutdown;
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Refused as forbidden (403), and not handled.
    Forbidden,
    /// A write is refused as conflicting (412), and not handled. Anything else is [`Fault::Unavailable`].
    Mismatch,
    /// Refused as too much (503), and not handled.
    Unavailable,
    /// Handled and answered, late.
    Slow,
    /// Handled, and half of the answer's body comes.
    Truncated,
    /// The connection ends before the request is handled.
    ResetBefore,
    /// The request is handled, and the connection ends before the answer.
    ResetAfter,
    /// The request is handled, the connection stays, and no answer comes.
    Silent,
}

/// What is told of each manifest that the store has taken, before whoever wrote it is: its key. The answer waits for it.
pub type OnManifest = Arc<dyn Fn(String) -> BoxFuture<'static, ()> + Send + Sync>;

/// A running proxy.
pub struct FaultyStore {
    address: SocketAddr,
    script: Arc<Script>,
    shutdown: Shutdown,
}

/// What happens to the requests, one after another.
struct Script {
    target: SocketAddr,
    seed: u64,
    requests: AtomicU64,
    per_cent: AtomicU64,
    /// From which request on everything goes wrong, and how.
    broken: Mutex<Option<(u64, Fault)>>,
    happened: Mutex<BTreeMap<Fault, u64>>,
    on_manifest: OnManifest,
}

type Body = BoxBody<Bytes, io::Error>;

const LATE: Duration = Duration::from_millis(60);

impl Fault {
    /// All of them that are over at once. Whoever meets [`Fault::Silent`] waits as long as they ever do.
    pub const ALL: [Self; 7] = [
        Self::Forbidden,
        Self::Mismatch,
        Self::Unavailable,
        Self::Slow,
        Self::Truncated,
        Self::ResetBefore,
        Self::ResetAfter,
    ];
}

impl FaultyStore {
    /// Listens on a free port of the loopback address, and passes everything on until it is told to rage.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn start(target: SocketAddr, seed: u64, on_manifest: OnManifest) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let script = Arc::new(Script {
            target,
            seed,
            requests: AtomicU64::new(0),
            per_cent: AtomicU64::new(0),
            broken: Mutex::default(),
            happened: Mutex::default(),
            on_manifest,
        });
        let store = Self { address: listener.local_addr()?, script, shutdown: Shutdown::new() };
        let (script, shutdown) = (Arc::clone(&store.script), store.shutdown.clone());
        store.shutdown.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = shutdown.requested() => return,
                };
                let Ok((client, _)) = accepted else { continue };
                let script = Arc::clone(&script);
                shutdown.spawn(serve(script, client, shutdown.clone()));
            }
        });
        Ok(store)
    }

    /// Its address, as clients take it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets so many of a hundred requests go wrong from now on.
    pub fn rage(&self, per_cent: u64) {
        self.script.per_cent.store(per_cent, Ordering::Relaxed);
    }

    /// Lets every request go wrong in this way, after so many that are passed on; every write, if it is [`Fault::Mismatch`].
    pub fn break_after(&self, requests: u64, fault: Fault) {
        *self.script.broken() = Some((self.requests() + requests, fault));
    }

    /// Passes everything on from now on.
    pub fn calm(&self) {
        self.rage(0);
        *self.script.broken() = None;
    }

    /// How many requests there were.
    pub fn requests(&self) -> u64 {
        self.script.requests.load(Ordering::Relaxed)
    }

    /// How often each fault happened.
    pub fn happened(&self) -> BTreeMap<Fault, u64> {
        self.script.happened().clone()
    }
}

impl Drop for FaultyStore {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

async fn serve(script: Arc<Script>, client: TcpStream, shutdown: Shutdown) {
    let service = service_fn(move |request| {
        let script = Arc::clone(&script);
        async move { script.answer(request).await }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(client), service);
    tokio::select! {
        // An error ends the connection without an answer, which is what the client is to see.
        _ = connection => {}
        () = shutdown.requested() => {}
    }
}

impl Script {
    fn happened(&self) -> MutexGuard<'_, BTreeMap<Fault, u64>> {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> MutexGuard<'_, Option<(u64, Fault)>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to the next request.
    fn next(&self, method: &Method) -> Option<Fault> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let drawn = draw(self.seed.wrapping_add(number));
        let is_write = method == Method::PUT;
        let broken = self.broken().filter(|(from, fault)| number >= *from && (is_write || *fault != Fault::Mismatch));
        let broken = broken.map(|(_, fault)| fault);
        if broken.is_none() && drawn % 100 >= self.per_cent.load(Ordering::Relaxed) {
            return None;
        }
        let fault = broken.unwrap_or(Fault::ALL[(drawn >> 32) as usize % Fault::ALL.len()]);
        let fault = if fault == Fault::Mismatch && !is_write { Fault::Unavailable } else { fault };
        *self.happened().entry(fault).or_default() += 1;
        Some(fault)
    }

    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let fault = self.next(request.method());
        // Read in any case, as a server does that answers a request it has taken.
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head, body.collect().await.map_err(io::Error::other)?.to_bytes());
        match fault {
            Some(Fault::Forbidden) => Ok(refusal(StatusCode::FORBIDDEN, "AccessDenied")),
            Some(Fault::Mismatch) => Ok(refusal(StatusCode::PRECONDITION_FAILED, "PreconditionFailed")),
            Some(Fault::Unavailable) => Ok(refusal(StatusCode::SERVICE_UNAVAILABLE, "SlowDown")),
            Some(Fault::ResetBefore) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Fault::Slow) => {
                tokio::time::sleep(LATE).await;
                self.pass_on(request).await.map(whole)
            }
            Some(Fault::ResetAfter) => {
                self.pass_on(request).await?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Some(Fault::Silent) => {
                self.pass_on(request).await?;
                std::future::pending().await
            }
            Some(Fault::Truncated) => half(self.pass_on(request).await?),
            None => self.pass_on(request).await.map(whole),
        }
    }

    async fn pass_on(&self, request: Request<Bytes>) -> io::Result<Response<Bytes>> {
        let manifest = (request.method() == Method::PUT && request.uri().path().contains("/manifest/"))
            .then(|| request.uri().path().splitn(3, '/').nth(2).unwrap_or_default().to_owned());
        let server = TcpStream::connect(self.target).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(server)).await.map_err(io::Error::other)?;
        let exchange = async {
            let answer = sender.send_request(request.map(Full::new)).await?;
            let (head, body) = answer.into_parts();
            Ok::<_, hyper::Error>(Response::from_parts(head, body.collect().await?.to_bytes()))
        };
        let answer = tokio::select! {
            answer = exchange => answer.map_err(io::Error::other)?,
            ended = connection => return Err(io::Error::other(format!("the store ended the connection: {ended:?}"))),
        };
        if let Some(key) = manifest.filter(|_| answer.status().is_success()) {
            (self.on_manifest)(key).await;
        }
        Ok(answer)
    }
}

/// A number that the seed makes, by SplitMix64 (Steele, Lea, Flood 2014).
fn draw(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn refusal(status: StatusCode, code: &str) -> Response<Body> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>the proxy says so</Message></Error>");
    let mut answer = whole(Response::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/xml"));
    answer
}

fn whole(answer: Response<Bytes>) -> Response<Body> {
    answer.map(|body| Full::new(body).map_err(|never: Infallible| match never {}).boxed())
}

/// The head, which promises the whole body, and half of that. An answer without a body is lost.
fn half(answer: Response<Bytes>) -> io::Result<Response<Body>> {
    if answer.body().is_empty() {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(answer.map(|body| {
        let half = body.slice(..body.len() / 2);
        let frames = [Ok(Frame::data(half)), Err(io::ErrorKind::ConnectionReset.into())];
        BodyExt::boxed(StreamBody::new(stream::iter(frames)))
    }))
}
