//! One suite for both feeds: whatever becomes of the topic, the rows are those of a fresh replay of the log. And the twins: readers
//! that believe the topic are caught by the same comparison.

pub(crate) mod ground;

use std::time::Duration;

use regions::{Feed, Resident};
use runtime::Shutdown;
use schemas::{Position, Recorded};
use testkit::RawRecord;
use tokio::time::Instant;

use self::ground::Ground;
use super::world::{Draft, comment, opened};
use crate::{batch::Batch, build, checkpoint, checkpoint::Patience, feed, projections, step};

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_are_those_of_a_replay_when_the_log_is_read() -> anyhow::Result<()> {
    let ground = Ground::new(Feed::Log).await?;
    conforms(&ground).await?;
    assert_eq!(ground.events_from_topic(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_are_those_of_a_replay_when_the_topic_is_read() -> anyhow::Result<()> {
    let ground = Ground::new(Feed::Kafka).await?;
    conforms(&ground).await?;
    assert!(ground.events_from_topic() > 0, "the topic was of use");
    Ok(())
}

async fn conforms(ground: &Ground) -> anyhow::Result<()> {
    let (shutdown, leaving) = (Shutdown::new(), Shutdown::new());
    ground.start_projector(&shutdown);
    ground.is_read().await?;
    let mut tenants = vec![
        straight(ground).await?,
        with_a_gap(ground).await?,
        doubled_and_reordered(ground).await?,
        half_a_command(ground).await?,
        never_published(ground).await?,
        of_another_history(ground).await?,
        corrupt(ground).await?,
    ];
    ground.start_projector(&leaving);
    tenants.extend(rebalanced(ground, &leaving).await?);
    tenants.push(without_brokers(ground).await?);
    for tenant in &tenants {
        ground.reaches_head(tenant).await?;
    }
    assert!(shutdown.drain(Duration::from_secs(20)).await, "everything ends");
    assert!(ground.is_as_replayed().await?);
    Ok(())
}

async fn straight(ground: &Ground) -> anyhow::Result<Resident> {
    let tenant = ground.tenant("straight", 5).await?;
    ground.publish(&ground.records(&tenant).await?).await?;
    ground.reaches_head(&tenant).await?;
    ground.talk(&tenant, 6..=10).await?;
    ground.publish(&ground.records(&tenant).await?[15..]).await?;
    Ok(tenant)
}

async fn with_a_gap(ground: &Ground) -> anyhow::Result<Resident> {
    let tenant = ground.tenant("gap", 6).await?;
    let records = ground.records(&tenant).await?;
    ground.publish(&[&records[..3], &records[6..9], &records[12..]].concat()).await?;
    Ok(tenant)
}

async fn doubled_and_reordered(ground: &Ground) -> anyhow::Result<Resident> {
    let tenant = ground.tenant("reordered", 6).await?;
    let mut records = ground.records(&tenant).await?;
    ground.publish(&records).await?;
    records.reverse();
    ground.publish(&records).await?;
    records.rotate_left(7);
    ground.publish(&records).await?;
    Ok(tenant)
}

async fn half_a_command(ground: &Ground) -> anyhow::Result<Resident> {
    let tenant = ground.tenant("half", 4).await?;
    // The first event of the last ticket's first command, and nothing after it; one before lacks its second half.
    let records = ground.records(&tenant).await?;
    ground.publish(&[&records[..4], &records[5..10]].concat()).await?;
    Ok(tenant)
}

/// As after a topic was wiped.
async fn never_published(ground: &Ground) -> anyhow::Result<Resident> {
    ground.tenant("silent", 3).await
}

/// Events that the log has lost, as in a failover, reach the topic first; then the log goes on differently.
async fn of_another_history(ground: &Ground) -> anyhow::Result<Resident> {
    let tenant = ground.tenant("history", 3).await?;
    let lost = with_one_lost(ground, &tenant, 9).await?;
    ground.publish(&ground::records(&lost)).await?;
    ground.talk(&tenant, 4..=5).await?;
    ground.publish(&ground.records(&tenant).await?).await?;
    ground.publish(&ground::records(&lost)).await?;
    Ok(tenant)
}

/// The tenant's log as it would be, had a failover lost the comment at a position and somebody said something else.
async fn with_one_lost(ground: &Ground, tenant: &Resident, position: usize) -> anyhow::Result<Vec<Recorded>> {
    let mut log = ground.log(tenant).await?;
    let event = &mut log[position - 1];
    event.sealed = ground.world.lost(tenant, &event.sealed.envelope, comment("Lost in a failover.")).await?;
    Ok(log)
}

async fn corrupt(ground: &Ground) -> anyhow::Result<Resident> {
    let tenant = ground.tenant("corrupt", 3).await?;
    let records = ground.records(&tenant).await?;
    ground.publish(&records[..3]).await?;
    let partition = topic::partition_of(tenant.tenant_id(), 4);
    let key = tenant.tenant_id().to_string().into_bytes();
    let headers = [("position", "4"), ("command-last", "5")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let corrupt = RawRecord { partition, key, value: b"no event".to_vec(), headers: headers.into() };
    ground.brokers.publish(&ground.region.topic(), vec![corrupt]).await?;
    ground.publish(&records[3..]).await?;
    Ok(tenant)
}

/// A second process joins and leaves while tenants talk.
async fn rebalanced(ground: &Ground, leaving: &Shutdown) -> anyhow::Result<Vec<Resident>> {
    let mut tenants = Vec::new();
    for number in 0..6 {
        tenants.push(ground.tenant(&format!("rebalanced-{number}"), 2).await?);
    }
    for (round, tickets) in [3..=4, 5..=6, 7..=8].into_iter().enumerate() {
        for tenant in &tenants {
            ground.talk(tenant, tickets.clone()).await?;
            ground.publish(&ground.records(tenant).await?[round * 6..]).await?;
        }
        if round == 1 {
            assert!(leaving.drain(Duration::from_secs(20)).await, "it leaves in the middle");
        }
    }
    Ok(tenants)
}

async fn without_brokers(ground: &Ground) -> anyhow::Result<Resident> {
    let tenant = ground.tenant("outage", 2).await?;
    ground.publish(&ground.records(&tenant).await?).await?;
    ground.brokers.down()?;
    ground.talk(&tenant, 3..=5).await?;
    ground.reaches_head(&tenant).await?;
    ground.brokers.up()?;
    ground.talk(&tenant, 6..=7).await?;
    ground.publish(&ground.records(&tenant).await?).await?;
    Ok(tenant)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_wait_for_no_sweep_while_the_topic_cannot_be_read() -> anyhow::Result<()> {
    const TICKETS: usize = 28;
    let ground = Ground::new(Feed::Kafka).await?;
    ground.brokers.down()?;
    let shutdown = Shutdown::new();
    // Each of several processes may serve everybody then.
    ground.start_projector(&shutdown);
    ground.start_projector(&shutdown);
    let tenant = ground.tenant("outage", 1).await?;
    ground.reaches_head(&tenant).await?;
    let begun = Instant::now();
    for ticket in 2..=TICKETS {
        ground.talk(&tenant, ticket..=ticket).await?;
        ground.reaches_head(&tenant).await?;
    }
    // Each is begun just after a sweep, so that each would wait for the next one: half a second, if the two take turns.
    assert!(begun.elapsed() < Duration::from_secs(TICKETS as u64 / 3), "{:?}", begun.elapsed());
    assert!(shutdown.drain(Duration::from_secs(20)).await);
    assert!(ground.is_as_replayed().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_schema_version_halts_its_tenant_as_it_does_from_the_log() -> anyhow::Result<()> {
    let ground = Ground::new(Feed::Kafka).await?;
    let shutdown = Shutdown::new();
    ground.start_projector(&shutdown);
    ground.is_read().await?;
    let tenant = ground.world.tenant("future").await?;
    let drafts = vec![opened("Kettle"), Draft::raw("comment_added", 9, "{}")];
    ground.world.say(&tenant, "ticket-1", drafts).await?;
    ground.publish(&ground.records(&tenant).await?).await?;
    let halted = async {
        while ground.world.status(&tenant, "ticket_thread").await?.halted.is_none() {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(60), halted).await??;
    assert!(shutdown.drain(Duration::from_secs(20)).await);
    let halted = ground.world.status(&tenant, "ticket_thread").await?.halted.expect("halted");
    assert_eq!(halted.position, Position::new(2));
    Ok(())
}

/// Hands over events as if they were of the log.
async fn trust(ground: &Ground, tenant: &Resident, events: &[Recorded]) -> anyhow::Result<()> {
    let deps = ground.deps();
    let mut conn = deps.pool.acquire().await?;
    let builds = build::serving(&mut conn, projections::ALL).await?;
    checkpoint::prepare(&mut conn, tenant.tenant_id(), &builds, runtime::Clock::now(deps.clock.as_ref())).await?;
    drop(conn);
    let Batch { events, .. } = feed::of_recorded(&deps, tenant, events.to_vec(), false).await?;
    for build in &builds {
        assert_eq!(step::step(&deps, build, (tenant, &events), Patience::Wait).await?, step::Step::Done);
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_believes_everything_is_right_while_nothing_is_wrong() -> anyhow::Result<()> {
    let ground = Ground::new(Feed::Kafka).await?;
    let tenant = ground.tenant("trusting", 3).await?;
    trust(&ground, &tenant, &ground.log(&tenant).await?).await?;
    assert!(ground.is_as_replayed().await?);
    Ok(())
}

#[tokio::test]
async fn a_reader_that_passes_over_gaps_is_caught() -> anyhow::Result<()> {
    let ground = Ground::new(Feed::Kafka).await?;
    let tenant = ground.tenant("trusting", 3).await?;
    let log = ground.log(&tenant).await?;
    trust(&ground, &tenant, &log[..3]).await?;
    // Nothing has come between, so it goes on from what has come.
    ground.world.as_owner("update read.checkpoint set position = 6 where tenant_id = ", &tenant).await?;
    trust(&ground, &tenant, &log[6..]).await?;
    assert!(!ground.is_as_replayed().await?);
    Ok(())
}

#[tokio::test]
async fn a_reader_that_does_not_ask_the_log_is_caught() -> anyhow::Result<()> {
    let ground = Ground::new(Feed::Kafka).await?;
    let tenant = ground.tenant("trusting", 3).await?;
    // In the middle of a batch: the last event of one is compared when it is applied, whoever hands it over.
    trust(&ground, &tenant, &with_one_lost(&ground, &tenant, 6).await?).await?;
    assert!(!ground.is_as_replayed().await?);
    Ok(())
}
