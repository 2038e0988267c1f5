//! What is in the log gets into the topic, by however many relays, whatever becomes of the brokers.

use std::time::Duration;

use runtime::Shutdown;
use schemas::Position;
use testkit::until;
use tokio::time::Instant;

use crate::given::{ROOMY, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_topic_has_what_the_log_has_from_before_and_after_the_start() -> anyhow::Result<()> {
    let world = World::new().await?;
    let early = world.test.tenant("early").await?;
    world.talk(&early, 1, &["Before the start.", "Still before."]).await?;
    let delivered = world.listen();
    world.start_relay(ROOMY, &world.test.shutdown).await?;
    world.is_delivered(&delivered, &early).await?;
    let late = world.test.tenant("late").await?;
    world.talk(&late, 1, &["While it runs."]).await?;
    world.talk(&early, 2, &["While it runs."]).await?;
    world.is_delivered(&delivered, &late).await?;
    world.is_delivered(&delivered, &early).await?;
    let status = world.becomes(&early, |status| status.position == status.head).await?;
    assert_eq!((status.head, status.halted), (Position::new(6), None));
    until(|| world.test.metrics.topic_records_published.get() == 8).await?;
    assert_eq!(world.test.metrics.topic_connected.with_label_values(&["relay"]).get(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_relays_share_the_tenants() -> anyhow::Result<()> {
    let world = World::new().await?;
    let delivered = world.listen();
    let leaving = Shutdown::new();
    for shutdown in [&world.test.shutdown, &world.test.shutdown, &leaving] {
        world.start_relay(ROOMY, shutdown).await?;
    }
    let mut tenants = Vec::new();
    for number in 0..8 {
        let tenant = world.test.tenant(&format!("tenant-{number}")).await?;
        world.talk(&tenant, 1, &["One.", "Two.", "Three."]).await?;
        tenants.push(tenant);
    }
    assert!(leaving.drain(Duration::from_secs(10)).await);
    for tenant in &tenants {
        world.talk(tenant, 2, &["Four."]).await?;
    }
    for tenant in &tenants {
        world.is_delivered(&delivered, tenant).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_down_cost_nothing_but_time() -> anyhow::Result<()> {
    let world = World::new().await?;
    let delivered = world.listen();
    world.start_relay(ROOMY, &world.test.shutdown).await?;
    let acme = world.test.tenant("acme").await?;
    world.talk(&acme, 1, &["All is well."]).await?;
    world.is_delivered(&delivered, &acme).await?;
    world.brokers.down()?;
    world.talk(&acme, 2, &["Nobody hears.", "Nobody."]).await?;
    let connected = || world.test.metrics.topic_connected.with_label_values(&["relay"]).get();
    until(|| connected() == 0).await?;
    assert_eq!(world.status(&acme).await?.position, Position::new(2), "nothing counts that was not acknowledged");
    world.brokers.up()?;
    world.becomes(&acme, |status| status.position == status.head).await?;
    assert_eq!(connected(), 1);

    world.brokers.down()?;
    world.talk(&acme, 3, &["On the way."]).await?;
    let begun = Instant::now();
    assert!(world.test.shutdown.drain(Duration::from_secs(15)).await, "it ends without them, too");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    Ok(())
}
