//! The topic as the brokers have it: made where it is missing, and how large its records may be.

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    error::{KafkaError, RDKafkaErrorCode},
};
use regions::{KafkaLog, Region};
use sqlx::PgConnection;

use crate::Error;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Who knows what the topic is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicSource {
    /// The brokers: they are asked, and told to make the topic if it is missing.
    Brokers,
    /// The caller, for brokers that cannot be asked: the topic is there.
    Given {
        /// The largest record it takes.
        record_bytes_max: usize,
    },
}

impl TopicSource {
    /// The largest record the topic takes.
    pub(crate) async fn record_bytes_max(self, region: &Region, connection: &mut PgConnection) -> Result<usize, Error> {
        match self {
            Self::Given { record_bytes_max } => Ok(record_bytes_max),
            Self::Brokers => {
                let (admin, found) = regions::kafka_admin(region, connection).await?;
                let asked = async {
                    if found.partitions.is_none() {
                        create(&admin, region).await?;
                    }
                    limit(&admin, &region.topic()).await
                };
                let asked = asked.await;
                regions::kafka_end(admin).await;
                asked
            }
        }
    }
}

async fn create(admin: &AdminClient<KafkaLog>, region: &Region) -> Result<(), Error> {
    let (topic, failed) = (region.topic(), |reason| Error::Create { topic: region.topic(), reason });
    let Some(endpoint) = region.kafka() else { return Ok(()) };
    let wanted = NewTopic::new(&topic, endpoint.partitions, TopicReplication::Fixed(endpoint.replication))
        // A topic that keeps only the newest record of a key would keep one event a tenant.
        .set("cleanup.policy", "delete");
    let made = admin.create_topics([&wanted], &options()).await.map_err(|error| failed(error.to_string()))?;
    match made.into_iter().next() {
        // Another relay was quicker.
        Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
        Some(Err((_, code))) => Err(failed(code.to_string())),
        None => Err(failed("no answer".to_owned())),
    }
}

async fn limit(admin: &AdminClient<KafkaLog>, topic: &str) -> Result<usize, Error> {
    let failed = |reason| Error::Limit { topic: topic.to_owned(), reason };
    let described: Result<_, KafkaError> = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options()).await;
    let described = described.map_err(|error| failed(error.to_string()))?.into_iter().next();
    let settings = described.ok_or_else(|| failed("no answer".to_owned()))?.map_err(|code| failed(code.to_string()))?;
    let limit = settings.get("max.message.bytes").and_then(|entry| entry.value.as_ref()?.parse().ok());
    limit.ok_or_else(|| failed("max.message.bytes is missing".to_owned()))
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}
