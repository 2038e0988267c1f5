//! A broker that is gone for a while, or stands still, delays and loses nothing.

use std::time::Duration;

use system_tests::{kafka::Broker, wait};
use tokio::time::Instant;

use crate::{
    load::{Load, Office, shown},
    world::{Feed, World},
};

#[tokio::test]
async fn a_broker_may_be_killed_or_stand_still_while_people_write() -> anyhow::Result<()> {
    let test = "a_broker_may_be_killed_or_stand_still_while_people_write";
    let Some(mut broker) = Broker::start(test).await? else { return Ok(()) };
    let world = World::start("eu", &broker, Feed::Kafka).await?;
    let load = Load::new(2);
    let happens = async {
        load.more(20).await?;
        broker.kill().await?;
        goes_on(&world, &load).await?;
        broker.begin().await?;
        filled(&world, &broker, &load).await?;
        broker.freeze()?;
        goes_on(&world, &load).await?;
        broker.thaw()?;
        filled(&world, &broker, &load).await
    };
    let written = load.during(&world.offices, happens).await?;
    world.whole(&written).await?;
    filled_up(&world, &broker).await
}

#[tokio::test]
async fn without_a_broker_writes_are_visible_at_once_and_new_tenants_known() -> anyhow::Result<()> {
    const WRITES: u32 = 4 * (1 + 2 + 4);
    let test = "without_a_broker_writes_are_visible_at_once_and_new_tenants_known";
    let Some(mut broker) = Broker::start(test).await? else { return Ok(()) };
    let mut world = World::empty("eu", &broker, Feed::Kafka).await?;
    broker.kill().await?;
    for name in ["projector-1", "projector-2"] {
        world.add("projector", name).await?;
    }
    let begun = Instant::now();
    for number in 0..4 {
        let office = Office::open(world.roles.signup(&world.desk, &format!("tenant-{number}")).await?).await?;
        for comment in 0..4 {
            let key = format!("key-{comment}");
            office.tenant.comment(office.tickets[0], "It whistles.", &key).await?.expect(200)?;
        }
    }
    // Each is answered when it is visible. For those that wait for sweeps, that is a second or two.
    anyhow::ensure!(begun.elapsed() < Duration::from_millis(500) * WRITES, "{:?}", begun.elapsed());
    Ok(())
}

/// Without the broker people write, and everybody sees what was written: readers go back to the log.
async fn goes_on(world: &World, load: &Load) -> anyhow::Result<()> {
    load.more(16).await?;
    let before = counts(&world.offices).await?;
    let grown = async || {
        let now = counts(&world.offices).await?;
        Ok(now.iter().zip(&before).all(|(now, before)| now > before).then_some(()))
    };
    wait::until("every office sees more comments", grown).await
}

async fn counts(offices: &[Office]) -> anyhow::Result<Vec<usize>> {
    let mut counts = Vec::new();
    for office in offices {
        counts.push(shown(office).await?.len());
    }
    Ok(counts)
}

/// With the broker back, the topic grows again while people write.
async fn filled(world: &World, broker: &Broker, load: &Load) -> anyhow::Result<()> {
    let topic = world.topic();
    let before: i64 = broker.written(&topic).await?.iter().sum();
    load.more(20).await?;
    let grown = async || Ok((broker.written(&topic).await?.iter().sum::<i64>() > before + 20).then_some(()));
    wait::until("the topic grows", grown).await
}

/// Once everything is quiet, the topic holds at least every event.
async fn filled_up(world: &World, broker: &Broker) -> anyhow::Result<()> {
    let mut heads = 0;
    for office in &world.offices {
        heads += office.tenant.mark("acked").await?;
    }
    let topic = world.topic();
    let whole = async || Ok((broker.written(&topic).await?.iter().sum::<i64>() >= heads).then_some(()));
    wait::until("the relays bring every event to the topic", whole).await
}
