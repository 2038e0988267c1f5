//! A region and where its stores are.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use schemas::RegionId;

use crate::{
    bucket::{BucketPatience, BucketRole},
    egress::Network,
    storage::Storage,
};

/// One region, as its file names it.
#[derive(Debug, Clone)]
pub struct Region {
    /// Its id: the file's name, the label in hosts, the word in the API.
    pub id: RegionId,
    /// Its name for people.
    pub name: String,
    /// Whose law it is under: `EEA`, or a country code of ISO 3166-1.
    pub jurisdiction: String,
    /// The cloud provider's name of the place; the bucket must say the same of itself.
    pub cloud_region: String,
    /// The one bucket of the region.
    pub bucket: String,
    /// The name of the region key.
    pub key_alias: String,
    /// Where the other regions reach its own host, if they are to: the endpoint of a witness.
    pub url: Option<String>,
    /// Where projector and replicator read from.
    pub feed: Feed,
    /// How often it is backed up by itself; nothing if only when somebody asks.
    pub backup_every: Option<SignedDuration>,
    /// For how long its backups are kept; the newest whole one for ever.
    pub backup_keep: SignedDuration,
    /// How its bucket keeps objects.
    pub storage: Storage,
    /// How often a sample of its tenants is restored and compared by itself; nothing if only when somebody asks.
    pub drill_every: Option<SignedDuration>,
    /// How many tenants such a sample has.
    pub drill_sample: u32,
    /// Private networks that what goes out may reach, without TLS too: none, but where a program is developed.
    pub private_networks: Vec<Network>,
    /// What went wrong here, in the operator's words, the latest first.
    pub incidents: Vec<Incident>,
    pub(crate) postgres: Option<PostgresEndpoint>,
    pub(crate) s3: Option<S3Endpoint>,
    pub(crate) kafka: Option<KafkaEndpoint>,
}

/// Something that went wrong in a region, as its file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Since when.
    pub began: Timestamp,
    /// Until when; nothing while it lasts.
    pub ended: Option<Timestamp>,
    /// What it was, for people to read.
    pub what: String,
}

/// Where a region's readers get events from. The log is the truth either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Feed {
    /// The log itself.
    #[default]
    Log,
    /// The region's topic, and the log wherever the topic does not join.
    Kafka,
}

/// Where the two stores of a region are reached.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The database.
    pub postgres: PostgresEndpoint,
    /// The object store.
    pub s3: S3Endpoint,
}

/// How to reach a Postgres database.
#[derive(Debug, Clone)]
pub struct PostgresEndpoint {
    /// A host name, an address, or the folder of a Unix socket (then it begins with `/`). Over the network, anything but
    /// this machine takes TLS with a verified certificate.
    pub host: String,
    /// The port; for a Unix socket, the number in its name.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user: the owner of the schemas, member of every database role.
    pub user: String,
    /// Its password; empty if the server asks for none.
    pub password: Secret,
}

/// How to reach an S3 endpoint.
#[derive(Debug, Clone)]
pub struct S3Endpoint {
    /// Scheme, host and port.
    pub url: String,
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret.
    pub secret_key: Secret,
    /// Keys of single roles, where one process works in several; others use the one above.
    by_role: BTreeMap<BucketRole, (String, Secret)>,
    /// How long it may take to answer.
    pub(crate) patience: BucketPatience,
}

/// How to reach the Kafka brokers, and what the region's topic is like.
#[derive(Debug, Clone)]
pub struct KafkaEndpoint {
    /// Some of the brokers, each as host and port.
    pub brokers: Vec<String>,
    /// How many partitions the topic has: at least as many as there will ever be processes of one kind.
    pub partitions: i32,
    /// On how many brokers each partition lies.
    pub replication: i32,
    /// How the brokers are spoken to.
    pub security: KafkaSecurity,
    /// Whom to log in as (SASL SCRAM-SHA-512), if the brokers ask.
    pub login: Option<KafkaLogin>,
}

/// How brokers are spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaSecurity {
    /// TLS with verified certificates, against the machine's authorities or those of a file.
    Tls {
        /// A file of certificates, PEM.
        ca_file: Option<PathBuf>,
    },
    /// In the clear: only where every broker is this machine.
    Plaintext,
}

/// A user of the brokers.
#[derive(Debug, Clone)]
pub struct KafkaLogin {
    /// Who.
    pub username: String,
    /// Its password.
    pub password: Secret,
}

/// A password or key of a store. Its `Debug` tells nothing.
#[derive(Clone)]
pub struct Secret(String);

impl Region {
    /// The directory as a place with a database: id `directory`, no bucket, no jurisdiction, because it holds nothing but
    /// routing data.
    pub fn for_directory(postgres: PostgresEndpoint) -> Self {
        Self {
            id: "directory".parse().expect("a literal that is a region id"),
            name: "Directory".to_owned(),
            jurisdiction: String::new(),
            cloud_region: String::new(),
            bucket: String::new(),
            key_alias: "alias/domicile-directory".to_owned(),
            url: None,
            feed: Feed::Log,
            backup_every: None,
            backup_keep: SignedDuration::MAX,
            drill_every: None,
            drill_sample: 0,
            storage: Storage::default(),
            private_networks: Vec::new(),
            incidents: Vec::new(),
            postgres: Some(postgres),
            s3: None,
            kafka: None,
        }
    }

    /// The same place under another id, for a database that is being set up.
    #[must_use]
    pub fn with_id(self, id: RegionId) -> Self {
        Self { id, ..self }
    }

    /// The region as it is in another database of the same server. What is there feeds nobody.
    #[must_use]
    pub fn in_database(self, database: &str) -> Self {
        let postgres = self.postgres.map(|endpoint| PostgresEndpoint { database: database.to_owned(), ..endpoint });
        Self { postgres, feed: Feed::Log, kafka: None, ..self }
    }

    /// The region with its stores at these endpoints.
    #[must_use]
    pub fn with_endpoints(self, endpoints: Endpoints) -> Self {
        Self { postgres: Some(endpoints.postgres), s3: Some(endpoints.s3), ..self }
    }

    /// Both endpoints, if the region's file (or `domicile up`) names them. Without: the embedded stores are meant.
    pub fn endpoints(&self) -> Option<Endpoints> {
        Some(Endpoints { postgres: self.postgres.clone()?, s3: self.s3.clone()? })
    }

    /// The region with its topic on these brokers.
    #[must_use]
    pub fn with_kafka(self, feed: Feed, kafka: KafkaEndpoint) -> Self {
        Self { feed, kafka: Some(kafka), ..self }
    }

    /// Where its database is.
    pub const fn postgres(&self) -> Option<&PostgresEndpoint> {
        self.postgres.as_ref()
    }

    /// Where its object store is.
    pub const fn s3(&self) -> Option<&S3Endpoint> {
        self.s3.as_ref()
    }

    /// Where its topic is, if it has one. It may have one and not read from it yet.
    pub const fn kafka(&self) -> Option<&KafkaEndpoint> {
        self.kafka.as_ref()
    }

    /// The name of its topic.
    pub fn topic(&self) -> String {
        format!("domicile-{}", self.id)
    }
}

impl PostgresEndpoint {
    /// Names a database and how to enter it.
    pub fn new(
        host: impl Into<String>,
        port: u16,
        database: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self { host: host.into(), port, database: database.into(), user: user.into(), password: Secret::new(password) }
    }
}

impl S3Endpoint {
    /// Names an object store and how to enter it.
    pub fn new(url: impl Into<String>, access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            access_key: access_key.into(),
            secret_key: Secret::new(secret_key),
            by_role: BTreeMap::new(),
            patience: BucketPatience::default(),
        }
    }

    /// With another patience than the product's: what a test is to wait for.
    #[must_use]
    pub fn with_patience(self, patience: BucketPatience) -> Self {
        Self { patience, ..self }
    }

    /// With a key of its own for a role.
    #[must_use]
    pub fn with_key(mut self, role: BucketRole, access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        self.by_role.insert(role, (access_key.into(), Secret::new(secret_key)));
        self
    }

    /// The key a role enters with.
    pub(crate) fn key_of(&self, role: BucketRole) -> (&str, &Secret) {
        let of_role = self.by_role.get(&role).map(|(access_key, secret_key)| (access_key.as_str(), secret_key));
        of_role.unwrap_or((&self.access_key, &self.secret_key))
    }
}

impl KafkaEndpoint {
    /// Brokers of this machine, spoken to in the clear.
    pub fn plaintext(brokers: impl Into<String>, partitions: i32) -> Self {
        let brokers = brokers.into().split(',').map(str::to_owned).collect();
        Self { brokers, partitions, replication: 1, security: KafkaSecurity::Plaintext, login: None }
    }
}

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret, for the store it opens.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_reaches_a_log_line() {
        let endpoint = PostgresEndpoint::new("db", 5432, "domicile", "domicile", "hunter2");
        assert!(!format!("{:?}", Region::for_directory(endpoint)).contains("hunter2"));
    }
}
