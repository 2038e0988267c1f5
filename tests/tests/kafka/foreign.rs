//! Brokers that are not the region's: refused until somebody says that they are.

use anyhow::Context;
use system_tests::{kafka::Broker, wait};

use crate::{
    load::Load,
    world::{Feed, PARTITIONS, World, says},
};

#[tokio::test]
async fn another_cluster_is_refused_until_it_is_adopted() -> anyhow::Result<()> {
    let Some(mut broker) = Broker::start("another_cluster_is_refused_until_it_is_adopted").await? else {
        return Ok(());
    };
    let mut world = World::start("eu", &broker, Feed::Kafka).await?;
    let first = broker.cluster().to_owned();
    let (load, offices) = (Load::new(4), std::mem::take(&mut world.offices));
    let happens = async {
        load.more(20).await?;
        broker.replace().await?;
        // A stranger who has a topic of that name.
        broker.create_topic(&world.topic(), PARTITIONS).await?;
        let refusal = ["domicile topic adopt --region eu", broker.cluster(), &first];
        for role in world.workers.values() {
            says(role, &refusal).await?;
        }
        for name in ["relay-1", "projector-1", "replicator-1"] {
            world.worker(name)?.kill().await?;
            let refused = world.begin(name).await.err().with_context(|| format!("{name} starts"))?;
            let refused = format!("{refused:#}");
            for part in refusal.iter().chain(&["exit status: 78"]) {
                anyhow::ensure!(refused.contains(part), "{name}: {part} is missing: {refused}");
            }
        }
        // What was on its way when the connection changed hands has arrived, if anything has; no more follows.
        let before = broker.written(&world.topic()).await?;
        load.more(12).await?;
        anyhow::ensure!(broker.written(&world.topic()).await? == before, "events go to a stranger");
        world.roles.cli(&["topic", "adopt", "--region", "eu"]).await?.expect(0)?;
        // The second ones go on by themselves.
        load.more(12).await?;
        let written = async || {
            let now = broker.written(&world.topic()).await?;
            Ok(now.iter().zip(&before).all(|(now, before)| now > before).then_some(()))
        };
        wait::until("the relay fills the adopted topic", written).await?;
        for name in ["relay-1", "projector-1", "replicator-1"] {
            world.begin(name).await?;
        }
        load.more(12).await
    };
    let written = load.during(&offices, happens).await?;
    world.offices = offices;
    world.whole(&written).await
}
