//! What can go wrong between a region's description and a client of its stores.

use std::time::Duration;

use schemas::RegionId;

/// A failed step. Missing objects are `Option`s, not errors.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The region's file names no such store, and `domicile up` did not fill one in.
    #[error("region {region}: no {store} endpoint is configured")]
    NoEndpoint {
        /// Of which region.
        region: RegionId,
        /// `postgres`, `s3` or `kafka`.
        store: &'static str,
    },
    /// The database could not be reached, or refused.
    #[error("region {region}: cannot connect to Postgres as {role}")]
    Connect {
        /// Of which region.
        region: RegionId,
        /// As whom.
        role: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database took too long to let anybody in and to say whose it is.
    #[error("region {region}: Postgres did not answer {role} within {after:?}")]
    Silent {
        /// Of which region.
        region: RegionId,
        /// As whom.
        role: &'static str,
        /// How long it was given.
        after: Duration,
    },
    /// The database could not be asked whose it is and how it keeps data.
    #[error("region {region}: cannot ask Postgres whose it is")]
    Inspect {
        /// Of which region.
        region: RegionId,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database says that it belongs elsewhere.
    #[error("region {region}: this database belongs to region {found}")]
    AnotherHome {
        /// The region that was meant.
        region: RegionId,
        /// The region the database names; `nobody` if it was never given one.
        found: String,
    },
    /// The database would lose acknowledged data in a crash.
    #[error("region {region}: Postgres runs with {setting} = {value}, which loses acknowledged data in a crash")]
    UnsafeSetting {
        /// Of which region.
        region: RegionId,
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The brokers' client did not take its settings.
    #[error("region {region}: cannot make a client of Kafka")]
    KafkaClient {
        /// Of which region.
        region: RegionId,
        /// Why.
        #[source]
        source: rdkafka::error::KafkaError,
    },
    /// No broker answered.
    #[error("region {region}: no Kafka broker answered within {after:?} at {brokers}")]
    BrokersSilent {
        /// Of which region.
        region: RegionId,
        /// Where.
        brokers: String,
        /// How long they were given.
        after: Duration,
    },
    /// The database could not be asked which cluster holds the region's records.
    #[error("region {region}: cannot ask Postgres which Kafka cluster is the region's")]
    Cluster {
        /// Of which region.
        region: RegionId,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The brokers are of another cluster than the one recorded.
    #[error(
        "region {region}: the brokers are of cluster {found}; this region's records are on cluster {recorded}; \
        to move: domicile topic adopt --region {region}"
    )]
    AnotherCluster {
        /// Of which region.
        region: RegionId,
        /// The cluster the brokers name.
        found: String,
        /// The cluster recorded in the region's database.
        recorded: String,
    },
    /// Nobody has written to a cluster yet, so there is nothing to read.
    #[error("region {region}: no relay has recorded a Kafka cluster yet; start domicile relay --region {region}")]
    NoCluster {
        /// Of which region.
        region: RegionId,
    },
    /// The topic is not there.
    #[error("region {region}: the brokers have no topic {topic}; domicile relay --region {region} makes it")]
    NoTopic {
        /// Of which region.
        region: RegionId,
        /// Its name.
        topic: String,
    },
    /// The topic is not the one the region file describes: tenants would lie in other partitions.
    #[error("region {region}: topic {topic} has {found} partitions; kafka.partitions says {expected}")]
    AnotherPartitionCount {
        /// Of which region.
        region: RegionId,
        /// Its name.
        topic: String,
        /// How many it has.
        found: i32,
        /// How many it should have.
        expected: i32,
    },
    /// The bucket could not be asked where it is.
    #[error("bucket {bucket}: cannot ask where it is")]
    Location {
        /// Which bucket.
        bucket: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The bucket says that it is elsewhere.
    #[error("bucket {bucket}: is in {found}, and the region's data must stay in {expected}")]
    AnotherLocation {
        /// Which bucket.
        bucket: String,
        /// Where it should be.
        expected: String,
        /// Where it says it is.
        found: String,
    },
    /// The bucket could not be asked how it keeps objects.
    #[error("bucket {bucket}: cannot ask whether it keeps objects as the region file's {field} says")]
    InspectBucket {
        /// Which bucket.
        bucket: String,
        /// Which field of the region's file.
        field: &'static str,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The bucket keeps objects otherwise than the region's file says.
    #[error("{field}: bucket {bucket} {what}, or take {field} out of the region's file")]
    KeptOtherwise {
        /// Which bucket.
        bucket: String,
        /// Which field of the region's file.
        field: &'static str,
        /// How, and what to do.
        what: &'static str,
    },
    /// The bucket ends lives otherwise than the hosting policy says.
    #[error(
        "deletion: the life cycle of bucket {bucket} is not what the hosting policy asks for; missing: ends {}; too many: ends {}",
        or_nothing(missing),
        or_nothing(foreign)
    )]
    LivesOtherwise {
        /// Which bucket.
        bucket: String,
        /// What it does not end, and should.
        missing: String,
        /// What it ends, and should not.
        foreign: String,
    },
    /// The bucket could not be made or set up.
    #[error("bucket {bucket}: cannot be set up")]
    SetUp {
        /// Which bucket.
        bucket: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// An object could not be written.
    #[error("bucket {bucket}: cannot write {key}")]
    Write {
        /// Which bucket.
        bucket: String,
        /// Which object.
        key: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// An object could not be read, or its size asked.
    #[error("bucket {bucket}: cannot read {key}")]
    Read {
        /// Which bucket.
        bucket: String,
        /// Which object.
        key: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// Objects could not be listed.
    #[error("bucket {bucket}: cannot list {prefix}*")]
    List {
        /// Which bucket.
        bucket: String,
        /// Which objects.
        prefix: String,
        /// Why.
        #[source]
        source: StoreError,
    },
}

impl Error {
    /// Whether it stays until somebody changes the bucket or the region's file; asking again is of no use.
    pub const fn is_refused_bucket(&self) -> bool {
        matches!(self, Self::AnotherLocation { .. } | Self::KeptOtherwise { .. })
    }

    /// Whether it stays until somebody changes brokers, topic or region file; asking again is of no use.
    pub const fn is_refused_topic(&self) -> bool {
        matches!(self, Self::AnotherCluster { .. } | Self::AnotherPartitionCount { .. } | Self::KafkaClient { .. })
    }
}

/// What the object store's client says went wrong; which client that is stays in this crate.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;

fn or_nothing(lives: &str) -> &str {
    if lives.is_empty() { "nothing" } else { lives }
}
