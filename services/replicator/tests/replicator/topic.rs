//! Archives that are written from the topic hold what the log holds.

use std::time::Duration;

use regions::{DatabaseRole, Feed};
use replicator::{Replicator, ReplicatorDeps};
use runtime::Shutdown;
use schemas::{Position, Recorded, Sealed};
use testkit::Brokers;
use topic::{Outgoing, Record, TopicSource, TopicWriter};

use crate::{region::archiving, running::until};

/// As the relay publishes them: commands of two events.
fn outgoing(events: &[Recorded]) -> Vec<Outgoing> {
    let command_last = |event: &Recorded| Position::new((event.position.get() + 1) / 2 * 2);
    let record = |event: &Recorded| Record { recorded: event.clone(), command_last: command_last(event) }.encode(4);
    events.iter().map(record).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_written_from_the_topic_where_the_log_vouches_for_it() -> anyhow::Result<()> {
    let (eu, brokers) = (archiving().await?, Brokers::start()?);
    let region = brokers.region(&eu.deps.region, Feed::Kafka)?;
    let (acme, globex) = (eu.test.tenant("acme").await?, eu.test.tenant("globex").await?);
    let mut connection = regions::connection(&region, DatabaseRole::Relay).await?;
    let writer =
        TopicWriter::open(&region, &mut connection, TopicSource::Given { record_bytes_max: 1_000_000 }).await?;
    let deps = ReplicatorDeps { region, interval: Duration::from_secs(1), ..eu.deps.clone() };
    let shutdown = Shutdown::new();
    shutdown.spawn(Replicator::new(deps).run(shutdown.clone()));
    testkit::until(|| eu.test.metrics.topic_connected.with_label_values(&["replicator"]).get() == 1).await?;
    for tenant in [&acme, &globex] {
        eu.append(tenant, 1, 0, 6).await?;
        until(&eu, tenant, |marks| marks.archived.is_some_and(|mark| mark.position.get() == 6)).await?;
    }

    // Both rest for a few seconds now, and what comes meanwhile is delivered before they are archived again.
    let mut records = Vec::new();
    for tenant in [&acme, &globex] {
        eu.append(tenant, 2, 0, 6).await?;
        let mut events = eventlog::read_log(&mut connection, tenant, Position::new(6), 100).await?;
        if tenant == &globex {
            events[2].sealed = Sealed::new(events[2].sealed.envelope.clone(), b"of another history".to_vec());
        }
        records.extend(outgoing(&events));
    }
    for published in writer.publish(&records.iter().collect::<Vec<_>>()).await {
        published?;
    }
    writer.close().await;
    for tenant in [&acme, &globex] {
        until(&eu, tenant, |marks| marks.archived.is_some_and(|mark| mark.position.get() == 12)).await?;
        let log = eventlog::read_log(&mut connection, tenant, Position::ZERO, 100).await?;
        assert_eq!(eu.archived_events(tenant).await?, log);
    }
    let metrics = &eu.test.metrics;
    assert_eq!(metrics.topic_events.with_label_values(&["replicator"]).get(), 6, "acme's");
    assert_eq!(metrics.topic_records_refused.with_label_values(&["unknown to the log"]).get(), 1, "globex's");
    assert!(shutdown.drain(Duration::from_secs(20)).await);
    Ok(())
}
