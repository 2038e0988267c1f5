//! Kafka brokers inside the test's process: librdkafka's own mock cluster.

use std::time::Duration;

use rdkafka::{
    ClientConfig,
    config::RDKafkaLogLevel,
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _},
};
use regions::{Feed, KafkaEndpoint, Region};

/// How many partitions topics have here.
const PARTITIONS: i32 = 4;
const BROKER: i32 = 1;

/// One broker, and clients that may do to a topic what none of the product does.
pub struct Brokers {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

/// A record of the test's own making.
#[derive(Debug, Clone, Default)]
pub struct RawRecord {
    /// Where.
    pub partition: i32,
    /// Under which key.
    pub key: Vec<u8>,
    /// What.
    pub value: Vec<u8>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
}

impl Brokers {
    /// Starts a broker without topics.
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self { cluster: MockCluster::new(1)? })
    }

    /// The region with its topic on these brokers. The topic is made: these brokers know no other way.
    pub fn region(&self, region: &Region, feed: Feed) -> anyhow::Result<Region> {
        let region = region.clone().with_kafka(feed, KafkaEndpoint::plaintext(self.address(), PARTITIONS));
        self.cluster.create_topic(&region.topic(), PARTITIONS, 1)?;
        Ok(region)
    }

    /// Where they are reached.
    pub fn address(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Nobody is answered any more.
    pub fn down(&self) -> anyhow::Result<()> {
        Ok(self.cluster.broker_down(BROKER)?)
    }

    /// Everybody is answered again.
    pub fn up(&self) -> anyhow::Result<()> {
        Ok(self.cluster.broker_up(BROKER)?)
    }

    /// Publishes whatever the test wants.
    pub async fn publish(&self, topic: &str, records: Vec<RawRecord>) -> anyhow::Result<()> {
        let (address, topic) = (self.address(), topic.to_owned());
        tokio::task::spawn_blocking(move || {
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", address).set_log_level(RDKafkaLogLevel::Error);
            #[expect(clippy::disallowed_methods, reason = "a client that breaks the rules, for tests")]
            let producer: BaseProducer = config.create()?;
            for record in &records {
                let mut headers = rdkafka::message::OwnedHeaders::new();
                for (key, value) in &record.headers {
                    headers = headers.insert(rdkafka::message::Header { key, value: Some(value) });
                }
                let message = BaseRecord::to(&topic).partition(record.partition).key(&record.key);
                let message = message.payload(&record.value).headers(headers);
                producer.send(message).map_err(|(error, _)| error)?;
            }
            Ok(producer.flush(Duration::from_secs(10))?)
        })
        .await?
    }
}
