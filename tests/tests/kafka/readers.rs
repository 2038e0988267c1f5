//! Readers in groups: they share the work, and end in the middle of sharing it out anew.

use nix::sys::signal::Signal;
use system_tests::{kafka::Broker, wait};

use crate::{
    load::Load,
    world::{Feed, World, metric},
};

/// Events that did not have to be asked of the log.
const TAKEN: &str = "domicile_topic_events_total";

#[tokio::test]
async fn readers_share_the_work_and_may_end_in_the_middle_of_a_rebalance() -> anyhow::Result<()> {
    let test = "readers_share_the_work_and_may_end_in_the_middle_of_a_rebalance";
    let Some(broker) = Broker::shared(test).await? else { return Ok(()) };
    let mut world = World::start("eu", broker, Feed::Kafka).await?;
    let (load, offices) = (Load::new(1), std::mem::take(&mut world.offices));
    let happens = async {
        shared(&world, broker, &load).await?;
        killed(&mut world, broker, &load, "projector").await?;
        killed(&mut world, broker, &load, "replicator").await
    };
    let written = load.during(&offices, happens).await?;
    world.offices = offices;
    world.whole(&written).await
}

/// Two of a kind are in the group, and both of them take events from the topic.
async fn shared(world: &World, broker: &Broker, load: &Load) -> anyhow::Result<()> {
    for kind in ["projector", "replicator"] {
        has_members(broker, &world.group(kind), 2).await?;
    }
    load.more(40).await?;
    for name in ["projector-1", "projector-2", "replicator-1", "replicator-2"] {
        let (worker, what) = (world.worker(name)?, format!("{name} takes events from the topic"));
        wait::until(&what, async || Ok((metric(worker, TAKEN).await? > 0.0).then_some(()))).await?;
    }
    Ok(())
}

/// A third one joins and the first stands still, so that the group waits for it; in that moment the second is killed. Then the
/// first wakes up and believes that it still owns what it owned.
async fn killed(world: &mut World, broker: &Broker, load: &Load, kind: &'static str) -> anyhow::Result<()> {
    let names = match kind {
        "projector" => ["projector-1", "projector-2", "projector-3"],
        _ => ["replicator-1", "replicator-2", "replicator-3"],
    };
    let group = world.group(kind);
    world.add(kind, names[2]).await?;
    world.worker(names[0])?.signal(Signal::SIGSTOP);
    wait::until("a rebalance", async || Ok(broker.members(&group).await?.is_none().then_some(()))).await?;
    world.worker(names[1])?.kill().await?;
    has_members(broker, &group, 1).await?;
    load.more(12).await?;
    world.worker(names[0])?.signal(Signal::SIGCONT);
    world.begin(names[1]).await?;
    has_members(broker, &group, 3).await?;
    load.more(12).await
}

async fn has_members(broker: &Broker, group: &str, count: usize) -> anyhow::Result<()> {
    let what = format!("{group} has {count} members");
    wait::until(&what, async || Ok((broker.members(group).await? == Some(count)).then_some(()))).await
}
