//! Which cluster the region's records are on.

use jiff::Timestamp;
use regions::{KafkaFound, Region};
use sqlx::PgConnection;

use crate::Error;

/// The cluster recorded in a region's database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The id its brokers give themselves.
    pub cluster_id: String,
    /// The topic's name.
    pub topic: String,
    /// How many partitions the region file asked for then.
    pub partitions: i32,
    /// Since when.
    pub first_seen_at: Timestamp,
}

/// The recorded cluster, if a relay has worked here.
///
/// # Errors
/// If the database fails.
pub async fn home(connection: &mut PgConnection) -> Result<Option<Home>, Error> {
    let row = sqlx::query!(
        r#"select cluster_id, topic, partitions, first_seen_at as "first_seen_at: jiff_sqlx::Timestamp" from topic.home"#
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::Database)?;
    Ok(row.map(|row| Home {
        cluster_id: row.cluster_id,
        topic: row.topic,
        partitions: row.partitions,
        first_seen_at: row.first_seen_at.to_jiff(),
    }))
}

/// Makes the brokers' cluster the region's, whichever was recorded. Nothing else moves: what the new topic lacks, readers take
/// from the log.
///
/// # Errors
/// If the brokers do not answer, or the database fails.
pub async fn adopt(connection: &mut PgConnection, region: &Region) -> Result<KafkaFound, Error> {
    let endpoint = region.kafka().ok_or(regions::Error::NoEndpoint { region: region.id.clone(), store: "kafka" })?;
    let found = regions::kafka_found(region).await?;
    sqlx::query!(
        "insert into topic.home (cluster_id, topic, partitions) values ($1, $2, $3)
         on conflict (is_only_row) do update
         set cluster_id = excluded.cluster_id, topic = excluded.topic, partitions = excluded.partitions,
             first_seen_at = excluded.first_seen_at",
        found.cluster_id,
        region.topic(),
        endpoint.partitions
    )
    .execute(connection)
    .await
    .map_err(Error::Database)?;
    Ok(found)
}
