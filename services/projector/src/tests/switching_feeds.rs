//! Log, topic, log: switched process by process while tenants talk.

use std::time::Duration;

use regions::Feed;
use runtime::Shutdown;

use super::feeds::ground::Ground;

#[tokio::test(flavor = "multi_thread")]
async fn switching_the_feed_either_way_while_tenants_talk_loses_nothing() -> anyhow::Result<()> {
    let mut ground = Ground::new(Feed::Log).await?;
    let mut tenants = Vec::new();
    for number in 0..4 {
        tenants.push(ground.tenant(&format!("tenant-{number}"), 1).await?);
    }
    let mut running = Shutdown::new();
    ground.start_projector(&running);
    for (round, feed) in [Feed::Log, Feed::Kafka, Feed::Kafka, Feed::Log].into_iter().enumerate() {
        let endpoint = ground.region.kafka().expect("a topic").clone();
        ground.region = ground.region.with_kafka(feed, endpoint);
        // The next process begins before the last one ends.
        let next = Shutdown::new();
        ground.start_projector(&next);
        let first = round * 3 + 2;
        for tenant in &tenants {
            ground.talk(tenant, first..=first + 1).await?;
            ground.publish(&ground.records(tenant).await?).await?;
        }
        assert!(running.drain(Duration::from_secs(20)).await);
        for tenant in &tenants {
            ground.talk(tenant, first + 2..=first + 2).await?;
            ground.publish(&ground.records(tenant).await?).await?;
        }
        running = next;
    }
    for tenant in &tenants {
        ground.reaches_head(tenant).await?;
    }
    assert!(running.drain(Duration::from_secs(20)).await);
    assert!(ground.is_as_replayed().await?);
    Ok(())
}
