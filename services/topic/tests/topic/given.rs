//! A region with a topic, and what tests do with it.

use std::time::Duration;

use regions::{DatabaseRole, Feed, Region, Resident};
use schemas::{
    Position, Recorded,
    event::TenantLogEvent,
    ticket::CommentAdded,
    values::{Channel, Visibility},
};
use sqlx::PgConnection;
use testkit::{Brokers, TestRegion};
use topic::{Outgoing, Reader, Reading, Record, TopicSource, TopicWriter};

pub(crate) const PARTITIONS: i32 = 4;
pub(crate) const GIVEN: TopicSource = TopicSource::Given { record_bytes_max: 1_000_000 };

pub(crate) struct World {
    pub(crate) test: TestRegion,
    pub(crate) brokers: Brokers,
    pub(crate) region: Region,
}

impl World {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let (test, brokers) = (testkit::region().await?, Brokers::start()?);
        let region = brokers.region(&test.region, Feed::Kafka)?;
        Ok(Self { test, brokers, region })
    }

    pub(crate) async fn connection(&self) -> anyhow::Result<PgConnection> {
        Ok(regions::connection(&self.region, DatabaseRole::Relay).await?)
    }

    pub(crate) async fn writer(&self) -> anyhow::Result<TopicWriter> {
        Ok(TopicWriter::open(&self.region, &mut self.connection().await?, GIVEN).await?)
    }

    pub(crate) fn reader(&self) -> Reading {
        let reader = Reader {
            region: self.region.clone(),
            role: DatabaseRole::Projector,
            subscription: "projector",
            metrics: self.test.metrics.clone(),
        };
        reader.start(&self.test.shutdown).expect("the region has a topic")
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

    pub(crate) async fn log(&self, resident: &Resident) -> anyhow::Result<Vec<Recorded>> {
        Ok(eventlog::read_log(&mut self.connection().await?, resident, Position::ZERO, 1_000).await?)
    }
}

fn comment(body: &str) -> TenantLogEvent {
    let comment = CommentAdded {
        author: schemas::PersonId::new(7),
        visibility: Visibility::Public,
        body: body.to_owned().into(),
        html_body: None.into(),
        attachments: Vec::new(),
        channel: Channel::Web,
    };
    TenantLogEvent::Ticket(comment.into())
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

/// Waits until something holds.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let waiting = async {
        while !holds() {
            ticks.tick().await;
        }
    };
    Ok(tokio::time::timeout(Duration::from_secs(90), waiting).await?)
}
