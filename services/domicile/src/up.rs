//! `domicile up`: every role of every region in one process, on stores of its own.

pub mod certificates;
pub mod region;
pub mod replicating;
pub mod stores;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    time::{Duration, Instant},
};

use runtime::Shutdown;
use tokio::{net::TcpListener, signal::unix::SignalKind};

use crate::{
    cli::{Place, Up},
    deployment::Deployment,
    exit::{Failure, Outcome},
    running::{Running, RunningRegion},
};
use region::RunningRoles;
use replicating::Replicating;
use stores::Stores;

/// How long each layer may take to finish what it holds.
const DRAIN_PATIENCE: Duration = Duration::from_secs(15);
/// How often the stores are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Runs until a signal asks to stop.
pub async fn run(place: &Place, options: &Up) -> Outcome {
    let mut started = Started::start(place, options).await?;
    println!("ready: http://{}", started.running.apex);
    let outcome = started.wait().await;
    println!("stopping");
    started.stop().await;
    outcome
}

/// A whole deployment in this process, in the layers it is stopped in: nothing new comes in, then what is under way ends,
/// then the stores.
pub struct Started {
    /// How others reach it.
    pub running: Running,
    deployment: Deployment,
    edge: Shutdown,
    roles: Shutdown,
    ground: Shutdown,
    stores: Vec<Stores>,
    replicators: Vec<Replicating>,
    _lock: crate::data_folder::Lock,
}

impl Started {
    /// Starts everything, a line a step.
    pub async fn start(place: &Place, options: &Up) -> Result<Self, Failure> {
        let begun = Instant::now();
        let mut deployment = Deployment::open(place)?;
        let lock = deployment.data.take()?;
        let plain = hold("DOMICILE_LISTEN", options.listen).await?;
        let tls = hold("DOMICILE_LISTEN_TLS", options.listen_tls).await?;
        let options =
            &Up { listen: plain.local_addr()?, listen_tls: tls.local_addr()?, rate_limits: options.rate_limits };
        deployment.edge = Some((apex(options.listen), options.listen));
        deployment.rate_limits = options.rate_limits.into();
        let (edge, roles, ground) = (Shutdown::new(), Shutdown::new(), Shutdown::new());
        let stores = start_stores(&deployment, &ground, begun).await?;

        let (directory, regions) = stores.split_first().expect("the directory's stores are the first of the list");
        let directory =
            region::start_directory(&deployment, &directory.region, TcpListener::bind(region::LOOPBACK).await?, &roles)
                .await?;
        let mut running = Running {
            process: std::process::id().cast_signed(),
            listen: options.listen,
            listen_tls: options.listen_tls,
            apex: apex(options.listen),
            directory: directory.url.clone(),
            directory_postgres: stores[0].cluster.port(),
            regions: BTreeMap::new(),
        };
        let (mut backends, mut replicators) = (HashMap::new(), Vec::new());
        for stores in regions {
            let RunningRoles { backend, operations, replicating } =
                region::start(&deployment, stores, &running.apex, &directory, &roles).await?;
            let id = stores.region.id.clone();
            say(begun, &format!("region {id}: desk, projector and replicator run"));
            let addresses = RunningRegion {
                postgres: stores.cluster.port(),
                s3: stores.s3.clone(),
                desk: backend.plain,
                desk_tls: backend.tls,
                operations,
            };
            running.regions.insert(id.clone(), addresses);
            backends.insert(id, backend);
            replicators.push(replicating);
        }
        drop((plain, tls));
        let bound = region::start_router(&deployment, options, &running.apex, backends, &directory, &edge).await?;
        (running.listen, running.listen_tls) = (bound.listen, bound.listen_tls);
        say(begun, &format!("router: http://{} and, by TLS, {}", running.listen, running.listen_tls));
        running.publish(&deployment.data)?;
        Ok(Self { running, deployment, edge, roles, ground, stores, replicators, _lock: lock })
    }

    /// Waits for a signal, or for a store or replicator that ended by itself.
    async fn wait(&mut self) -> Outcome {
        let (mut interrupt, mut terminate) = (
            tokio::signal::unix::signal(SignalKind::interrupt())?,
            tokio::signal::unix::signal(SignalKind::terminate())?,
        );
        loop {
            tokio::select! {
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                () = tokio::time::sleep(WATCH_INTERVAL) => {}
            }
            if let Some(ended) = self.stores.iter().find(|stores| stores.cluster.has_ended()) {
                let region = &ended.region.id;
                return Err(Failure::unavailable(anyhow::anyhow!(
                    "the Postgres server of {region} ended by itself; see its postgres.log"
                )));
            }
            for replicating in &mut self.replicators {
                replicating.check().await?;
            }
        }
    }

    /// Drains every layer and stops everything that was started.
    pub async fn stop(self) {
        Running::withdraw(&self.deployment.data);
        for (layer, shutdown) in [("router", &self.edge), ("roles", &self.roles), ("object stores", &self.ground)] {
            if !shutdown.drain(DRAIN_PATIENCE).await {
                tracing::warn!(layer, "did not finish in time");
            }
        }
        // Each cluster flushes when it stops: side by side, off the async threads.
        let stops = self.stores.into_iter().map(|stores| tokio::task::spawn_blocking(move || stores.cluster.stop()));
        futures::future::join_all(stops).await;
    }
}

/// The directory's stores first, then each region's, in the order of their ids. All start side by side.
async fn start_stores(deployment: &Deployment, ground: &Shutdown, begun: Instant) -> Result<Vec<Stores>, Failure> {
    let directory = async {
        let stores = stores::start_directory(deployment).await?;
        say(begun, "directory: Postgres is ready");
        Ok::<_, Failure>(stores)
    };
    let regions = deployment.regions.iter().map(|region| async move {
        let stores = stores::start(deployment, region, ground).await?;
        say(begun, &format!("region {}: Postgres and object store are ready", region.id));
        Ok::<_, Failure>(stores)
    });
    let (directory, regions) = tokio::try_join!(directory, futures::future::try_join_all(regions))?;
    Ok(std::iter::once(directory).chain(regions).collect())
}

/// The host people type: browsers and curl take every name under `localhost` for this machine.
fn apex(listen: SocketAddr) -> String {
    format!("localhost:{}", listen.port())
}

/// A port in use is found out before anything starts, port 0 becomes the one that people will type, and nobody else gets it
/// before the router does.
async fn hold(option: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::unavailable(anyhow::anyhow!("{option}: cannot listen on {address}: {error}")))
}

fn say(begun: Instant, line: &str) {
    println!("[{:5.1} s] {line}", begun.elapsed().as_secs_f32());
}
