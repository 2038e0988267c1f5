//! What a test does to a broker's topics, and asks it about them. A client of its own each time: none that remembers a broker
//! which has been killed or replaced.

use std::time::Duration;

use anyhow::Context;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};

use super::Broker;
use crate::wait;

type Admin = AdminClient<DefaultClientContext>;

/// What an answer may take. A broker that runs gives it in milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long one look at a broker takes that may not run.
const LOOK: Duration = Duration::from_millis(500);

impl Broker {
    /// Makes a topic, and waits until the broker shows it.
    pub async fn create_topic(&self, topic: &str, partitions: usize) -> anyhow::Result<()> {
        let count = i32::try_from(partitions)?;
        let new = NewTopic::new(topic, count, TopicReplication::Fixed(1));
        let made = self.admin()?.create_topics([&new], &options()).await?;
        one(made).with_context(|| format!("creating {topic}"))?;
        let what = format!("{topic} is there");
        wait::until(&what, async || Ok((self.partitions(topic).await? == partitions).then_some(()))).await
    }

    /// Deletes a topic with its records, and waits until the broker does not show it any more.
    pub async fn delete_topic(&self, topic: &str) -> anyhow::Result<()> {
        let deleted = self.admin()?.delete_topics(&[topic], &options()).await?;
        one(deleted).with_context(|| format!("deleting {topic}"))
    }

    /// How many partitions a topic has; 0 if there is none.
    pub async fn partitions(&self, topic: &str) -> anyhow::Result<usize> {
        let topic = topic.to_owned();
        self.ask(move |admin| {
            let metadata = admin.inner().fetch_metadata(None, PATIENCE)?;
            let found = metadata.topics().iter().find(|found| found.name() == topic);
            Ok(found.map_or(0, |topic| topic.partitions().len()))
        })
        .await
    }

    /// How many records were ever written to each of a topic's partitions.
    pub async fn written(&self, topic: &str) -> anyhow::Result<Vec<i64>> {
        // A broker that has just come back knows its topics some moments before their partitions.
        wait::until("the broker knows its partitions", async || {
            let (partitions, topic) = (self.partitions(topic).await?, topic.to_owned());
            self.ask(move |admin| {
                let partitions = 0..i32::try_from(partitions).expect("few partitions");
                let written: KafkaResult<_> =
                    partitions.map(|it| Ok(admin.inner().fetch_watermarks(&topic, it, PATIENCE)?.1)).collect();
                match written {
                    Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownPartition)) => Ok(None),
                    written => Ok(Some(written?)),
                }
            })
            .await
        })
        .await
    }

    /// How many members a consumer group has, once it is at rest; nothing in the middle of a rebalance.
    pub async fn members(&self, group: &str) -> anyhow::Result<Option<usize>> {
        let group = group.to_owned();
        self.ask(move |admin| {
            let groups = admin.inner().fetch_group_list(Some(&group), PATIENCE)?;
            let found = groups.groups().iter().find(|found| found.name() == group);
            Ok(found.filter(|group| group.state() == "Stable").map(|group| group.members().len()))
        })
        .await
    }

    /// Whether it answers now, as the node that clients are to speak to.
    pub(super) async fn is_up(&self) -> anyhow::Result<bool> {
        self.ask(|admin| Ok(admin.inner().fetch_metadata(None, LOOK).is_ok_and(|it| !it.brokers().is_empty()))).await
    }

    #[expect(clippy::disallowed_methods, reason = "the product's own clients are not to say how the broker is")]
    fn admin(&self) -> KafkaResult<Admin> {
        ClientConfig::new().set("bootstrap.servers", self.address()).create()
    }

    /// librdkafka blocks the thread that asks.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Admin) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let admin = self.admin()?;
        tokio::task::spawn_blocking(move || question(&admin)).await?
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

fn one(results: Vec<Result<String, (String, RDKafkaErrorCode)>>) -> anyhow::Result<()> {
    let result = results.into_iter().next().context("an answer for the topic")?;
    result.map(drop).map_err(|(_, code)| code.into())
}
