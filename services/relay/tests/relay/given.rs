//! A region with a topic, tenants that talk, and somebody who listens.

use std::{sync::Arc, time::Duration};

use eventlog::Expected;
use regions::{DatabaseRole, Feed, Region, Resident};
use relay::{Relay, RelayDeps, RelayStatus};
use runtime::Shutdown;
use schemas::{
    Position, Recorded, Version,
    event::TenantLogEvent,
    ticket::CommentAdded,
    values::{Channel, Visibility},
};
use testkit::{Brokers, TestRegion};
use topic::{Delivered, Reader, TopicSource};

pub(crate) const ROOMY: TopicSource = TopicSource::Given { record_bytes_max: 1_000_000 };

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

    /// A relay process; it ends with what it is given.
    pub(crate) async fn start_relay(&self, source: TopicSource, shutdown: &Shutdown) -> anyhow::Result<()> {
        let deps = RelayDeps {
            region: self.region.clone(),
            pool: regions::connect(&self.region, DatabaseRole::Relay, 4).await?,
            clock: self.test.clock.clone(),
            metrics: self.test.metrics.clone(),
            source,
        };
        shutdown.spawn(Relay::new(deps).run(shutdown.clone()));
        Ok(())
    }

    pub(crate) fn listen(&self) -> Arc<Delivered> {
        let reader = Reader {
            region: self.region.clone(),
            role: DatabaseRole::Projector,
            subscription: "test",
            metrics: self.test.metrics.clone(),
        };
        reader.start(&self.test.shutdown).expect("the region has a topic").delivered
    }

    /// Commands of two events each, on a ticket.
    pub(crate) async fn talk(&self, tenant: &Resident, ticket: i64, bodies: &[&str]) -> anyhow::Result<()> {
        for (body, version) in bodies.iter().zip((0..).step_by(2)) {
            let expected = if version == 0 { Expected::NoStream } else { Expected::Exact(Version::new(version)) };
            let events = vec![comment(body), comment("And another thing.")];
            self.test.append(tenant, format!("ticket-{ticket}").parse()?, expected, events).await?;
        }
        Ok(())
    }

    pub(crate) async fn log(&self, tenant: &Resident) -> anyhow::Result<Vec<Recorded>> {
        let mut connection = regions::connection(&self.region, DatabaseRole::Relay).await?;
        Ok(eventlog::read_log(&mut connection, tenant, Position::ZERO, 1_000).await?)
    }

    pub(crate) async fn status(&self, tenant: &Resident) -> anyhow::Result<RelayStatus> {
        let mut connection = regions::connection(&self.region, DatabaseRole::Relay).await?;
        let all = relay::status(&mut connection).await?;
        let found = all.into_iter().find(|status| status.tenant_id == tenant.tenant_id());
        found.ok_or_else(|| anyhow::anyhow!("an active tenant has a status"))
    }

    /// Waits until the topic has delivered a tenant's whole log.
    pub(crate) async fn is_delivered(&self, delivered: &Delivered, tenant: &Resident) -> anyhow::Result<()> {
        let log = self.log(tenant).await?;
        until(|| delivered.after(tenant.tenant_id(), Position::ZERO, 1_000).0 == log).await
    }

    /// Waits until a tenant's status is as wanted.
    pub(crate) async fn becomes(
        &self,
        tenant: &Resident,
        wanted: impl Fn(&RelayStatus) -> bool,
    ) -> anyhow::Result<RelayStatus> {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let waiting = async {
            loop {
                let status = self.status(tenant).await?;
                if wanted(&status) {
                    return anyhow::Ok(status);
                }
                ticks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(90), waiting).await?
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
