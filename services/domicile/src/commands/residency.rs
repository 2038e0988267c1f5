//! `domicile residency verify`: is everything where the hosting policy and the directory say it is?

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use regions::{BucketRole, DatabaseRole, Region};
use schemas::{RegionId, TenantId};
use serde::Serialize;

use crate::{
    cli::Place,
    deployment::Deployment,
    directory_option::GivenDirectory,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list},
    residency,
};

/// `domicile residency`.
#[derive(Debug, Subcommand)]
pub enum Residency {
    /// Compare the directory, every region's database and every bucket. Exit code 1 if something is out of place.
    Verify(Verify),
}

/// `domicile residency verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A text that was put into one region on purpose: every byte of the other regions' folders is searched for it.
    /// May be given several times.
    #[arg(long, value_name = "TEXT", requires = "home")]
    pub canary: Vec<String>,
    /// The region the canaries were put into.
    #[arg(long, value_name = "REGION")]
    pub home: Option<RegionId>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: GivenDirectory,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Serialize)]
struct CheckRow {
    region: String,
    check: &'static str,
    looked_at: String,
    wrong: Vec<String>,
}

impl Row for CheckRow {
    const HEADINGS: &'static [&'static str] = &["region", "check", "looked at", "result"];

    fn cells(&self) -> Vec<String> {
        let result = if self.wrong.is_empty() { "ok".to_owned() } else { self.wrong.join("\n") };
        vec![self.region.clone(), self.check.to_owned(), self.looked_at.clone(), result]
    }
}

/// Runs it.
pub async fn run(place: &Place, Residency::Verify(options): &Residency) -> Outcome {
    let deployment = Deployment::open_with(place, &options.directory)?;
    let rows = verify(&deployment, options).await?;
    let wrong: usize = rows.iter().map(|row| row.wrong.len()).sum();
    print_list(&rows, options.format)?;
    if wrong == 0 { Ok(()) } else { Err(Failure::check(format!("{wrong} findings; see above"))) }
}

async fn verify(deployment: &Deployment, options: &Verify) -> Result<Vec<CheckRow>, Failure> {
    let mut seen = Vec::new();
    for region in deployment.regions_named(None)? {
        seen.push(look(deployment, region).await?);
    }
    // Read last: a tenant is in the directory before anything of it is anywhere else, also one that signs up meanwhile.
    let map = deployment.directory_map().await?;
    let homes = map.names.values().map(|entry| (entry.tenant_id, entry.region.clone())).collect();
    let mut rows = Vec::new();
    for seen in seen {
        let id = &seen.region.id;
        rows.push(CheckRow {
            region: id.to_string(),
            check: "tenants in the database are at home here",
            looked_at: format!("{} tenants", seen.tenants.len()),
            wrong: seen.tenants.iter().filter_map(|tenant| elsewhere(tenant, id, &homes)).collect(),
        });
        rows.push(CheckRow {
            region: id.to_string(),
            check: "objects belong to tenants at home here",
            looked_at: format!("{} objects in {}", seen.objects.len(), seen.region.cloud_region),
            wrong: seen.objects.iter().filter_map(|key| misplaced(key, id, &homes)).collect(),
        });
        if options.home.as_ref().is_some_and(|home| home != id) {
            rows.push(canaries(deployment, options, id.as_str())?);
        }
    }
    if options.home.is_some() {
        rows.push(canaries(deployment, options, "directory")?);
        rows.push(canaries(deployment, options, "router")?);
    }
    Ok(rows)
}

/// What lies in a region's stores.
struct Seen {
    region: Region,
    tenants: Vec<TenantId>,
    objects: Vec<String>,
}

/// Both constructors ask the store where it is, and refuse one that says another place.
async fn look(deployment: &Deployment, region: Region) -> Result<Seen, Failure> {
    let pool = deployment.pool(&region, DatabaseRole::Replicator).await?;
    let heads = eventlog::heads(&mut *pool.acquire().await?).await?;
    let bucket = deployment.bucket(&region, BucketRole::Reader).await?;
    let mut objects = bucket.list("tenants/").await?;
    objects.extend(bucket.list("keys/").await?);
    let (tenants, objects) = (heads.iter().map(|head| head.tenant_id), objects.into_iter().map(|object| object.key));
    Ok(Seen { region, tenants: tenants.collect(), objects: objects.collect() })
}

fn elsewhere(tenant: &TenantId, here: &RegionId, homes: &BTreeMap<TenantId, RegionId>) -> Option<String> {
    match homes.get(tenant) {
        Some(home) if home == here => None,
        Some(home) => Some(format!("tenant {tenant} is at home in {home}")),
        None => Some(format!("tenant {tenant} is not in the directory")),
    }
}

fn misplaced(key: &str, here: &RegionId, homes: &BTreeMap<TenantId, RegionId>) -> Option<String> {
    match key.split('/').nth(1).and_then(|id| id.parse().ok()) {
        Some(tenant) => elsewhere(&tenant, here, homes).map(|wrong| format!("{key}: {wrong}")),
        None => Some(format!("{key}: belongs to no tenant")),
    }
}

fn canaries(deployment: &Deployment, options: &Verify, folder: &str) -> Result<CheckRow, Failure> {
    let searched = residency::search(&deployment.data.path().join(folder), &options.canary)?;
    Ok(CheckRow {
        region: folder.to_owned(),
        check: "no canary in any byte",
        looked_at: format!("{} files, {} MB", searched.files, searched.bytes / 1_000_000),
        wrong: searched
            .found
            .iter()
            .map(|found| format!("{:?} in {} at byte {}", found.mark, found.file.display(), found.offset))
            .collect(),
    })
}
