//! A region with a topic, and something to say in it.

use std::sync::Arc;

use regions::{DatabaseRole, Feed, Region, Resident};
use runtime::Shutdown;
use schemas::{
    PersonId, Position, Recorded,
    event::TenantLogEvent,
    ticket::CommentAdded,
    values::{Channel, Visibility},
};
use sqlx::PgConnection;
use topic::{Delivered, Hints, Reader};

use crate::{Brokers, TestRegion};

/// A region whose readers read its topic.
pub struct TopicRegion {
    /// The region, as without a topic.
    pub test: TestRegion,
    /// Who have the topic.
    pub brokers: Brokers,
    /// The region, with the topic.
    pub region: Region,
}

/// A region called `eu`, with brokers of its own.
pub async fn topic_region() -> anyhow::Result<TopicRegion> {
    let (test, brokers) = (crate::region().await?, Brokers::start()?);
    let region = brokers.region(&test.region, Feed::Kafka)?;
    Ok(TopicRegion { test, brokers, region })
}

impl TopicRegion {
    /// A connection of the relay's.
    pub async fn connection(&self) -> anyhow::Result<PgConnection> {
        Ok(regions::connection(&self.region, DatabaseRole::Relay).await?)
    }

    /// A member of the group of that name. It ends with what it is given.
    pub fn reader(&self, subscription: &'static str, hints: Option<Hints>, shutdown: &Shutdown) -> Arc<Delivered> {
        let reader = Reader {
            region: self.region.clone(),
            role: DatabaseRole::Projector,
            subscription,
            metrics: self.test.metrics.clone(),
            hints,
        };
        reader.start(shutdown).expect("the region's readers read its topic")
    }

    /// A tenant's whole log.
    pub async fn log(&self, resident: &Resident) -> anyhow::Result<Vec<Recorded>> {
        Ok(eventlog::read_log(&mut self.connection().await?, resident, Position::ZERO, 1_000).await?)
    }
}

/// An event with a body.
pub fn comment(body: &str) -> TenantLogEvent {
    let comment = CommentAdded {
        author: PersonId::new(7),
        visibility: Visibility::Public,
        body: body.to_owned().into(),
        html_body: None.into(),
        attachments: Vec::new(),
        channel: Channel::Web,
    };
    TenantLogEvent::Ticket(comment.into())
}
