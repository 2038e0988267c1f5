//! A role alone, as on a machine of its own: its stores come from the region file, its keys from
//! `DOMICILE_DATA/<region>/keys`, everything else from options.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::Args;
use desk::serve;
use regions::PostgresEndpoint;
use router::{Backend, Limits, Router};
use runtime::{RegionMetrics, Shutdown};
use schemas::RegionId;
use tokio::{net::TcpListener, signal::unix::SignalKind};

use crate::{
    cli::{Place, RateLimitsOption, RegionOption},
    deployment::Deployment,
    directory_option::{DirectoryOption, PublicKey, public_key, read},
    exit::{Failure, Outcome},
    up::region,
};

const DRAIN_PATIENCE: Duration = Duration::from_secs(30);

/// `domicile projector`, `domicile replicator`, `domicile relay`.
#[derive(Debug, Clone, Args)]
pub struct WorkerRole {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub region: RegionOption,
    /// Where to serve /healthz, /readyz and /metrics; a replicator serves /ops there, too.
    #[arg(long, default_value_t = loopback(9464), value_name = "ADDRESS:PORT")]
    pub listen_operations: SocketAddr,
}

/// `domicile desk`.
#[derive(Debug, Clone, Args)]
pub struct DeskRole {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub region: RegionOption,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: DirectoryOption,
    /// The directory's public key, 64 hex digits: only maps signed by it are used. Without it, the desk cosigns for no other region.
    #[arg(long, env = "DOMICILE_DIRECTORY_KEY", value_name = "HEX", value_parser = public_key)]
    pub directory_key: Option<PublicKey>,
    /// The deployment's host as people type it.
    #[arg(long, env = "DOMICILE_APEX", value_name = "HOST[:PORT]")]
    pub apex: String,
    /// Where to take plain connections from the router; each begins with a PROXY v2 header.
    #[arg(long, default_value_t = loopback(8081), value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Where to take TLS connections from the router.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "certificate", requires = "private_key")]
    pub listen_tls: Option<SocketAddr>,
    /// Certificate chain for the apex and every name below it, PEM.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// The certificate's key, PEM.
    #[arg(long, value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Where to serve /healthz, /readyz and /metrics.
    #[arg(long, default_value_t = loopback(9464), value_name = "ADDRESS:PORT")]
    pub listen_operations: SocketAddr,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub rate_limits: RateLimitsOption,
}

/// `domicile console`.
#[derive(Debug, Clone, Args)]
pub struct ConsoleRole {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub region: RegionOption,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: DirectoryOption,
    /// Where operators reach it: an address of this machine, which a proxy with TLS may stand in front of.
    #[arg(long, default_value_t = loopback(8082), value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
}

/// `domicile router`.
#[derive(Debug, Clone, Args)]
pub struct RouterRole {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: DirectoryOption,
    /// The directory's public key, 64 hex digits: only maps signed by it are used.
    #[arg(long, env = "DOMICILE_DIRECTORY_KEY", value_name = "HEX", value_parser = public_key)]
    pub directory_key: PublicKey,
    /// The deployment's host as people type it.
    #[arg(long, env = "DOMICILE_APEX", value_name = "HOST[:PORT]")]
    pub apex: String,
    /// Where people reach the router.
    #[arg(long, default_value_t = loopback(8080), value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Where people reach it by TLS.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen_tls: Option<SocketAddr>,
    /// A region's desk, plain and TLS address; once for each region.
    #[arg(long, required = true, value_name = "REGION=ADDRESS:PORT,ADDRESS:PORT")]
    pub backend: Vec<RegionBackend>,
}

/// `domicile directory`.
#[derive(Debug, Clone, Args)]
pub struct DirectoryRole {
    /// Host of the directory's own database.
    #[arg(long, value_name = "HOST")]
    pub database_host: String,
    /// Its port.
    #[arg(long, default_value_t = 5432, value_name = "PORT")]
    pub database_port: u16,
    /// The database's name.
    #[arg(long, default_value = "domicile_directory", value_name = "NAME")]
    pub database_name: String,
    /// The user that owns it.
    #[arg(long, default_value = "domicile", value_name = "USER")]
    pub database_user: String,
    /// File with the user's password.
    #[arg(long, value_name = "FILE")]
    pub database_password_file: PathBuf,
    /// Where to serve.
    #[arg(long, default_value_t = loopback(8090), value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
}

/// A region and where its desk takes connections.
#[derive(Debug, Clone)]
pub struct RegionBackend {
    region: RegionId,
    backend: Backend,
}

impl FromStr for RegionBackend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const TAKES: &str = "takes REGION=ADDRESS:PORT,ADDRESS:PORT (plain, then TLS)";
        let (region, addresses) = text.split_once('=').ok_or(TAKES)?;
        let (plain, tls) = addresses.split_once(',').ok_or(TAKES)?;
        let address = |text: &str| text.parse::<SocketAddr>().map_err(|_| TAKES.to_owned());
        let backend = Backend { plain: address(plain)?, tls: address(tls)? };
        Ok(Self { region: region.parse().map_err(|_| TAKES)?, backend })
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Runs the directory until a signal asks to stop.
pub async fn directory(place: &Place, options: &DirectoryRole) -> Outcome {
    let deployment = Deployment::open(place)?;
    let password = read(&options.database_password_file, "--database-password-file")?;
    let region = regions::Region::for_directory(PostgresEndpoint::new(
        &options.database_host,
        options.database_port,
        &options.database_name,
        &options.database_user,
        password.trim(),
    ));
    region::migrate(&region, false).await?;
    let shutdown = Shutdown::new();
    let listener = TcpListener::bind(options.listen).await?;
    let running = region::start_directory(&deployment, &region, listener, &shutdown).await?;
    println!("ready: {}; public key {}", running.url, hex::encode(running.public_key()));
    until_asked(&shutdown).await
}

/// Runs the router until a signal asks to stop.
pub async fn router(place: &Place, options: &RouterRole) -> Outcome {
    let deployment = Deployment::open(place)?;
    let regions: BTreeMap<RegionId, Backend> =
        options.backend.iter().map(|one| (one.region.clone(), one.backend)).collect();
    if let Some(unnamed) = deployment.regions.iter().find(|region| !regions.contains_key(&region.id)) {
        return Err(Failure::usage(format!("--backend: region {} is not named", unnamed.id)));
    }
    let router = Router::bind(router::Config {
        listen: options.listen,
        listen_tls: options.listen_tls,
        apex: options.apex.clone(),
        regions: regions.into_iter().collect::<HashMap<_, _>>(),
        default_region: deployment.regions.policy().default_region().clone(),
        map_cache: deployment.data.router_map(),
        directory: options.directory.client()?,
        public_key: options.directory_key.0,
        limits: Limits::default(),
    })
    .await?;
    let shutdown = Shutdown::new();
    shutdown.spawn(router.run(shutdown.clone()));
    println!("ready: http://{}", options.apex);
    until_asked(&shutdown).await
}

/// Runs a region's desk until a signal asks to stop.
pub async fn desk(place: &Place, options: &DeskRole) -> Outcome {
    let mut deployment = Deployment::open(place)?;
    deployment.rate_limits = options.rate_limits.into();
    let region = deployment.region(&options.region.region)?;
    region::migrate(&region, true).await?;
    let (metrics, shutdown) = (RegionMetrics::new(region.id.as_str()), Shutdown::new());
    let listen_tls = match (options.listen_tls, &options.certificate, &options.private_key) {
        (Some(listen), Some(certificate), Some(key)) => Some(serve::TlsConfig {
            listen,
            certificates_pem: read(certificate, "--certificate")?,
            private_key_pem: read(key, "--private-key")?,
        }),
        _ => None,
    };
    let listeners = serve::Config { listen: options.listen, listen_tls, listen_ops: options.listen_operations };
    let listeners = serve::Listeners::bind(&listeners).await?;
    let directory = (options.directory.client()?, options.directory_key.map(|key| key.0));
    if directory.1.is_none() {
        tracing::warn!(region = %region.id, "this desk cosigns for no other region: --directory-key is not given");
    }
    region::fence(&deployment, &region, &metrics).await?;
    let desk = region::desk(&deployment, &region, &options.apex, directory, (&metrics, &shutdown)).await?;
    let (plain, operations) = (listeners.plain_address(), listeners.ops_address());
    shutdown.spawn(serve::run(desk, listeners, serve::More::default(), shutdown.clone()));
    println!("ready: region {} at {plain}, operations at {operations}", region.id);
    until_asked(&shutdown).await
}

/// Runs a region's projections until a signal asks to stop.
pub async fn projector(place: &Place, options: &WorkerRole) -> Outcome {
    let deployment = Deployment::open(place)?;
    let region = deployment.region(&options.region.region)?;
    let (metrics, shutdown) = (RegionMetrics::new(region.id.as_str()), Shutdown::new());
    region::projector(&deployment, &region, &metrics, &shutdown).await?;
    worker_ready(&region.id, options, (metrics, axum::Router::new()), &shutdown).await
}

/// Runs a region's archive writer until a signal asks to stop.
pub async fn replicator(place: &Place, options: &WorkerRole) -> Outcome {
    let deployment = Deployment::open(place)?;
    let region = deployment.region(&options.region.region)?;
    let (metrics, shutdown) = (RegionMetrics::new(region.id.as_str()), Shutdown::new());
    let mut replicating = region::replicator(&deployment, &region, &metrics, &shutdown).await?;
    let backups = region::on_request(&deployment, &region, &metrics, &shutdown).await?;
    let more = region::for_ops(&deployment, &region, backups)?;
    worker_ready(&region.id, options, (metrics, more), &shutdown).await?;
    replicating.check().await
}

/// Copies a region's log to its topic until a signal asks to stop.
pub async fn relay(place: &Place, options: &WorkerRole) -> Outcome {
    let deployment = Deployment::open(place)?;
    let region = deployment.region(&options.region.region)?;
    if region.kafka().is_none() {
        let id = &region.id;
        return Err(Failure::configuration(anyhow::anyhow!("region {id}: a relay takes a region file with [kafka]")));
    }
    let (metrics, shutdown) = (RegionMetrics::new(region.id.as_str()), Shutdown::new());
    region::relay(&deployment, &region, &metrics, &shutdown).await?;
    worker_ready(&region.id, options, (metrics, axum::Router::new()), &shutdown).await
}

/// Runs the console of a region's operators until a signal asks to stop. Its desk serves nobody: it is the one write path.
pub async fn console(place: &Place, options: &ConsoleRole) -> Outcome {
    let deployment = Deployment::open(place)?;
    let region = deployment.region(&options.region.region)?;
    let (metrics, shutdown) = (RegionMetrics::new(region.id.as_str()), Shutdown::new());
    let directory = (options.directory.client()?, None);
    let desk = region::desk(&deployment, &region, "", directory, (&metrics, &shutdown)).await?;
    let backups = region::on_request(&deployment, &region, &metrics, &shutdown).await?;
    let console = region::console(&deployment, (&region, &metrics), (desk, backups), &shutdown).await?;
    let listener = TcpListener::bind(options.listen).await?;
    println!("ready: region {}, http://{}/ops", region.id, listener.local_addr()?);
    let asked = shutdown.clone();
    shutdown.spawn(async move {
        let served = axum::serve(listener, desk::alone(console));
        if let Err(error) = served.with_graceful_shutdown(async move { asked.requested().await }).await {
            tracing::error!(%error, "the console failed");
        }
    });
    until_asked(&shutdown).await
}

async fn worker_ready(
    region: &RegionId,
    options: &WorkerRole,
    served: (RegionMetrics, axum::Router),
    shutdown: &Shutdown,
) -> Outcome {
    let listener = TcpListener::bind(options.listen_operations).await?;
    println!("ready: region {region}, operations at {}", listener.local_addr()?);
    shutdown.spawn(crate::operations::serve(listener, served, shutdown.clone()));
    until_asked(shutdown).await
}

async fn until_asked(shutdown: &Shutdown) -> Outcome {
    let (mut interrupt, mut terminate) =
        (tokio::signal::unix::signal(SignalKind::interrupt())?, tokio::signal::unix::signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        // A role that cannot go on asks for it.
        () = shutdown.requested() => {}
    }
    if !shutdown.drain(DRAIN_PATIENCE).await {
        tracing::warn!("not everything finished in time");
    }
    Ok(())
}
