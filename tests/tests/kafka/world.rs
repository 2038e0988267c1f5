//! A region that is read through Kafka: stores, a desk, two workers of each kind, and tenants in every partition.

use std::collections::BTreeMap;

use anyhow::Context;
use futures::future::try_join_all;
use serde_json::Value;
use system_tests::{
    kafka::Broker,
    roles::{Role, Roles, Setup},
    wait,
};

use crate::load::{Office, Written, each_once, shown};

/// Few, so that few tenants are in all of them.
pub(crate) const PARTITIONS: usize = 2;

/// Of each kind that reads or writes the topic.
const WORKERS: [(&str, &str); 6] = [
    ("relay", "relay-1"),
    ("relay", "relay-2"),
    ("projector", "projector-1"),
    ("projector", "projector-2"),
    ("replicator", "replicator-1"),
    ("replicator", "replicator-2"),
];

/// Signups until every partition has a tenant. The chance that they do not suffice is one in half a million.
const SIGNUPS_MAX: usize = 20;

/// A region and its processes.
#[derive(Debug)]
pub(crate) struct World {
    // Fields are dropped in this order: whoever uses a store ends before it.
    pub(crate) workers: BTreeMap<&'static str, Role>,
    pub(crate) desk: Role,
    pub(crate) offices: Vec<Office>,
    pub(crate) roles: Roles,
    pub(crate) region: &'static str,
}

/// Where the readers of a region read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    Log,
    Kafka,
}

impl World {
    /// A region with nobody in it but a desk; its file names the broker.
    pub(crate) async fn empty(region: &'static str, broker: &Broker, feed: Feed) -> anyhow::Result<Self> {
        let roles = Roles::start(Setup::regions(&[region]).without_fsync()).await?;
        configure(&roles, region, broker, feed)?;
        let desk = roles.desk(region, "desk").await?;
        Ok(Self { workers: BTreeMap::new(), desk, offices: Vec::new(), roles, region })
    }

    /// A region at work: two workers of each kind, and tenants in every partition.
    pub(crate) async fn start(region: &'static str, broker: &Broker, feed: Feed) -> anyhow::Result<Self> {
        let mut world = Self::empty(region, broker, feed).await?;
        // The first relay makes the topic, so the readers find it.
        for kind in ["relay", "projector", "replicator"] {
            let names = WORKERS.iter().filter(|(of, _)| *of == kind);
            let roles = &world.roles;
            let started = names.map(async |(_, name)| anyhow::Ok((*name, roles.worker(region, kind, name).await?)));
            world.workers.extend(try_join_all(started.collect::<Vec<_>>()).await?);
        }
        world.settle().await?;
        Ok(world)
    }

    /// Signs tenants up until every partition has one.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let mut filled = [false; PARTITIONS];
        for number in 0..SIGNUPS_MAX {
            let tenant = self.roles.signup(&self.desk, &format!("tenant-{number}")).await?;
            filled[partition_of(&tenant.id)?] = true;
            self.offices.push(Office::open(tenant).await?);
            if filled == [true; PARTITIONS] && self.offices.len() >= 2 * PARTITIONS {
                return Ok(());
            }
        }
        anyhow::bail!("{SIGNUPS_MAX} tenants, and a partition without any")
    }

    /// What the region file says from now on; a role reads it when it starts.
    pub(crate) fn configure(&self, broker: &Broker, feed: Feed) -> anyhow::Result<()> {
        configure(&self.roles, self.region, broker, feed)
    }

    pub(crate) fn worker(&self, name: &str) -> anyhow::Result<&Role> {
        self.workers.get(name).with_context(|| format!("{name} was started"))
    }

    /// Starts one more.
    pub(crate) async fn add(&mut self, kind: &'static str, name: &'static str) -> anyhow::Result<()> {
        let role = self.roles.worker(self.region, kind, name).await?;
        self.workers.insert(name, role);
        Ok(())
    }

    /// Starts one again that was killed.
    pub(crate) async fn begin(&mut self, name: &str) -> anyhow::Result<()> {
        let role = self.workers.get_mut(name).with_context(|| format!("{name} was started"))?;
        self.roles.begin(role).await
    }

    /// The region's topic.
    pub(crate) fn topic(&self) -> String {
        format!("domicile-{}", self.region)
    }

    /// The consumer group of a kind of reader.
    pub(crate) fn group(&self, kind: &str) -> String {
        format!("domicile-{}-{kind}", self.region)
    }

    /// Everything agrees with everything: what was acknowledged is shown once, nothing lags, the rows are those of a fresh
    /// replay, and the archives verify up to their heads.
    pub(crate) async fn whole(&self, written: &Written) -> anyhow::Result<()> {
        self.caught_up().await?;
        let key = self.roles.verifier(self.region).await?;
        for office in &self.offices {
            let slug = office.tenant.slug.as_str();
            let head = office.tenant.assert_dense().await?;
            let asked = written.get(slug).map_or(&[] as &[String], Vec::as_slice);
            each_once(asked, &shown(office).await?).with_context(|| slug.to_owned())?;
            anyhow::ensure!(office.tenant.archived().await? >= head, "{slug}");
            self.verified(slug, head, &key).await?;
        }
        self.roles.cli(&["projections", "check", "--region", self.region]).await?.expect(0).map(drop)
    }

    async fn verified(&self, slug: &str, head: i64, key: &str) -> anyhow::Result<()> {
        let verify = ["audit", "verify", "--region", self.region, "--tenant", slug, "--format", "json"];
        let report = self.roles.cli(&[verify.as_slice(), &["--verifier", key]].concat()).await?.expect(0)?.json()?;
        anyhow::ensure!(report["size"].as_i64() >= Some(head), "{slug} at {head}: {report}");
        Ok(())
    }

    /// Waits until no projection lags; a halted one is an error.
    pub(crate) async fn caught_up(&self) -> anyhow::Result<()> {
        let status = ["projections", "status", "--region", self.region, "--format", "json"];
        wait::until("no projection lags", async || {
            let rows = self.roles.cli(&status).await?.expect(0)?.json()?;
            let rows = rows.as_array().context("rows")?;
            if let Some(halted) = rows.iter().find(|row| row["halted_at"] != Value::Null) {
                anyhow::bail!("halted: {halted}");
            }
            Ok((!rows.is_empty() && rows.iter().all(|row| row["lag_positions"] == 0)).then_some(()))
        })
        .await
    }
}

fn configure(roles: &Roles, region: &str, broker: &Broker, feed: Feed) -> anyhow::Result<()> {
    let feed = match feed {
        Feed::Log => "log",
        Feed::Kafka => "kafka",
    };
    let brokers = broker.address();
    let table = format!(
        "[kafka]\nbrokers = [{brokers:?}]\npartitions = {PARTITIONS}\nreplication = 1\nsecurity = \"plaintext\"\n"
    );
    roles.configure(region, &format!("feed = {feed:?}"), &table)
}

/// Waits until a role's log lines hold all of these.
pub(crate) async fn says(role: &Role, parts: &[&str]) -> anyhow::Result<()> {
    let said = async || {
        let log = std::fs::read_to_string(role.log_file())?;
        Ok(parts.iter().all(|part| log.contains(part)).then_some(()))
    };
    wait::until(&format!("{} says {parts:?}", role.name()), said).await
}

/// The low 64 bits of the id, modulo the number of partitions.
fn partition_of(tenant_id: &str) -> anyhow::Result<usize> {
    let digits = tenant_id.replace('-', "");
    let low = u64::from_str_radix(digits.get(16..).context("an id of 32 digits")?, 16)?;
    Ok(usize::try_from(low % u64::try_from(PARTITIONS)?)?)
}

/// The sum of a metric over all its labels, as a role shows it.
pub(crate) async fn metric(role: &Role, name: &str) -> anyhow::Result<f64> {
    #[expect(clippy::disallowed_methods, reason = "a client of what is tested")]
    let page = reqwest::get(format!("http://{}/metrics", role.operations()?)).await?.text().await?;
    let samples = page.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    samples.map(|line| Ok(line.rsplit(' ').next().context("a value")?.parse::<f64>()?)).sum()
}
