//! What is published is delivered, to one member of the group, whatever becomes of brokers and members.

use std::time::Duration;

use runtime::Shutdown;
use schemas::{Position, Recorded, TenantId};
use testkit::until;
use tokio::time::Instant;
use topic::{Delivered, Destination, Hints};

use crate::given::{PARTITIONS, World, publish, records};

fn all(delivered: &Delivered, tenant: TenantId) -> Vec<Recorded> {
    delivered.after(tenant, Position::ZERO, 1_000).0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_holds_comes_out_of_the_topic() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme", 3).await?;
    let (writer, log) = (world.writer().await?, world.log(&acme).await?);
    let (hints, mut hinted) = Hints::new(world.test.metrics.queue("hints"));
    let delivered = world.reader("projector", Some(hints), &world.test.shutdown);
    until(|| delivered.owns(acme.tenant_id())).await?;
    publish(&writer, &records(&log)).await?;
    until(|| all(&delivered, acme.tenant_id()).len() == 6).await?;
    assert_eq!(hinted.recv().await, Some(acme.tenant_id()));
    assert_eq!(all(&delivered, acme.tenant_id()), log);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_the_partitions_and_inherit_those_of_one_that_leaves() -> anyhow::Result<()> {
    let world = World::new().await?;
    let writer = world.writer().await?;
    let mut tenants = Vec::new();
    for number in 0..16 {
        tenants.push(world.tenant(&format!("tenant-{number}"), 1).await?.tenant_id());
    }
    let first = world.delivered();
    until(|| tenants.iter().all(|tenant| first.owns(*tenant))).await?;
    let leaving = Shutdown::new();
    let second = world.reader("projector", None, &leaving);
    let owned = |delivered: &Delivered| tenants.iter().filter(|tenant| delivered.owns(**tenant)).count();
    until(|| owned(&second) > 0 && owned(&first) + owned(&second) == 16).await?;
    for tenant in &tenants {
        assert!(first.owns(*tenant) != second.owns(*tenant), "one reader a tenant");
    }
    let begun = Instant::now();
    assert!(leaving.drain(Duration::from_secs(10)).await, "it leaves");
    assert!(begun.elapsed() < Duration::from_secs(5), "and soon: {:?}", begun.elapsed());
    until(|| owned(&first) == 16).await?;
    writer.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_reading_goes_on_and_stopping_never_waits_for_brokers() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme", 2).await?;
    let (writer, log) = (world.writer().await?, world.log(&acme).await?);
    let delivered = world.delivered();
    let destination = || delivered.destination(acme.tenant_id());
    assert_eq!(destination(), Destination::Nowhere, "nobody owns what nobody delivers yet");
    until(|| destination() == Destination::Here).await?;
    world.brokers.down()?;
    let connected = || world.test.metrics.topic_connected.with_label_values(&["projector"]).get();
    until(|| destination() == Destination::Nowhere).await?;
    assert_eq!(connected(), 1, "sooner than the brokers are given up");
    until(|| connected() == 0).await?;
    assert_eq!(destination(), Destination::Nowhere);
    world.brokers.up()?;
    until(|| destination() == Destination::Here).await?;
    until(|| connected() == 1).await?;
    publish(&writer, &records(&log)).await?;
    until(|| all(&delivered, acme.tenant_id()) == log).await?;
    world.brokers.down()?;
    until(|| connected() == 0).await?;
    let begun = Instant::now();
    assert!(world.test.shutdown.drain(Duration::from_secs(15)).await);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_fall_silent_do_not_keep_who_publishes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme", 4).await?;
    let (writer, log) = (world.writer().await?, records(&world.log(&acme).await?));
    publish(&writer, &log[..2]).await?;
    world.brokers.down()?;
    let begun = Instant::now();
    let outgoing: Vec<_> = log.iter().map(|record| record.encode(PARTITIONS)).collect();
    let results = writer.publish(&outgoing.iter().collect::<Vec<_>>()).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(results.len(), 8);
    for result in results {
        let error = result.expect_err("nobody took it").to_string();
        assert_eq!(error, "the brokers acknowledged nothing for 4s");
    }
    Ok(())
}
