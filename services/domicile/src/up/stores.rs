//! The stores of an embedded region: a private Postgres cluster and an S3 endpoint, each in the region's own folder.

use std::{fs, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use embedded::{
    postgres::{Cluster, Config, Durability},
    s3,
};
use regions::{Bucket, BucketRole, PostgresEndpoint, Region};
use runtime::Shutdown;
use schemas::RegionId;

use crate::{
    deployment::{DATABASE, Deployment},
    exit::Failure,
};

/// What must stay alive while a region runs. The cluster stops when this is dropped.
#[derive(Debug)]
pub struct Stores {
    /// The region with endpoints.
    pub region: Region,
    /// The cluster.
    pub cluster: Cluster,
    /// The address of the object store; empty for the directory, which has none.
    pub s3: String,
}

/// Starts the stores of a region and brings its database to the newest schema.
pub async fn start(deployment: &Deployment, region: &Region, shutdown: &Shutdown) -> Result<Stores, Failure> {
    let cluster = cluster(deployment, &region.id).await?;
    let config = s3::Config {
        folder: deployment.data.objects(&region.id),
        location: region.cloud_region.clone(),
        credentials: credentials(deployment, region)?,
        durability: s3::Durability::Durable,
        clock: Arc::clone(&deployment.clock),
    };
    let s3 = s3::Endpoint::start(config, shutdown).await?.url();
    let region = deployment.with_embedded_stores(region.clone(), cluster.port(), &s3)?;
    super::region::migrate(&region, true).await?;
    Bucket::set_up(&region, &deployment.clock).await?;
    Ok(Stores { region, cluster, s3 })
}

/// A key for each role, with what it may do. There is none that may do everything.
fn credentials(deployment: &Deployment, region: &Region) -> Result<Vec<s3::Credential>, Failure> {
    let credential = |role: BucketRole| {
        let secret_key = secret_file(&deployment.data.bucket_secret(&region.id, role), deployment)?;
        let policy = Some(s3::Policy::parse(&role.policy(region))?);
        Ok(s3::Credential { policy, ..s3::Credential::unlimited(role.as_str(), secret_key) })
    };
    BucketRole::ALL.into_iter().map(credential).collect()
}

/// Starts the directory's database.
pub async fn start_directory(deployment: &Deployment) -> Result<Stores, Failure> {
    let id: RegionId = "directory".parse().expect("a literal that is a region's id");
    let cluster = cluster(deployment, &id).await?;
    let endpoint =
        PostgresEndpoint::new("127.0.0.1", cluster.port(), DATABASE, embedded::postgres::USER, cluster.password());
    let region = Region::for_directory(endpoint);
    super::region::migrate(&region, false).await?;
    Ok(Stores { region, cluster, s3: String::new() })
}

async fn cluster(deployment: &Deployment, region: &RegionId) -> Result<Cluster, Failure> {
    let config = Config { folder: deployment.data.postgres(region), durability: Durability::Durable };
    // Keys before data: where there is data, its keys were made, and their loss must not be papered over.
    if !config.folder.join("data").exists() {
        deployment.create_keys(region)?;
    }
    let password = token(deployment);
    let started = tokio::task::spawn_blocking(move || Cluster::start(&config, &password)).await?;
    started.map_err(|error| match error {
        embedded::postgres::Error::OtherVersion { .. } => Failure::configuration(error),
        other => Failure::unavailable(other),
    })
}

/// Reads a secret of this deployment, or makes it: a file that nobody else can read. Of two processes that make it at once both
/// have the one that was there first: it gets its name when it is whole.
pub fn secret_file(path: &Path, deployment: &Deployment) -> Result<String, Failure> {
    if let Ok(secret) = fs::read_to_string(path) {
        return Ok(secret.trim().to_owned());
    }
    let secret = token(deployment);
    let whole = path.with_extension(format!("{}.new", deployment.ids.uuid()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&whole)?;
    std::io::Write::write_all(&mut file, secret.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&whole, path);
    fs::remove_file(&whole)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Ok(fs::read_to_string(path)?.trim().to_owned())
        }
        linked => Ok(linked.map(|()| secret)?),
    }
}

fn token(deployment: &Deployment) -> String {
    hex::encode(deployment.ids.secret())
}
