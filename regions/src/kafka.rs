//! Clients of a region's Kafka brokers. Each asks the brokers, before anybody gets it, which cluster they are of, and compares
//! that with the one recorded in the region's database: records never go to, or come from, somebody else's brokers.

mod ending;

use std::time::Duration;

use rdkafka::{
    ClientConfig, ClientContext,
    admin::AdminClient,
    client::Client,
    config::RDKafkaLogLevel,
    consumer::{Consumer, ConsumerContext, StreamConsumer},
    error::KafkaError,
    producer::{FutureProducer, Producer},
};
use sqlx::PgConnection;
use tokio::{sync::watch, task::spawn_blocking};

use self::ending::Guarded;
pub use self::ending::kafka_end;
use crate::{
    error::Error,
    region::{KafkaEndpoint, KafkaLogin, KafkaSecurity, Region},
};

/// How long the brokers may take to say whose they are.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Settings of a client beyond how the brokers are reached.
pub type KafkaSettings<'a> = &'a [(&'a str, &'a str)];

/// What the brokers say of themselves and of the region's topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaFound {
    /// Their cluster's id.
    pub cluster_id: String,
    /// How many partitions the topic has; `None` if it is not there.
    pub partitions: Option<i32>,
}

/// A client's own log lines, for whoever looks closely: an outage is told once by those who notice it, not by every
/// connection attempt. One of them is more than that: a client that finds other brokers behind an address it knows says so
/// there, and goes on with them.
#[derive(Debug, Clone, Default)]
pub struct KafkaLog(watch::Sender<bool>);

impl KafkaLog {
    /// Whether the brokers are of another cluster than when the client was made.
    pub fn is_elsewhere(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until they are.
    pub async fn elsewhere(&self) {
        // The sender is this one.
        let _ = self.0.subscribe().wait_for(|is_elsewhere| *is_elsewhere).await;
    }
}

impl ClientContext for KafkaLog {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "CLUSTERID" {
            self.0.send_replace(true);
        }
        tracing::debug!(target: "librdkafka", ?level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
    }
}

/// Whether a client may be the first to work with a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Who writes first records the cluster.
    Write,
    Read,
}

/// Asks the brokers who they are, and compares it with nothing.
///
/// # Errors
/// If they do not answer.
pub async fn kafka_found(region: &Region) -> Result<KafkaFound, Error> {
    let admin: Guarded<AdminClient<KafkaLog>> = create(region, &[], KafkaLog::default())?;
    let (admin, found) = ask(region, admin, AdminClient::inner).await?;
    kafka_end(admin.take()).await;
    Ok(found)
}

/// Asks the brokers who they are, and compares it with what is recorded and with the region file.
///
/// # Errors
/// If they do not answer, are of another cluster, or have the topic with another partition count; also if nobody has written yet.
pub async fn kafka_check(region: &Region, connection: &mut PgConnection) -> Result<KafkaFound, Error> {
    let found = kafka_found(region).await?;
    check(region, connection, Use::Read, &found).await?;
    Ok(found)
}

/// A client that makes topics and looks at their settings. If nobody wrote to a cluster before, this one is recorded.
///
/// # Errors
/// If the brokers do not answer, are of another cluster, or have the topic with another partition count.
pub async fn kafka_admin(
    region: &Region,
    connection: &mut PgConnection,
) -> Result<(AdminClient<KafkaLog>, KafkaFound), Error> {
    let admin: Guarded<AdminClient<KafkaLog>> = create(region, &[], KafkaLog::default())?;
    let (admin, found) = ask(region, admin, AdminClient::inner).await?;
    check(region, connection, Use::Write, &found).await?;
    Ok((admin.take(), found))
}

/// A client that writes. If nobody wrote to a cluster before, this one is recorded.
///
/// # Errors
/// As for [`kafka_admin`].
pub async fn kafka_producer(
    region: &Region,
    connection: &mut PgConnection,
    settings: KafkaSettings<'_>,
    log: KafkaLog,
) -> Result<FutureProducer<KafkaLog>, Error> {
    let producer: Guarded<FutureProducer<KafkaLog>> = create(region, settings, log)?;
    let (producer, found) = ask(region, producer, FutureProducer::client).await?;
    check(region, connection, Use::Write, &found).await?;
    Ok(producer.take())
}

/// A client that reads as a member of a group.
///
/// # Errors
/// As for [`kafka_admin`]; also if nobody has written yet, or the topic is not there.
pub async fn kafka_consumer<C: ConsumerContext + 'static>(
    region: &Region,
    connection: &mut PgConnection,
    settings: KafkaSettings<'_>,
    context: C,
) -> Result<StreamConsumer<C>, Error> {
    let consumer: Guarded<StreamConsumer<C>> = create(region, settings, context)?;
    let (consumer, found) = ask(region, consumer, StreamConsumer::client).await?;
    check(region, connection, Use::Read, &found).await?;
    there(region, &found).map(|()| consumer.take())
}

/// Asks the brokers of a client that reads whether they still answer, and have the topic.
///
/// # Errors
/// If not; the client is gone then.
pub async fn kafka_answers<C: ConsumerContext + 'static>(
    region: &Region,
    consumer: StreamConsumer<C>,
) -> Result<StreamConsumer<C>, Error> {
    let (consumer, found) = ask(region, Guarded::new(consumer), StreamConsumer::client).await?;
    there(region, &found).map(|()| consumer.take())
}

fn there(region: &Region, found: &KafkaFound) -> Result<(), Error> {
    let no_topic = || Error::NoTopic { region: region.id.clone(), topic: region.topic() };
    found.partitions.map(drop).ok_or_else(no_topic)
}

/// The same for every kind of client.
fn create<C, T>(region: &Region, settings: KafkaSettings<'_>, context: C) -> Result<Guarded<T>, Error>
where
    C: ClientContext,
    T: rdkafka::config::FromClientConfigAndContext<C> + Send + 'static,
{
    let mut config = config(endpoint(region)?);
    for (name, value) in settings {
        config.set(*name, *value);
    }
    // Whatever the process logs: see `KafkaLog`.
    config.set_log_level(RDKafkaLogLevel::Warning);
    #[expect(clippy::disallowed_methods, reason = "the one place that makes clients of Kafka")]
    let client = config.create_with_context(context);
    let client = client.map_err(|source| Error::KafkaClient { region: region.id.clone(), source })?;
    Ok(Guarded::new(client))
}

fn endpoint(region: &Region) -> Result<&KafkaEndpoint, Error> {
    region.kafka().ok_or_else(|| Error::NoEndpoint { region: region.id.clone(), store: "kafka" })
}

fn config(endpoint: &KafkaEndpoint) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", endpoint.brokers.join(","))
        .set("client.id", "domicile")
        // A topic that brokers make by themselves would have their number of partitions.
        .set("allow.auto.create.topics", "false")
        // How soon a topic that was made anew, or a broker that came back, is noticed.
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set("reconnect.backoff.max.ms", "2000")
        .set("socket.timeout.ms", "10000")
        .set("log.connection.close", "false");
    let is_tls = match &endpoint.security {
        KafkaSecurity::Plaintext => false,
        KafkaSecurity::Tls { ca_file } => {
            match ca_file {
                Some(file) => config.set("ssl.ca.location", file.to_string_lossy()),
                None => config.set("ssl.ca.location", "probe"),
            };
            config.set("ssl.endpoint.identification.algorithm", "https");
            true
        }
    };
    let protocol = match (is_tls, &endpoint.login) {
        (true, None) => "ssl",
        (true, Some(_)) => "sasl_ssl",
        (false, None) => "plaintext",
        (false, Some(_)) => "sasl_plaintext",
    };
    config.set("security.protocol", protocol);
    if let Some(KafkaLogin { username, password }) = &endpoint.login {
        config.set("sasl.mechanism", "SCRAM-SHA-512").set("sasl.username", username);
        config.set("sasl.password", password.expose());
    }
    config
}

/// Asks off the async threads: the client's calls block.
async fn ask<T, C>(
    region: &Region,
    client: Guarded<T>,
    inner: fn(&T) -> &Client<C>,
) -> Result<(Guarded<T>, KafkaFound), Error>
where
    T: Send + 'static,
    C: ClientContext + 'static,
{
    let topic = region.topic();
    let asked = spawn_blocking(move || find(inner(client.get()), &topic).map(|found| (client, found)));
    let asked = asked.await;
    let brokers = || endpoint(region).map(|endpoint| endpoint.brokers.join(", ")).unwrap_or_default();
    asked.expect("asking brokers does not panic").ok_or_else(|| Error::BrokersSilent {
        region: region.id.clone(),
        brokers: brokers(),
        after: ANSWER_TIMEOUT,
    })
}

fn find<C: ClientContext>(client: &Client<C>, topic: &str) -> Option<KafkaFound> {
    let metadata = client.fetch_metadata(Some(topic), ANSWER_TIMEOUT).ok()?;
    let partitions = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
    let partitions = partitions.and_then(|found| i32::try_from(found.partitions().len()).ok()).filter(|&it| it > 0);
    // Known from the answer just had: nothing waits here.
    let cluster_id = client.fetch_cluster_id(ANSWER_TIMEOUT)?;
    Some(KafkaFound { cluster_id, partitions })
}

async fn check(region: &Region, connection: &mut PgConnection, r#use: Use, found: &KafkaFound) -> Result<(), Error> {
    let endpoint = endpoint(region)?;
    if r#use == Use::Write {
        record(region, connection, &found.cluster_id).await?;
    }
    let recorded = sqlx::query_scalar!("select cluster_id from topic.home").fetch_optional(connection).await;
    let recorded = recorded.map_err(|source| Error::Cluster { region: region.id.clone(), source })?;
    let (cluster_id, expected) = (&found.cluster_id, endpoint.partitions);
    match (recorded, found.partitions) {
        (Some(recorded), _) if recorded != *cluster_id => {
            Err(Error::AnotherCluster { region: region.id.clone(), found: cluster_id.clone(), recorded })
        }
        (_, Some(found)) if found != expected => {
            let topic = region.topic();
            Err(Error::AnotherPartitionCount { region: region.id.clone(), topic, found, expected })
        }
        (None, _) => Err(Error::NoCluster { region: region.id.clone() }),
        (Some(_), _) => Ok(()),
    }
}

/// Of several who are the first, one records, and no record is published before that is on the disk.
async fn record(region: &Region, connection: &mut PgConnection, cluster_id: &str) -> Result<(), Error> {
    let partitions = endpoint(region)?.partitions;
    sqlx::query!(
        "with durable as (select set_config('synchronous_commit', 'on', true))
         insert into topic.home (cluster_id, topic, partitions) select $1, $2, $3 from durable on conflict do nothing",
        cluster_id,
        region.topic(),
        partitions
    )
    .execute(connection)
    .await
    .map_err(|source| Error::Cluster { region: region.id.clone(), source })?;
    Ok(())
}
