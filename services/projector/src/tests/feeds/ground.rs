//! A region with a topic, a projector that reads as its region says, and a relay that does what it should not.

use std::time::Duration;

use anyhow::Context;
use regions::{DatabaseRole, Feed, Region, Resident};
use runtime::Shutdown;
use schemas::{Position, Recorded};
use testkit::Brokers;
use topic::{Outgoing, Record, TopicSource, TopicWriter};

use super::super::world::{World, comment, opened};
use crate::{Projector, ProjectorDeps, Selection, check};

const SOURCE: TopicSource = TopicSource::Given { record_bytes_max: 1_000_000 };

pub(crate) struct Ground {
    pub(crate) world: World,
    pub(crate) brokers: Brokers,
    pub(crate) region: Region,
    pub(crate) writer: TopicWriter,
}

impl Ground {
    pub(crate) async fn new(feed: Feed) -> anyhow::Result<Self> {
        let (world, brokers) = (World::new().await?, Brokers::start()?);
        let region = brokers.region(&world.test.region, feed)?;
        let mut connection = regions::connection(&region, DatabaseRole::Relay).await?;
        let writer = TopicWriter::open(&region, &mut connection, SOURCE).await?;
        Ok(Self { world, brokers, region, writer })
    }

    pub(crate) fn deps(&self) -> ProjectorDeps {
        ProjectorDeps { region: self.region.clone(), ..self.world.deps.clone() }
    }

    /// Waits until a projector that was started reads as its region says: until then it reads the log.
    pub(crate) async fn is_read(&self) -> anyhow::Result<()> {
        let connected = self.world.deps.metrics.topic_connected.with_label_values(&["projector"]);
        testkit::until(|| self.region.feed == Feed::Log || connected.get() == 1).await
    }

    /// A projector process; it ends with what it is given.
    pub(crate) fn start_projector(&self, shutdown: &Shutdown) {
        shutdown.spawn(Projector::new(self.deps()).run(shutdown.clone()));
    }

    /// A tenant with so many tickets; each is opened by a command of two events and gets a comment by another.
    pub(crate) async fn tenant(&self, slug: &str, tickets: usize) -> anyhow::Result<Resident> {
        let resident = self.world.tenant(slug).await?;
        self.talk(&resident, 1..=tickets).await?;
        Ok(resident)
    }

    pub(crate) async fn talk(
        &self,
        resident: &Resident,
        tickets: std::ops::RangeInclusive<usize>,
    ) -> anyhow::Result<()> {
        for number in tickets {
            let stream = format!("ticket-{number}");
            self.world.say(resident, &stream, vec![opened("Kettle"), comment("It whistles.")]).await?;
            self.world.say(resident, &stream, vec![comment("Still.")]).await?;
        }
        Ok(())
    }

    pub(crate) async fn log(&self, resident: &Resident) -> anyhow::Result<Vec<Recorded>> {
        let mut conn = self.world.deps.pool.acquire().await?;
        Ok(eventlog::read_log(&mut conn, resident, Position::ZERO, 10_000).await?)
    }

    /// The records of a tenant's log, as a relay makes them.
    pub(crate) async fn records(&self, resident: &Resident) -> anyhow::Result<Vec<Record>> {
        Ok(records(&self.log(resident).await?))
    }

    pub(crate) async fn publish(&self, records: &[Record]) -> anyhow::Result<()> {
        let partitions = self.region.kafka().context("a topic")?.partitions;
        let outgoing: Vec<Outgoing> = records.iter().map(|record| record.encode(partitions)).collect();
        for result in self.writer.publish(&outgoing.iter().collect::<Vec<_>>()).await {
            result?;
        }
        Ok(())
    }

    /// Waits until every projection has all that the tenant's log has.
    pub(crate) async fn reaches_head(&self, resident: &Resident) -> anyhow::Result<()> {
        let head = Position::new(i64::try_from(self.log(resident).await?.len())?);
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let waiting = async {
            for projection in crate::PROJECTIONS {
                while self.world.status(resident, projection).await?.position < head {
                    ticks.tick().await;
                }
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(Duration::from_secs(120), waiting)
            .await
            .with_context(|| format!("{} stands still", resident.slug()))?
    }

    /// Whether the rows are those of a fresh replay of the log.
    pub(crate) async fn is_as_replayed(&self) -> anyhow::Result<bool> {
        Ok(check(&self.world.deps, &Selection::all(), &|_| {}).await?.is_clean())
    }

    pub(crate) fn events_from_topic(&self) -> u64 {
        self.world.deps.metrics.topic_events.with_label_values(&["projector"]).get()
    }
}

pub(crate) fn records(events: &[Recorded]) -> Vec<Record> {
    let command = |event: &Recorded| event.sealed.envelope.command_id;
    let commands = events.chunk_by(|one, next| command(one) == command(next));
    let records = commands.flat_map(|events| {
        let command_last = events.last().expect("a chunk is not empty").position;
        events.iter().map(move |event| Record { recorded: event.clone(), command_last })
    });
    records.collect()
}
