//! The roles, each made from what it needs: of one region, of the directory, and the router.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use desk::{Desk, Witness, WitnessKeys, serve};
use eventlog::{Appender, AppenderConfig};
use ops_console::Console;
use regions::{BucketRole, DatabaseRole, Feed, ReadModels, Region};
use replicator::Witnesses;
use replicator::backup::OnRequest;
use restorer::RestorerDeps;
use router::{Backend, Config as RouterConfig, Limits, Router};
use runtime::{RegionMetrics, Shutdown};
use schemas::RegionId;
use tokio::net::TcpListener;

use super::{
    certificates,
    replicating::Replicating,
    stores::{self, Stores},
};
use crate::{cli::Up, deployment::Deployment, exit::Failure, operations};

/// A free port of this machine only.
pub const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How often the directory looks for new keys of regions.
const KEYS_EVERY: Duration = Duration::from_secs(1);

/// The roles of a region: where they are reached.
pub struct RunningRoles {
    /// By the router.
    pub backend: Backend,
    /// By ops.
    pub operations: SocketAddr,
    /// The one that must not fail unseen.
    pub replicating: Replicating,
}

/// How regions and the router reach the directory.
pub struct RunningDirectory {
    /// Its address.
    pub url: String,
    token: String,
    public_key: [u8; 32],
}

impl RunningDirectory {
    /// What the router checks maps with.
    pub const fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    fn client(&self) -> Result<directory::Client, Failure> {
        Ok(directory::Client::new(&self.url, &self.token)?)
    }
}

/// Where the router listens, after port 0.
pub struct Bound {
    /// Plain.
    pub listen: SocketAddr,
    /// By TLS.
    pub listen_tls: SocketAddr,
}

/// Starts the directory on a bound port.
pub async fn start_directory(
    deployment: &Deployment,
    region: &Region,
    listener: TcpListener,
    roles: &Shutdown,
) -> Result<RunningDirectory, Failure> {
    let keys = deployment.data.keys(&region.id);
    let token = stores::secret_file(&keys.join("token"), deployment)?;
    let pool = regions::connect(region, DatabaseRole::Desk, 8).await?;
    let directory = directory::Directory::start(directory::Deps {
        region: region.clone(),
        vault: deployment.vault(region, pool.clone())?,
        pool,
        appender: appender(region, &RegionMetrics::new(region.id.as_str()), roles).await?,
        signing_key: deployment.signing_key(&region.id)?,
        token: token.clone(),
        keys: deployment.region_keys()?,
        clock: Arc::clone(&deployment.clock),
        ids: Arc::clone(&deployment.ids),
    })
    .await?;
    let running = RunningDirectory {
        url: format!("http://{}", listener.local_addr()?),
        token,
        public_key: directory.public_key(),
    };
    roles.spawn(follow_keys(deployment.clone(), directory.clone(), roles.clone()));
    let shutdown = roles.clone();
    roles.spawn(async move {
        if let Err(error) = directory.run(listener, shutdown).await {
            tracing::error!(error = runtime::chain(&error), "the directory ended");
        }
    });
    Ok(running)
}

/// Publishes the key that a region has put to work, soon after it has.
async fn follow_keys(deployment: Deployment, directory: directory::Directory, shutdown: Shutdown) {
    while shutdown.sleep(KEYS_EVERY).await {
        match deployment.region_keys() {
            Ok(keys) => directory.publish_keys(keys),
            Err(error) => tracing::warn!(%error, "the regions' keys cannot be read: the last ones stay published"),
        }
    }
}

/// Starts desk, projector and replicator of a region, and a relay where it has a topic.
pub async fn start(
    deployment: &Deployment,
    stores: &Stores,
    apex: &str,
    directory: &RunningDirectory,
    roles: &Shutdown,
) -> Result<RunningRoles, Failure> {
    let region = &stores.region;
    let keys = deployment.data.keys(&region.id);
    let metrics = RegionMetrics::new(region.id.as_str());
    let host = apex.split(':').next().unwrap_or(apex);
    let certificate = certificates::load_or_create(&keys, host)?;
    let tls = serve::TlsConfig {
        listen: LOOPBACK,
        certificates_pem: certificate.certificates_pem,
        private_key_pem: certificate.private_key_pem,
    };
    let listeners = serve::Config { listen: LOOPBACK, listen_tls: Some(tls), listen_ops: LOOPBACK };
    let listeners = serve::Listeners::bind(&listeners).await?;
    let plain = listeners.plain_address();
    let backend = Backend { plain, tls: listeners.tls_address().unwrap_or(plain) };
    let operations = listeners.ops_address();
    fence(deployment, region, &metrics).await?;
    let directory = (directory.client()?, Some(directory.public_key));
    let desk = desk(deployment, region, apex, directory, (&metrics, roles)).await?;
    let backups = on_request(deployment, region, &metrics, roles).await?;
    let more = serve::More {
        for_ops: for_ops(deployment, region, backups.clone())?,
        for_operators: console(deployment, (region, &metrics), (desk.clone(), backups), roles).await?,
    };
    roles.spawn(serve::run(desk, listeners, more, roles.clone()));
    if region.kafka().is_some() {
        relay(deployment, region, &metrics, roles).await?;
    }
    projector(deployment, region, &metrics, roles).await?;
    let replicating = replicator(deployment, region, &metrics, roles).await?;
    Ok(RunningRoles { backend, operations, replicating })
}

/// Brings a database to the newest schema.
pub async fn migrate(region: &Region, with_read_models: bool) -> Result<(), Failure> {
    let mut owner = regions::connection(region, DatabaseRole::Owner).await?;
    eventlog::migrate(&mut owner, &region.id).await?;
    vault::migrate(&mut owner).await?;
    if with_read_models {
        projector::migrate(&mut owner).await?;
        topic::migrate(&mut owner).await?;
    }
    Ok(())
}

/// Closes every tenant whose log ends before what was published of it, before anybody can append to it.
pub async fn fence(deployment: &Deployment, region: &Region, metrics: &RegionMetrics) -> Result<(), Failure> {
    let deps = deployment.replicator(region, metrics).await?;
    for tenant in replicator::fence::close_behind(&deps).await? {
        tracing::error!(region = %region.id, tenant.id = %tenant.tenant_id, "{}", tenant.line(&region.id));
    }
    Ok(())
}

/// A region's desk. The directory's public key lets it cosign for other regions.
pub async fn desk(
    deployment: &Deployment,
    region: &Region,
    apex: &str,
    (directory, directory_key): (directory::Client, Option<[u8; 32]>),
    (metrics, roles): (&RegionMetrics, &Shutdown),
) -> Result<Desk, Failure> {
    let pool = regions::connect(region, DatabaseRole::Desk, 16).await?;
    Ok(Desk::new(desk::Deps {
        region: region.clone(),
        regions: Arc::clone(&deployment.regions),
        apex: apex.to_owned(),
        vault: deployment.vault(region, pool.clone())?,
        pool,
        read_models: ReadModels::new(projector::shapes()),
        appender: appender(region, metrics, roles).await?,
        bucket: deployment.bucket(region, BucketRole::Desk).await?,
        witness: Witness {
            signing: deployment.signing_keys(&region.id),
            keys: WitnessKeys::new(directory.clone(), directory_key),
        },
        directory,
        clock: Arc::clone(&deployment.clock),
        ids: Arc::clone(&deployment.ids),
        metrics: metrics.clone(),
        rate_limits: deployment.rate_limits,
    }))
}

async fn appender(region: &Region, metrics: &RegionMetrics, roles: &Shutdown) -> Result<Appender, Failure> {
    Ok(Appender::start(AppenderConfig::default(), region, metrics.clone(), roles).await?)
}

/// Runs a region's projector until shutdown.
pub async fn projector(
    deployment: &Deployment,
    region: &Region,
    metrics: &RegionMetrics,
    roles: &Shutdown,
) -> Result<(), Failure> {
    check_topic(region, DatabaseRole::Projector).await?;
    let deps = deployment.projector(region, metrics).await?;
    let shutdown = roles.clone();
    roles.spawn(async move { projector::Projector::new(deps).run(shutdown).await });
    Ok(())
}

/// Runs a region's replicator until shutdown.
pub async fn replicator(
    deployment: &Deployment,
    region: &Region,
    metrics: &RegionMetrics,
    roles: &Shutdown,
) -> Result<Replicating, Failure> {
    check_topic(region, DatabaseRole::Replicator).await?;
    let mut deps = deployment.replicator(region, metrics).await?;
    deps.witnesses = Witnesses::new(deployment.witnesses(&region.id))?;
    let shutdown = roles.clone();
    let drills = RestorerDeps {
        region_key: deployment.region_key(&region.id)?,
        replicator: deps.clone(),
        names: std::collections::BTreeMap::new(),
        // Into scratch: of that no tenant hears.
        command: String::new(),
    };
    roles.spawn(restorer::drill::Worker::new(drills).run(roles.clone()));
    let run = replicator::Replicator::new(deps).run(shutdown);
    Ok(Replicating::spawn(region.id.clone(), roles, run))
}

/// Backups of the region that somebody asks for, one at a time, whoever asks.
pub async fn on_request(
    deployment: &Deployment,
    region: &Region,
    metrics: &RegionMetrics,
    roles: &Shutdown,
) -> Result<OnRequest, Failure> {
    Ok(OnRequest::new(deployment.replicator(region, metrics).await?, roles.clone()))
}

/// What ops may ask whoever replicates the region, for those who hold its token.
pub fn for_ops(deployment: &Deployment, region: &Region, backups: OnRequest) -> Result<axum::Router, Failure> {
    let token = stores::secret_file(&deployment.data.keys(&region.id).join("ops.token"), deployment)?;
    Ok(operations::backups::routes(backups, &token))
}

/// The console of the region's operators.
pub async fn console(
    deployment: &Deployment,
    (region, metrics): (&Region, &RegionMetrics),
    (desk, backups): (Desk, OnRequest),
    roles: &Shutdown,
) -> Result<axum::Router, Failure> {
    let deps = ops_console::Deps {
        operators: deployment.operators(&region.id),
        projector: deployment.projector(region, metrics).await?,
        desk,
        backups,
    };
    Ok(Console::start(deps, roles).routes())
}

/// Runs a region's relay until shutdown.
pub async fn relay(
    deployment: &Deployment,
    region: &Region,
    metrics: &RegionMetrics,
    roles: &Shutdown,
) -> Result<(), Failure> {
    check_topic(region, DatabaseRole::Relay).await?;
    let deps = deployment.relay(region, metrics).await?;
    let shutdown = roles.clone();
    roles.spawn(async move { relay::Relay::new(deps).run(shutdown).await });
    Ok(())
}

/// Refuses brokers of another cluster and a topic of another shape where somebody sees it: at the start. Brokers that do not
/// answer keep nobody from starting; the log is read meanwhile.
async fn check_topic(region: &Region, role: DatabaseRole) -> Result<(), Failure> {
    if role != DatabaseRole::Relay && region.feed == Feed::Log {
        return Ok(());
    }
    let mut connection = regions::connection(region, role).await?;
    match regions::kafka_check(region, &mut connection).await {
        Err(error) if error.is_refused_topic() => Err(Failure::configuration(error)),
        Err(error) => {
            tracing::warn!(error = runtime::chain(&error), "the topic is not to be had yet");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// Runs the router until shutdown.
pub async fn start_router(
    deployment: &Deployment,
    options: &Up,
    apex: &str,
    regions: HashMap<RegionId, Backend>,
    directory: &RunningDirectory,
    edge: &Shutdown,
) -> Result<Bound, Failure> {
    let router = Router::bind(RouterConfig {
        listen: options.listen,
        listen_tls: Some(options.listen_tls),
        apex: apex.to_owned(),
        regions,
        default_region: deployment.regions.policy().default_region().clone(),
        map_cache: deployment.data.router_map(),
        directory: directory.client()?,
        public_key: directory.public_key,
        limits: Limits::default(),
    })
    .await?;
    let listen = router.plain_address()?;
    let listen_tls = router.tls_address().transpose()?.unwrap_or(listen);
    edge.spawn(router.run(edge.clone()));
    Ok(Bound { listen, listen_tls })
}
