//! A topic that somebody deletes, or made with another number of partitions.

use system_tests::{kafka::Broker, wait};

use crate::{
    load::Load,
    world::{Feed, PARTITIONS, World},
};

#[tokio::test]
async fn a_topic_may_be_deleted_while_people_write() -> anyhow::Result<()> {
    let Some(broker) = Broker::shared("a_topic_may_be_deleted_while_people_write").await? else { return Ok(()) };
    let world = World::start("us", broker, Feed::Kafka).await?;
    let (load, topic) = (Load::new(3), world.topic());
    let happens = async {
        load.more(20).await?;
        broker.delete_topic(&topic).await?;
        load.more(20).await?;
        let again = async || {
            let is_there = broker.partitions(&topic).await? == PARTITIONS;
            Ok((is_there && broker.written(&topic).await?.iter().sum::<i64>() > 0).then_some(()))
        };
        wait::until("the relays make the topic anew and fill it", again).await?;
        load.more(20).await
    };
    let written = load.during(&world.offices, happens).await?;
    world.whole(&written).await
}

#[tokio::test]
async fn a_topic_with_another_number_of_partitions_is_refused() -> anyhow::Result<()> {
    let test = "a_topic_with_another_number_of_partitions_is_refused";
    let Some(broker) = Broker::shared(test).await? else { return Ok(()) };
    broker.create_topic("domicile-au", PARTITIONS + 1).await?;
    let world = World::empty("au", broker, Feed::Kafka).await?;
    for kind in ["relay", "projector", "replicator"] {
        let refused = world.roles.worker("au", kind, kind).await.map(drop);
        let refused = format!("{:#}", refused.expect_err("a tenant's events would change their partition"));
        for part in ["exit status: 78", "topic domicile-au has 3 partitions; kafka.partitions says 2"] {
            assert!(refused.contains(part), "{kind}: {part} is missing: {refused}");
        }
    }
    assert_eq!(broker.written("domicile-au").await?, [0; PARTITIONS + 1]);
    Ok(())
}
