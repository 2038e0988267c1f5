//! Brokers, topics and records that are not the region's.

use regions::{Feed, KafkaEndpoint};
use schemas::Position;
use testkit::{Brokers, RawRecord, until};
use topic::{Destination, Outgoing, TopicWriter, partition_of};

use crate::given::{GIVEN, PARTITIONS, World, publish, records};

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_cluster_is_refused_until_it_is_adopted() -> anyhow::Result<()> {
    let world = World::new().await?;
    assert_eq!(topic::home(&mut world.connection().await?).await?, None);
    world.writer().await?.close().await;
    let home = topic::home(&mut world.connection().await?).await?.expect("the first writer records the cluster");
    assert_eq!((home.topic.as_str(), home.partitions), ("domicile-eu", PARTITIONS));

    let others = Brokers::start()?;
    let moved = others.region(&world.test.region, Feed::Kafka)?;
    let connection = &mut world.connection().await?;
    let found = regions::kafka_found(&moved).await?.cluster_id;
    // Every mock cluster gives itself the same name, so the record is what differs.
    if found == home.cluster_id {
        sqlx::raw_sql("update topic.home set cluster_id = 'elsewhere'").execute(&mut *connection).await?;
    }
    let recorded = topic::home(connection).await?.expect("recorded").cluster_id;
    let expected = format!(
        "region eu: the brokers are of cluster {found}; this region's records are on cluster {recorded}; \
        to move: domicile topic adopt --region eu"
    );
    for refused in [
        TopicWriter::open(&moved, connection, GIVEN).await.err().map(|error| error.to_string()),
        regions::kafka_check(&moved, connection).await.err().map(|error| error.to_string()),
    ] {
        assert_eq!(refused.as_deref(), Some(expected.as_str()));
    }
    topic::adopt(connection, &moved).await?;
    TopicWriter::open(&moved, connection, GIVEN).await?.close().await;
    assert_eq!(topic::home(connection).await?.expect("recorded").cluster_id, found);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_with_another_partition_count_is_refused() -> anyhow::Result<()> {
    let world = World::new().await?;
    let other = world.region.clone().with_kafka(Feed::Kafka, KafkaEndpoint::plaintext(world.brokers.address(), 12));
    let error = TopicWriter::open(&other, &mut world.connection().await?, GIVEN).await.err().expect("refused");
    assert!(error.is_refused_topic());
    assert_eq!(error.to_string(), "region eu: topic domicile-eu has 4 partitions; kafka.partitions says 12");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_do_not_answer_are_given_up_soon_and_by_name() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.brokers.down()?;
    let error = TopicWriter::open(&world.region, &mut world.connection().await?, GIVEN).await.err().expect("refused");
    let expected = format!("region eu: no Kafka broker answered within 5s at {}", world.brokers.address());
    assert_eq!((error.to_string(), error.is_refused_topic()), (expected, false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_what_it_claims_stops_its_tenant_and_nobody_else() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (acme, other) = (world.tenant("acme", 2).await?, world.tenant("other", 2).await?);
    let (writer, delivered) = (world.writer().await?, world.delivered());
    let (acme_id, other_id) = (acme.tenant_id(), other.tenant_id());
    until(|| delivered.owns(acme_id) && delivered.owns(other_id)).await?;
    let log = records(&world.log(&acme).await?);
    publish(&writer, &log[..2]).await?;
    until(|| delivered.after(acme_id, Position::ZERO, 9).0.len() == 2).await?;
    let corrupt = RawRecord {
        partition: partition_of(acme_id, PARTITIONS),
        key: acme_id.to_string().into_bytes(),
        value: b"not an event".to_vec(),
        headers: [("position", "3"), ("command-last", "4")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let nobodys = RawRecord { partition: corrupt.partition, ..RawRecord::default() };
    world.brokers.publish("domicile-eu", vec![corrupt, nobodys]).await?;
    let refused = |reason| world.test.metrics.topic_records_refused.with_label_values(&[reason]).get();
    until(|| refused("value") == 1 && refused("key") == 1).await?;
    publish(&writer, &log).await?;
    publish(&writer, &records(&world.log(&other).await?)).await?;
    until(|| delivered.after(other_id, Position::ZERO, 9).0.len() == 4).await?;
    assert!(delivered.after(acme_id, Position::ZERO, 9).0.is_empty());
    assert_eq!(delivered.destination(acme_id), Destination::Nowhere, "whoever hears of it serves it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_time_with_fewer_partitions_stop_nobody() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme", 2).await?;
    let (writer, delivered) = (world.writer().await?, world.delivered());
    until(|| delivered.owns(acme.tenant_id())).await?;
    let partition = (partition_of(acme.tenant_id(), PARTITIONS) + 1) % PARTITIONS;
    let misplaced = RawRecord { partition, key: acme.tenant_id().to_string().into_bytes(), ..RawRecord::default() };
    world.brokers.publish("domicile-eu", vec![misplaced]).await?;
    until(|| world.test.metrics.topic_records_refused.with_label_values(&["partition"]).get() == 1).await?;
    let log = world.log(&acme).await?;
    publish(&writer, &records(&log)).await?;
    until(|| delivered.after(acme.tenant_id(), Position::ZERO, 9).0 == log).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_above_the_limit_says_by_how_much() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme", 1).await?;
    let outgoing: Outgoing = records(&world.log(&acme).await?)[0].encode(PARTITIONS);
    let given = topic::TopicSource::Given { record_bytes_max: 1_000 };
    let writer = TopicWriter::open(&world.region, &mut world.connection().await?, given).await?;
    let oversized = writer.fits(&outgoing).expect_err("too large");
    assert_eq!((oversized.bytes, oversized.bytes_max), (outgoing.size_bytes(), 1_000));
    writer.close().await;
    Ok(())
}
