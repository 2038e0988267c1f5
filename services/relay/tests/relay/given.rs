//! A region with a topic, tenants that talk, and somebody who listens.

use std::{ops::Deref, sync::Arc};

use eventlog::Expected;
use regions::{DatabaseRole, Resident};
use relay::{Relay, RelayDeps, RelayStatus};
use runtime::Shutdown;
use schemas::{Position, Version};
use testkit::{TopicRegion, comment, eventually, until};
use topic::{Delivered, TopicSource};

pub(crate) const ROOMY: TopicSource = TopicSource::Given { record_bytes_max: 1_000_000 };

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
        self.reader("test", None, &self.test.shutdown)
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

    pub(crate) async fn status(&self, tenant: &Resident) -> anyhow::Result<RelayStatus> {
        let all = relay::status(&mut self.connection().await?).await?;
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
        eventually(async || Ok(Some(self.status(tenant).await?).filter(&wanted))).await
    }
}
