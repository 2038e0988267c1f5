//! `domicile topic`: whose brokers hold a region's topic, and how far it is behind the log.

use clap::Subcommand;
use regions::{DatabaseRole, Feed, Region};
use schemas::RegionId;
use serde::Serialize;

use super::halt::Halt;
use crate::{
    cli::{Place, RegionFormatOption},
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list, table},
};

/// `domicile topic`.
#[derive(Debug, Subcommand)]
pub enum Topic {
    /// The cluster recorded and the one the brokers name, and how far each tenant is copied; exit code 1 if they differ.
    Status(RegionFormatOption),
    /// Make the brokers' cluster the region's, after a move to other brokers. Relays and readers go on by themselves.
    Adopt(RegionFormatOption),
}

/// The topic as the region and the brokers know it.
#[derive(Serialize)]
struct TopicRow {
    region: RegionId,
    topic: String,
    feed: &'static str,
    recorded_cluster: Option<String>,
    recorded_at: Option<jiff::Timestamp>,
    brokers_cluster: Option<String>,
    partitions: Option<i32>,
    partitions_wanted: i32,
    tenants: Vec<TenantRow>,
}

#[derive(Serialize)]
struct TenantRow {
    tenant: String,
    position: i64,
    head: i64,
    lag_positions: i64,
    #[serde(flatten)]
    halt: Halt,
}

impl Row for TopicRow {
    const HEADINGS: &'static [&'static str] =
        &["region", "topic", "feed", "recorded cluster", "brokers' cluster", "partitions", "wanted"];

    fn cells(&self) -> Vec<String> {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let partitions = self.partitions.map_or_else(|| "none".to_owned(), |count| count.to_string());
        vec![
            self.region.to_string(),
            self.topic.clone(),
            self.feed.to_owned(),
            known(&self.recorded_cluster),
            known(&self.brokers_cluster),
            partitions,
            self.partitions_wanted.to_string(),
        ]
    }
}

impl Row for TenantRow {
    const HEADINGS: &'static [&'static str] = &["tenant", "position", "head", "lag", "halted"];

    fn cells(&self) -> Vec<String> {
        let numbers = [self.position, self.head, self.lag_positions].map(|number| number.to_string());
        [self.tenant.clone()].into_iter().chain(numbers).chain([self.halt.cell()]).collect()
    }
}

/// Runs it.
pub async fn run(place: &Place, command: &Topic) -> Outcome {
    let deployment = Deployment::open(place)?;
    let (Topic::Status(options) | Topic::Adopt(options)) = command;
    let region = deployment.region(&options.region)?;
    if matches!(command, Topic::Adopt(_)) {
        let mut connection = regions::connection(&region, DatabaseRole::Relay).await?;
        topic::adopt(&mut connection, &region).await?;
    }
    status(&region, options.format).await
}

async fn status(region: &Region, format: Format) -> Outcome {
    let Some(endpoint) = region.kafka() else {
        return Err(Failure::usage(format!(
            "--region: takes a region whose file has [kafka]; {}'s has not",
            region.id
        )));
    };
    let mut connection = regions::connection(region, DatabaseRole::Relay).await?;
    let home = topic::home(&mut connection).await?;
    let tenants = relay::status(&mut connection).await?.into_iter().map(row).collect();
    let found = regions::kafka_found(region).await;
    let (cluster, partitions) = found.as_ref().map_or((None, None), |it| (Some(it.cluster_id.clone()), it.partitions));
    let shown = TopicRow {
        region: region.id.clone(),
        topic: region.topic(),
        feed: if region.feed == Feed::Kafka { "kafka" } else { "log" },
        recorded_cluster: home.as_ref().map(|home| home.cluster_id.clone()),
        recorded_at: home.map(|home| home.first_seen_at),
        brokers_cluster: cluster,
        partitions,
        partitions_wanted: endpoint.partitions,
        tenants,
    };
    print(shown, format)?;
    found?;
    match regions::kafka_check(region, &mut connection).await {
        Err(error) if error.is_refused_topic() => Err(Failure::check(error)),
        _ => Ok(()),
    }
}

fn print(shown: TopicRow, format: Format) -> Outcome {
    if format != Format::Table {
        return print_list(&[shown], format);
    }
    println!("{}\n\n{}", table(std::slice::from_ref(&shown)), table(&shown.tenants));
    Ok(())
}

fn row(status: relay::RelayStatus) -> TenantRow {
    TenantRow {
        tenant: status.slug.to_string(),
        position: status.position.get(),
        head: status.head.get(),
        lag_positions: status.head.get() - status.position.get(),
        halt: status.halted.map_or_else(Halt::default, |it| Halt::at(it.position, it.event_type, it.reason)),
    }
}
