//! A record that the topic cannot take halts its tenant, says why, and nobody else waits.

use jiff::SignedDuration;
use runtime::Shutdown;
use schemas::Position;
use testkit::until;
use topic::TopicSource;

use crate::given::{ROOMY, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_record_above_the_limit_halts_its_tenant_until_the_limit_is_raised() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (acme, other) = (world.test.tenant("acme").await?, world.test.tenant("other").await?);
    let delivered = world.listen();
    let (large, narrow) = ("x".repeat(4_000), Shutdown::new());
    world.start_relay(TopicSource::Given { record_bytes_max: 2_000 }, &narrow).await?;
    world.talk(&acme, 1, &["Fits.", &large, "Fits, too."]).await?;
    world.talk(&other, 1, &["Fits."]).await?;
    world.is_delivered(&delivered, &other).await?;
    let status = world.becomes(&acme, |status| status.halted.is_some()).await?;
    let halt = status.halted.expect("halted");
    assert_eq!((status.position, halt.position), (Position::new(2), Position::new(3)), "whole commands before it");
    assert_eq!(halt.event_type, "comment_added");
    assert!(
        halt.reason.starts_with("the record takes 4")
            && halt.reason.ends_with("bytes, and the topic takes 2000 (max.message.bytes)"),
        "{}",
        halt.reason
    );
    assert!(narrow.drain(std::time::Duration::from_secs(10)).await);

    world.start_relay(ROOMY, &world.test.shutdown).await?;
    world.test.clock.advance(SignedDuration::from_mins(10));
    let status = world.becomes(&acme, |status| status.position == status.head).await?;
    assert_eq!(status.halted, None);
    world.is_delivered(&delivered, &acme).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_halts_its_tenant_and_nobody_else() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (acme, other) = (world.test.tenant("acme").await?, world.test.tenant("other").await?);
    world.talk(&acme, 1, &["One.", "Two.", "Three."]).await?;
    world.talk(&other, 1, &["One."]).await?;
    let mut owner = regions::connection(&world.region, regions::DatabaseRole::Owner).await?;
    let mut break_it = sqlx::QueryBuilder::<sqlx::Postgres>::new(
        "update log.event set actor = 'nobody' where position = 5 and tenant_id = ",
    );
    break_it.push_bind(acme.tenant_id().get()).build().execute(&mut owner).await?;
    let delivered = world.listen();
    world.start_relay(ROOMY, &world.test.shutdown).await?;
    world.is_delivered(&delivered, &other).await?;
    let status = world.becomes(&acme, |status| status.halted.is_some()).await?;
    assert_eq!(status.halted.expect("halted").position, Position::new(5));
    assert!(status.position <= Position::new(4));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_beyond_the_log_halts_its_tenant_and_shows_in_the_lag() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (acme, other) = (world.test.tenant("acme").await?, world.test.tenant("other").await?);
    world.talk(&acme, 1, &["One.", "Two."]).await?;
    world.talk(&other, 1, &["One."]).await?;
    let mut owner = regions::connection(&world.region, regions::DatabaseRole::Owner).await?;
    let mut lose =
        sqlx::QueryBuilder::<sqlx::Postgres>::new("update log.tenant set position = position + 2 where tenant_id = ");
    lose.push_bind(acme.tenant_id().get()).build().execute(&mut owner).await?;
    let delivered = world.listen();
    world.start_relay(ROOMY, &world.test.shutdown).await?;
    world.is_delivered(&delivered, &other).await?;
    let halt = world.becomes(&acme, |status| status.halted.is_some()).await?.halted.expect("halted");
    assert_eq!((halt.position, halt.reason.as_str()), (Position::new(5), "the log has no event at this position"));
    let metrics = &world.test.metrics;
    until(|| metrics.subscription_halted.with_label_values(&["relay"]).get() == 1).await?;
    assert!(metrics.subscription_lag_positions.with_label_values(&["relay"]).get() >= 2);
    Ok(())
}
