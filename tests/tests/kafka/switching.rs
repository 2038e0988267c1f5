//! From the log to Kafka and back, one process after the other, while people write.

use system_tests::kafka::Broker;

use crate::{
    load::Load,
    world::{Feed, World},
};

#[tokio::test]
async fn readers_switch_to_kafka_and_back_one_by_one_while_people_write() -> anyhow::Result<()> {
    let test = "readers_switch_to_kafka_and_back_one_by_one_while_people_write";
    let Some(broker) = Broker::shared(test).await? else { return Ok(()) };
    let mut world = World::start("jp", broker, Feed::Log).await?;
    let (load, offices) = (Load::new(5), std::mem::take(&mut world.offices));
    let happens = async {
        for feed in [Feed::Kafka, Feed::Log] {
            load.more(20).await?;
            world.configure(broker, feed)?;
            for name in ["projector-1", "replicator-1", "projector-2", "replicator-2"] {
                world.worker(name)?.kill().await?;
                world.begin(name).await?;
                load.more(10).await?;
            }
        }
        Ok(())
    };
    let written = load.during(&offices, happens).await?;
    world.offices = offices;
    world.whole(&written).await
}
