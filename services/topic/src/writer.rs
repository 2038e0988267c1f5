//! Publishes records, and tells of each whether the brokers have it.

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use rdkafka::{
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use regions::{KafkaLog, Region};
use sqlx::PgConnection;
use tokio::time::timeout;

use crate::{Error, Outgoing, TopicSource};

/// Bytes the client sends in one batch at most, if the topic takes so many.
const BATCH_BYTES_MAX: usize = 1_000_000;
/// How long a record may wait for room in the client's queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the client may try to get a record acknowledged, in milliseconds.
const DELIVERY_TIMEOUT_MS: &str = "10000";
/// How long the brokers may acknowledge nothing at all: whoever publishes holds rows locked meanwhile, and publishes again.
const SILENCE_MAX: Duration = Duration::from_secs(4);

/// A client that writes to the region's topic.
pub struct TopicWriter {
    producer: FutureProducer<KafkaLog>,
    log: KafkaLog,
    topic: String,
    record_bytes_max: usize,
}

/// A record that the topic would not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oversized {
    /// What it takes.
    pub bytes: usize,
    /// What the topic takes.
    pub bytes_max: usize,
}

impl TopicWriter {
    /// Connects; makes the topic if it is missing and the brokers can be asked.
    ///
    /// # Errors
    /// If the brokers do not answer or are not the region's, or the topic is not what the region file says.
    pub async fn open(region: &Region, connection: &mut PgConnection, source: TopicSource) -> Result<Self, Error> {
        let record_bytes_max = source.record_bytes_max(region, connection).await?;
        let (limit, batch) = (record_bytes_max.to_string(), record_bytes_max.min(BATCH_BYTES_MAX).to_string());
        let settings = [
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("compression.type", "lz4"),
            ("linger.ms", "2"),
            ("delivery.timeout.ms", DELIVERY_TIMEOUT_MS),
            ("message.max.bytes", &limit),
            // The brokers' limit holds for a batch.
            ("batch.size", &batch),
            ("queue.buffering.max.messages", "20000"),
            ("queue.buffering.max.kbytes", "65536"),
        ];
        let log = KafkaLog::default();
        let producer = regions::kafka_producer(region, connection, &settings, log.clone()).await?;
        Ok(Self { producer, log, topic: region.topic(), record_bytes_max })
    }

    /// Whether the topic takes a record of this size.
    ///
    /// # Errors
    /// By how much it does not.
    pub fn fits(&self, record: &Outgoing) -> Result<(), Oversized> {
        let (bytes, bytes_max) = (record.size_bytes(), self.record_bytes_max);
        if bytes <= bytes_max { Ok(()) } else { Err(Oversized { bytes, bytes_max }) }
    }

    /// Whether the brokers are still of the cluster that the writer was opened for. A client that finds others at their address
    /// goes on with those, and finds out with its first answer from them: what it sent until then is sealed, and no more is sent.
    ///
    /// # Errors
    /// If not; a new writer asks whose they are.
    pub fn check(&self) -> Result<(), Error> {
        if self.log.is_elsewhere() { Err(Error::Elsewhere) } else { Ok(()) }
    }

    /// Publishes records in their order; waits until each is acknowledged by all replicas in sync, or given up. When nothing is
    /// acknowledged for a while, what is left counts as given up, though it may arrive.
    pub async fn publish(&self, records: &[&Outgoing]) -> Vec<Result<(), Error>> {
        let mut results: Vec<_> = records.iter().map(|_| Err(Error::Unacknowledged { after: SILENCE_MAX })).collect();
        let mut sent: FuturesUnordered<_> = records
            .iter()
            .zip(&mut results)
            .map(async |(record, result)| *result = self.publish_one(record).await)
            .collect();
        // Ends with the last answer, or with the first that is too long in coming.
        while let Ok(Some(())) = timeout(SILENCE_MAX, sent.next()).await {}
        drop(sent);
        results
    }

    async fn publish_one(&self, record: &Outgoing) -> Result<(), Error> {
        let message = FutureRecord::to(&self.topic)
            .partition(record.partition)
            .key(&record.key)
            .payload(&record.value)
            .headers(record.headers.clone());
        let sent = self.producer.send(message, Timeout::After(QUEUE_TIMEOUT)).await;
        sent.map_err(|(error, _)| Error::Publish(error))?;
        // An acknowledgement of somebody else's.
        self.check()
    }

    /// Ends the client. What is still on its way is given up.
    pub async fn close(self) {
        regions::kafka_end(self).await;
    }
}
