//! A deployment as a command sees it: region files, and for embedded regions what the running `up` says of itself.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use archive::note::Verifier;
use directory::{Map, RegionKeys};
use embedded::postgres::USER;
use ops_console::Operators;
use projector::ProjectorDeps;
use regions::{
    Bucket, BucketRole, DatabaseRole, Endpoints, HostingPolicy, PostgresEndpoint, Region, Regions, Resident, S3Endpoint,
};
use relay::RelayDeps;
use replicator::{KeyRing, ReplicatorDeps, Witness, Witnesses};
use runtime::{Clock, Ids, RegionMetrics, SystemClock, SystemIds};
use schemas::{DataClass, RegionId, Slug};
use sqlx::{PgConnection, PgPool};
use vault::{RegionKey, SigningKey, SigningKeyFolder, Vault};

use crate::{
    cli::Place,
    data_folder::DataFolder,
    directory_option::{GivenDirectory, KnownDirectory},
    exit::{Failure, Outcome},
    running::Running,
};

/// The name of every embedded database.
pub const DATABASE: &str = "postgres";

/// How often the replicator compares heads with archives.
const ARCHIVE_INTERVAL: Duration = Duration::from_secs(2);

/// Region files, data folder, clock and ids: what every command starts from.
#[derive(Clone)]
pub struct Deployment {
    /// The data folder.
    pub data: DataFolder,
    /// The region files and the hosting policy.
    pub regions: Arc<Regions>,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub ids: Arc<dyn Ids>,
    /// The apex and the router's address, where an `up` has them.
    pub edge: Option<(String, SocketAddr)>,
    /// Whether desks that it starts keep the hosting policy's limits of requests.
    pub rate_limits: desk::RateLimits,
    /// The directory that a command was given, in the place of the running `up`'s.
    given_directory: Option<KnownDirectory>,
}

impl Deployment {
    /// Reads the region files; a wrong one ends the command with exit code 78.
    pub fn open(place: &Place) -> Result<Self, Failure> {
        let regions = Regions::load(&place.regions).map_err(Failure::configuration)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(Arc::clone(&clock)));
        let data = DataFolder::new(&place.data);
        data.check_version()?;
        let (edge, rate_limits, given_directory) = (None, desk::RateLimits::Policy, None);
        Ok(Self { data, regions: Arc::new(regions), clock, ids, edge, rate_limits, given_directory })
    }

    /// The same, for a command that may be given its directory: part of the options is wrong use.
    pub fn open_with(place: &Place, directory: &GivenDirectory) -> Result<Self, Failure> {
        Ok(Self { given_directory: directory.find()?, ..Self::open(place)? })
    }

    /// The running `up`, or the line that says how to start one.
    pub fn running(&self) -> Result<Running, Failure> {
        Running::find(&self.data).ok_or_else(|| {
            let folder = self.data.path().display();
            Failure::unavailable(anyhow::anyhow!(
                "nothing runs on {folder}: start it with `make run`, or name its folder with --data"
            ))
        })
    }

    /// A region's file, without asking whether it can be reached.
    pub fn region_file(&self, id: &RegionId) -> Result<&Region, Failure> {
        self.regions.get(id).ok_or_else(|| {
            let known: Vec<&str> = self.regions.iter().map(|region| region.id.as_str()).collect();
            Failure::usage(format!("--region: takes one of {}, not {id}", known.join(", ")))
        })
    }

    /// A region with the endpoints of its stores: the file's, or those of the running `up`.
    pub fn region(&self, id: &RegionId) -> Result<Region, Failure> {
        let region = self.region_file(id)?.clone();
        if region.endpoints().is_some() {
            return Ok(region);
        }
        let running = self.running()?;
        let Some(addresses) = running.regions.get(id) else {
            return Err(Failure::unavailable(anyhow::anyhow!("region {id} does not run here")));
        };
        self.with_embedded_stores(region, addresses.postgres, &addresses.s3)
    }

    /// A region whose stores run on this machine.
    pub fn with_embedded_stores(&self, region: Region, postgres: u16, s3: &str) -> Result<Region, Failure> {
        let password = std::fs::read_to_string(self.data.postgres(&region.id).join("password"))?;
        let secret = |role| std::fs::read_to_string(self.data.bucket_secret(&region.id, role));
        let mut s3 = S3Endpoint::new(s3, BucketRole::Reader.as_str(), secret(BucketRole::Reader)?.trim());
        for role in BucketRole::ALL {
            s3 = s3.with_key(role, role.as_str(), secret(role)?.trim());
        }
        let postgres = PostgresEndpoint::new("127.0.0.1", postgres, DATABASE, USER, password.trim());
        Ok(region.with_endpoints(Endpoints { postgres, s3 }))
    }

    /// A pool of the region's database in one of the product's roles.
    pub async fn pool(&self, region: &Region, role: DatabaseRole) -> Result<PgPool, Failure> {
        Ok(regions::connect(region, role, 4).await?)
    }

    /// The region's bucket, in a role. One that is elsewhere, or keeps objects otherwise than the region's file says, ends the
    /// command with exit code 78.
    pub async fn bucket(&self, region: &Region, role: BucketRole) -> Result<Bucket, Failure> {
        regions::bucket(region, role, &self.clock).await.map_err(|error| match error.is_refused_bucket() {
            true => Failure::configuration(anyhow::Error::new(error).context(format!("region {}", region.id))),
            false => Failure::unavailable(error),
        })
    }

    /// The region's keys, over a pool of the region's database.
    pub fn vault(&self, region: &Region, pool: PgPool) -> Result<Vault, Failure> {
        let key = self.region_key(&region.id)?;
        Ok(Vault::new(pool, key, Arc::clone(&self.clock), Arc::clone(&self.ids)))
    }

    /// What wraps the tenant keys of the region.
    pub fn region_key(&self, region: &RegionId) -> Result<RegionKey, Failure> {
        RegionKey::load(&self.data.keys(region).join("region.key")).map_err(Failure::configuration)
    }

    /// The public half of it, under the region's name: what auditors check against.
    pub fn verifier(&self, region: &RegionId) -> Result<Verifier, Failure> {
        Ok(Verifier::new(archive::checkpoint::region_name(region), self.signing_key(region)?.public_key()))
    }

    /// What every region signs with, and how it came to that: what the directory publishes.
    pub fn region_keys(&self) -> Result<RegionKeys, Failure> {
        let mut keys = RegionKeys::default();
        for region in self.regions.iter() {
            let ring = self.key_ring(&region.id)?;
            keys.verifiers.insert(region.id.clone(), ring.signer_of_region().verifier().to_string());
            let statements = ring.successions().iter().map(|note| String::from_utf8_lossy(note).into_owned());
            let statements: Vec<_> = statements.collect();
            if !statements.is_empty() {
                keys.successions.insert(region.id.clone(), statements);
            }
        }
        Ok(keys)
    }

    /// A region's signing keys, as they lie in its folder now.
    pub fn key_ring(&self, region: &RegionId) -> Result<KeyRing, Failure> {
        KeyRing::read(region, &self.signing_keys(region)).map_err(Failure::configuration)
    }

    /// One region by name, or all that can be reached.
    pub fn regions_named(&self, id: Option<&RegionId>) -> Result<Vec<Region>, Failure> {
        match id {
            Some(id) => Ok(vec![self.region(id)?]),
            None => self.regions.iter().map(|region| self.region(&region.id)).collect(),
        }
    }

    /// The directory that the command was given, or that of the running `up`.
    pub fn directory(&self) -> Result<KnownDirectory, Failure> {
        if let Some(given) = &self.given_directory {
            return Ok(given.clone());
        }
        let Some(running) = Running::find(&self.data) else {
            let folder = self.data.path().display();
            return Err(Failure::unavailable(anyhow::anyhow!(
                "no directory: give --directory, --directory-token-file and --directory-key; or, as nothing runs on {folder}, \
                 start it with `make run`, or name its folder with --data"
            )));
        };
        let token = std::fs::read_to_string(self.data.keys(&directory_id()).join("token"))?;
        let client = directory::Client::new(&running.directory, token.trim())?;
        Ok(KnownDirectory { client, key: self.signing_key(&directory_id())?.public_key() })
    }

    /// The directory's map, its signature checked.
    pub async fn directory_map(&self) -> Result<Map, Failure> {
        let KnownDirectory { client, key } = self.directory()?;
        let bytes = client.map(None, None, Duration::ZERO).await?;
        let bytes = bytes.ok_or_else(|| anyhow::anyhow!("the directory sent no map"))?;
        Ok(directory::map::verify(&bytes, &key)?)
    }

    /// What a projector of the region works with.
    pub async fn projector(&self, region: &Region, metrics: &RegionMetrics) -> Result<ProjectorDeps, Failure> {
        let pool = regions::connect(region, DatabaseRole::Projector, 12).await?;
        Ok(ProjectorDeps {
            region: region.clone(),
            vault: self.vault(region, pool.clone())?,
            pool,
            clock: Arc::clone(&self.clock),
            metrics: metrics.clone(),
        })
    }

    /// What a replicator of the region works with.
    pub async fn replicator(&self, region: &Region, metrics: &RegionMetrics) -> Result<ReplicatorDeps, Failure> {
        let pool = regions::connect(region, DatabaseRole::Replicator, 8).await?;
        Ok(ReplicatorDeps {
            region: region.clone(),
            vault: self.vault(region, pool.clone())?,
            pool,
            bucket: self.bucket(region, BucketRole::Replicator).await?,
            signing: self.signing_keys(&region.id),
            witnesses: Witnesses::default(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            metrics: metrics.clone(),
            interval: ARCHIVE_INTERVAL,
        })
    }

    /// The regions that cosign for one, as the policy lets it show them tree heads: by the address in their files, or through the
    /// router of an `up`.
    pub fn witnesses(&self, of: &RegionId) -> Vec<Witness> {
        let policy = self.regions.policy();
        // What is shown: a log's origin, and its size and hashes.
        for class in [DataClass::Routing, DataClass::Operational] {
            let verdict = policy.may_leave(class, of, HostingPolicy::WITNESS);
            if !verdict.allowed {
                tracing::warn!(region = %of, %class, why = %verdict.reason, "tree heads are shown to no other region");
                return Vec::new();
            }
        }
        let running = || Running::find(&self.data).map(|running| (running.apex, running.listen));
        let edge = self.edge.clone().or_else(running);
        let witness = |region: &Region| match (&region.url, &edge) {
            (Some(url), _) => Some(Witness { region: region.id.clone(), url: url.clone(), address: None }),
            (None, Some((apex, address))) => {
                let url = format!("http://{}.{apex}", region.id);
                Some(Witness { region: region.id.clone(), url, address: Some(*address) })
            }
            (None, None) => None,
        };
        self.regions.iter().filter(|region| region.id != *of).filter_map(witness).collect()
    }

    /// What a relay of the region works with.
    pub async fn relay(&self, region: &Region, metrics: &RegionMetrics) -> Result<RelayDeps, Failure> {
        Ok(RelayDeps {
            region: region.clone(),
            pool: regions::connect(region, DatabaseRole::Relay, 4).await?,
            clock: Arc::clone(&self.clock),
            metrics: metrics.clone(),
            source: topic::TopicSource::Brokers,
        })
    }

    /// Where a region's signing key lies, and the successions that led to it.
    pub fn signing_keys(&self, region: &RegionId) -> SigningKeyFolder {
        SigningKeyFolder::new(self.data.keys(region))
    }

    /// Who operates a region.
    pub fn operators(&self, region: &RegionId) -> Operators {
        Operators::new(&self.data.keys(region))
    }

    /// What the region signs tree heads, manifests and backups with.
    pub fn signing_key(&self, region: &RegionId) -> Result<SigningKey, Failure> {
        SigningKey::load(&self.data.keys(region).join("signing.key")).map_err(Failure::configuration)
    }

    /// Makes a region's keys, where there are none yet.
    ///
    /// Only when a region is set up: making a new key in the place of a lost one would hide the loss.
    pub fn create_keys(&self, region: &RegionId) -> Outcome {
        let keys = self.data.make_keys(region)?;
        RegionKey::load_or_create(&keys.join("region.key"), self.ids.as_ref()).map_err(Failure::configuration)?;
        SigningKey::load_or_create(&keys.join("signing.key"), self.ids.as_ref()).map_err(Failure::configuration)?;
        Ok(())
    }

    /// The tenant, proven to be at home in the region.
    pub async fn resident(
        &self,
        connection: &mut PgConnection,
        region: &RegionId,
        slug: &Slug,
    ) -> Result<Resident, Failure> {
        let resident = Resident::prove(connection, region, slug).await?;
        resident.ok_or_else(|| Failure::usage(format!("--tenant: {slug} is not at home in region {region}")))
    }
}

fn directory_id() -> RegionId {
    "directory".parse().expect("a literal that is a region's id")
}
