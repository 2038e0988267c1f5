//! Where data may live: region files, the hosting policy, proof of residence, and the only constructors of clients of a
//! region's stores.
//!
//! A [`Region`] is read from `regions/<id>.toml`; from it, and from nothing else, come connections to its Postgres
//! ([`connect`], [`connection`], [`connection_with`], [`listener`]), its Kafka brokers ([`kafka_admin`], [`kafka_producer`],
//! [`kafka_consumer`]) and its [`Bucket`]. Each asks the store where it is before it hands the
//! client out. A [`Resident`] is a tenant proven to be at home here; whoever touches tenant data demands one.
//!
//! What goes out to somebody else's server goes through a [`Gate`], which asks the policy and looks at the address.
//!
//! This crate refuses to know events, keys, tickets, and what is said over HTTP.
//!
//! Reading order: [`region`](Region), [`policy`](HostingPolicy), [`rate_limits`](RateLimits), [`config`](Regions), [`resident`](Resident),
//! [`database`](DatabaseRole), [`kafka`](KafkaFound), [`storage`](Storage), [`bucket`](Bucket), [`egress`](Gate).

mod bucket;
mod config;
mod database;
mod egress;
mod error;
mod kafka;
mod policy;
mod rate_limits;
mod region;
mod resident;
mod storage;

pub use bucket::{Bucket, BucketPatience, BucketRole, Object, ObjectInfo, Put, auditor_policy, bucket};
pub use config::{ConfigError, Regions};
pub use database::{DatabaseRole, Patience, connect, connection, connection_with, listener};
pub use egress::{
    Answered, Gate, Held, InvalidNetwork, Names, Network, Outgoing, SendError, SystemNames, header, is_same_server,
};
pub use error::{Error, StoreError};
pub use kafka::{
    KafkaFound, KafkaLog, KafkaSettings, kafka_admin, kafka_answers, kafka_check, kafka_consumer, kafka_end,
    kafka_found, kafka_producer,
};
pub use policy::{EgressRule, HostingPolicy, LocalityDecision, LocalityRefusal, Verdict};
pub use rate_limits::{EndpointLimit, LimitedEndpoint, RateLimits};
pub use region::{
    Endpoints, Feed, Incident, KafkaEndpoint, KafkaLogin, KafkaSecurity, PostgresEndpoint, Region, S3Endpoint, Secret,
};
pub use resident::{ReadModels, Resident, begin, begin_reading, begin_with};
pub use storage::{Deletion, LockMode, ObjectLock, Storage};
