//! What lies between: our router on threads of its own, HAProxy in a process of its own.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    thread,
    time::Duration,
};

use directory::{Map, NameState, map::Entry};
use router::{Backend, Config, Limits, Router};
use runtime::Shutdown;
use schemas::{Epoch, Position, RegionId, TenantId};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    sync::oneshot,
};
use vault::SigningKey;

use super::exchange::{APEX, SLUG};
use crate::figures::Bench;

/// As many threads as HAProxy has.
const THREADS: usize = 2;
const PAUSE: Duration = Duration::from_millis(20);
const ATTEMPTS_MAX: u32 = 100;

pub(super) struct Ours {
    pub(super) address: SocketAddr,
    shutdown: Shutdown,
}

pub(super) struct Haproxy {
    pub(super) address: SocketAddr,
    _process: Child,
}

impl Ours {
    pub(super) async fn start(bench: &Bench, region: SocketAddr) -> anyhow::Result<Self> {
        let (config, shutdown) = (config(bench, region)?, Shutdown::new());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let (bound, address) = oneshot::channel();
        let stop = shutdown.clone();
        thread::spawn(move || {
            runtime.block_on(async {
                let router = Router::bind(config).await?;
                let address = router.tls_address().ok_or_else(|| anyhow::anyhow!("the router has no TLS port"))??;
                let _ = bound.send(address);
                router.run(stop).await;
                anyhow::Ok(())
            })
        });
        Ok(Self { address: address.await?, shutdown })
    }

    pub(super) fn stop(self) {
        self.shutdown.request();
    }
}

/// A router that knows one name, from the map it finds on disk: its directory does not answer.
fn config(bench: &Bench, region: SocketAddr) -> anyhow::Result<Config> {
    let (folder, ids) = (bench.ground.folder(), bench.ground.ids.as_ref());
    let (key, map_cache) = (SigningKey::load_or_create(&folder.join("map.key"), ids)?, folder.join("map.json"));
    let home: RegionId = "eu".parse()?;
    let entry = Entry {
        tenant_id: TenantId::new(ids.uuid()),
        region: home.clone(),
        epoch: Epoch::FIRST,
        state: NameState::Confirmed,
    };
    let names = BTreeMap::from([(SLUG.parse()?, entry)]);
    let (regions, successions) = (BTreeMap::new(), BTreeMap::new());
    fs::write(&map_cache, Map { version: Position::new(1), regions, successions, names }.sign(&key))?;
    Ok(Config {
        listen: "127.0.0.1:0".parse()?,
        listen_tls: Some("127.0.0.1:0".parse()?),
        apex: APEX.to_owned(),
        regions: HashMap::from([(home.clone(), Backend { plain: region, tls: region })]),
        default_region: home,
        map_cache,
        directory: directory::Client::new("http://127.0.0.1:9", "none")?,
        public_key: key.public_key(),
        limits: Limits::default(),
    })
}

impl Haproxy {
    pub(super) async fn start(folder: &Path, region: SocketAddr) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = folder.join("haproxy.cfg");
        fs::write(&file, configuration(address, region))?;
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.kill_on_drop(true).spawn()?;
        let mut attempt = 0;
        while TcpStream::connect(address).await.is_err() {
            attempt += 1;
            anyhow::ensure!(process.try_wait()?.is_none() && attempt < ATTEMPTS_MAX, "it does not start");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Self { address, _process: process })
    }
}

fn configuration(address: SocketAddr, region: SocketAddr) -> String {
    format!(
        "global
    nbthread {THREADS}
defaults
    mode tcp
    timeout connect 2s
    timeout client 300s
    timeout server 300s
frontend names
    bind {address}
    tcp-request inspect-delay 5s
    tcp-request content accept if {{ req.ssl_hello_type 1 }}
    use_backend region if {{ req.ssl_sni -i {SLUG}.{APEX} }}
backend region
    server region {region} send-proxy-v2
"
    )
}
