//! A region with a topic, and what tests do with it.

use std::{ops::Deref, sync::Arc};

use regions::Resident;
use schemas::{Position, Recorded};
use testkit::{TopicRegion, comment};
use topic::{Delivered, Outgoing, Record, TopicSource, TopicWriter};

pub(crate) const PARTITIONS: i32 = 4;
pub(crate) const GIVEN: TopicSource = TopicSource::Given { record_bytes_max: 1_000_000 };

pub(crate) struct World(TopicRegion);

impl Deref for World {
    type Target = TopicRegion;

    fn deref(&self) -> &TopicRegion {
        &self.0
    }
}

impl World {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Ok(Self(testkit::topic_region().await?))
    }

    pub(crate) async fn writer(&self) -> anyhow::Result<TopicWriter> {
        Ok(TopicWriter::open(&self.region, &mut self.connection().await?, GIVEN).await?)
    }

    pub(crate) fn delivered(&self) -> Arc<Delivered> {
        self.reader("projector", None, &self.test.shutdown)
    }

    /// A tenant with so many commands of two events each.
    pub(crate) async fn tenant(&self, slug: &str, commands: i64) -> anyhow::Result<Resident> {
        let resident = self.test.tenant(slug).await?;
        for number in 1..=commands {
            let events = vec![comment(&"It whistles. ".repeat(50)), comment("Still.")];
            let stream = format!("ticket-{number}").parse()?;
            self.test.append(&resident, stream, eventlog::Expected::NoStream, events).await?;
        }
        Ok(resident)
    }
}

/// As the relay publishes them: commands of two events.
pub(crate) fn records(events: &[Recorded]) -> Vec<Record> {
    let last = |event: &Recorded| Position::new((event.position.get() + 1) / 2 * 2);
    events.iter().map(|event| Record { recorded: event.clone(), command_last: last(event) }).collect()
}

pub(crate) async fn publish(writer: &TopicWriter, records: &[Record]) -> anyhow::Result<()> {
    let outgoing: Vec<Outgoing> = records.iter().map(|record| record.encode(PARTITIONS)).collect();
    for result in writer.publish(&outgoing.iter().collect::<Vec<_>>()).await {
        result?;
    }
    Ok(())
}
