//! A directory whose map a test sets, regions that say who called, and a router between them.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use directory::{
    Map, NameState,
    map::{self, Entry},
};
use router::{Backend, Config, Limits, Metrics, Router};
use runtime::{Shutdown, SystemClock, SystemIds, proxy_protocol};
use schemas::{Epoch, Position, RegionId, TenantId};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use vault::SigningKey;

pub(crate) const ANYWHERE: &str = "127.0.0.1:0";

/// A directory that answers with the map it was given.
pub(crate) struct FakeDirectory {
    pub(crate) key: SigningKey,
    pub(crate) url: String,
    signed: Arc<Mutex<Vec<u8>>>,
    shutdown: Shutdown,
    _folder: TempDir,
}

impl FakeDirectory {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let ids = SystemIds::new(Arc::new(SystemClock));
        let key = SigningKey::load_or_create(&folder.path().join("key"), &ids)?;
        let signed = Arc::new(Mutex::new(map_of(1, &[]).sign(&key)));
        let listener = TcpListener::bind(ANYWHERE).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shutdown = Shutdown::new();
        let app = axum::Router::new().route("/map", axum::routing::get(answer)).with_state(signed.clone());
        let stop = shutdown.clone();
        let served = axum::serve(listener, app);
        shutdown.spawn(async move {
            tokio::select! { _ = async { served.await } => {}, () = stop.requested() => {} }
        });
        Ok(Self { key, url, signed, shutdown, _folder: folder })
    }

    pub(crate) fn publish(&self, bytes: Vec<u8>) {
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    pub(crate) fn publish_map(&self, map: &Map) {
        self.publish(map.sign(&self.key));
    }

    pub(crate) async fn stop(&self) {
        self.shutdown.drain(Duration::from_secs(5)).await;
    }
}

async fn answer(State(signed): State<Arc<Mutex<Vec<u8>>>>, headers: axum::http::HeaderMap) -> impl IntoResponse {
    let bytes = signed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let is_known = headers.get("if-none-match").is_some_and(|known| known.as_bytes() == map::etag(&bytes).as_bytes());
    if is_known { (StatusCode::NOT_MODIFIED, Vec::new()) } else { (StatusCode::OK, bytes) }
}

/// A map with these names: slug, region, state.
pub(crate) fn map_of(version: i64, names: &[(&str, &str, NameState)]) -> Map {
    let entry = |region: &str, state| Entry {
        tenant_id: TenantId::new(uuid()),
        region: region.parse().expect("a region"),
        epoch: Epoch::FIRST,
        state,
    };
    let names = names.iter().map(|(slug, region, state)| (slug.parse().expect("a slug"), entry(region, *state)));
    Map {
        version: Position::new(version),
        regions: BTreeMap::new(),
        successions: BTreeMap::new(),
        names: names.collect(),
    }
}

fn uuid() -> uuid::Uuid {
    use runtime::Ids as _;
    SystemIds::new(Arc::new(SystemClock)).uuid()
}

/// A region: each connection that came in, after its PROXY header.
pub(crate) struct FakeRegion {
    pub(crate) address: SocketAddr,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    accepting: JoinHandle<()>,
}

/// A connection that reached a region.
pub(crate) struct Arrival {
    pub(crate) header: proxy_protocol::Header,
    pub(crate) stream: TcpStream,
}

impl FakeRegion {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(ANYWHERE).await?;
        let address = listener.local_addr()?;
        let (sender, arrivals) = mpsc::unbounded_channel();
        let accepting = Shutdown::new().spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut header = vec![0; 28];
                if stream.read_exact(&mut header).await.is_err() {
                    continue;
                }
                let Ok(Some((header, 28))) = proxy_protocol::decode(&header) else { continue };
                if sender.send(Arrival { header, stream }).is_err() {
                    return;
                }
            }
        });
        Ok(Self { address, arrivals, accepting })
    }

    pub(crate) async fn next(&mut self) -> anyhow::Result<Arrival> {
        self.arrivals.recv().await.ok_or_else(|| anyhow::anyhow!("the region is gone"))
    }
}

impl Drop for FakeRegion {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A router with the regions `us` (default) and `eu`.
pub(crate) struct World {
    pub(crate) directory: FakeDirectory,
    pub(crate) us: FakeRegion,
    pub(crate) eu: FakeRegion,
    pub(crate) cache: PathBuf,
    _folder: TempDir,
}

/// A router that runs.
pub(crate) struct Running {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
}

impl World {
    /// `acme` is at home in `eu`, `fresh` is only claimed.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let directory = FakeDirectory::start().await?;
        directory.publish_map(&map_of(7, &[("acme", "eu", NameState::Confirmed), ("fresh", "eu", NameState::Claimed)]));
        let (us, eu) = (FakeRegion::start().await?, FakeRegion::start().await?);
        let folder = tempfile::tempdir()?;
        let cache = folder.path().join("router/map.json");
        Ok(Self { directory, us, eu, cache, _folder: folder })
    }

    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let backend = |region: &FakeRegion| Backend { plain: region.address, tls: region.address };
        let id = |text: &str| text.parse::<RegionId>();
        Ok(Config {
            listen: ANYWHERE.parse()?,
            listen_tls: Some(ANYWHERE.parse()?),
            apex: "localhost:8080".to_owned(),
            regions: HashMap::from([(id("us")?, backend(&self.us)), (id("eu")?, backend(&self.eu))]),
            default_region: id("us")?,
            map_cache: self.cache.clone(),
            directory: directory::Client::new(&self.directory.url, "token")?,
            public_key: self.directory.key.public_key(),
            // A loaded machine must not turn a name that comes late into one that is unknown.
            limits: Limits { unknown_name_timeout: Duration::from_secs(30), ..Limits::default() },
        })
    }

    pub(crate) async fn router(&self) -> anyhow::Result<Running> {
        run(self.config()?).await
    }

    /// A router with other limits.
    pub(crate) async fn router_with(&self, change: impl FnOnce(&mut Limits)) -> anyhow::Result<Running> {
        let mut config = self.config()?;
        change(&mut config.limits);
        run(config).await
    }
}

pub(crate) async fn run(config: Config) -> anyhow::Result<Running> {
    let router = Router::bind(config).await?;
    let plain = router.plain_address()?;
    let tls = router.tls_address().ok_or_else(|| anyhow::anyhow!("no TLS port"))??;
    let (metrics, shutdown) = (router.metrics(), Shutdown::new());
    shutdown.spawn(router.run(shutdown.clone()));
    Ok(Running { plain, tls, metrics, shutdown })
}

impl Running {
    pub(crate) async fn stop(self) -> bool {
        self.shutdown.drain(Duration::from_secs(30)).await
    }

    /// Sends bytes to the plain port and reads the answer to its end.
    pub(crate) async fn answer_to(&self, request: impl AsRef<[u8]>) -> anyhow::Result<String> {
        let mut client = TcpStream::connect(self.plain).await?;
        client.write_all(request.as_ref()).await?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await?;
        Ok(String::from_utf8(answer)?)
    }
}

/// A request for a host.
pub(crate) fn get(host: &str) -> String {
    format!("GET /tickets HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

/// Reads exactly what is expected to arrive.
pub(crate) async fn expect(stream: &mut TcpStream, bytes: &[u8]) -> anyhow::Result<()> {
    let mut read = vec![0; bytes.len()];
    stream.read_exact(&mut read).await?;
    anyhow::ensure!(read == bytes, "{:?} arrived", String::from_utf8_lossy(&read));
    Ok(())
}
