//! What is published is delivered, to one member of the group, whatever becomes of brokers and members.

use std::time::Duration;

use runtime::Shutdown;
use schemas::{Position, Recorded, TenantId};
use tokio::time::Instant;
use topic::{Delivered, Reader};

use crate::given::{World, publish, records, until};

fn all(delivered: &Delivered, tenant: TenantId) -> Vec<Recorded> {
    delivered.after(tenant, Position::ZERO, 1_000).0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_holds_comes_out_of_the_topic() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme", 3).await?;
    let (writer, log) = (world.writer().await?, world.log(&acme).await?);
    let mut reading = world.reader();
    until(|| reading.delivered.owns(acme.tenant_id())).await?;
    publish(&writer, &records(&log)).await?;
    until(|| all(&reading.delivered, acme.tenant_id()).len() == 6).await?;
    assert_eq!(reading.wakeups.recv().await, Some(acme.tenant_id()));
    assert_eq!(all(&reading.delivered, acme.tenant_id()), log);
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
    let first = world.reader();
    until(|| tenants.iter().all(|tenant| first.delivered.owns(*tenant))).await?;
    let leaving = Shutdown::new();
    let second = Reader {
        region: world.region.clone(),
        role: regions::DatabaseRole::Projector,
        subscription: "projector",
        metrics: world.test.metrics.clone(),
    };
    let second = second.start(&leaving).expect("the region has a topic");
    let owned = |delivered: &Delivered| tenants.iter().filter(|tenant| delivered.owns(**tenant)).count();
    until(|| owned(&second.delivered) > 0 && owned(&first.delivered) + owned(&second.delivered) == 16).await?;
    for tenant in &tenants {
        assert!(first.delivered.owns(*tenant) != second.delivered.owns(*tenant), "one reader a tenant");
    }
    let begun = Instant::now();
    assert!(leaving.drain(Duration::from_secs(10)).await, "it leaves");
    assert!(begun.elapsed() < Duration::from_secs(5), "and soon: {:?}", begun.elapsed());
    until(|| owned(&first.delivered) == 16).await?;
    writer.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_reading_goes_on_and_stopping_never_waits_for_brokers() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme", 2).await?;
    let (writer, log) = (world.writer().await?, world.log(&acme).await?);
    let reading = world.reader();
    until(|| reading.delivered.owns(acme.tenant_id())).await?;
    world.brokers.down()?;
    let connected = || world.test.metrics.topic_connected.with_label_values(&["projector"]).get();
    until(|| connected() == 0).await?;
    assert!(!reading.delivered.owns(acme.tenant_id()), "nobody owns what nobody delivers");
    world.brokers.up()?;
    until(|| reading.delivered.owns(acme.tenant_id())).await?;
    assert_eq!(connected(), 1);
    publish(&writer, &records(&log)).await?;
    until(|| all(&reading.delivered, acme.tenant_id()) == log).await?;
    world.brokers.down()?;
    until(|| connected() == 0).await?;
    let begun = Instant::now();
    assert!(world.test.shutdown.drain(Duration::from_secs(15)).await);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    Ok(())
}
