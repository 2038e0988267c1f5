//! `domicile doctor`: is this machine, and what runs on it, as it must be?

use clap::Args;
use directory::map::NameState;
use embedded::postgres::Binaries;
use regions::{BucketRole, DatabaseRole, Region, Regions};
use replicator::fence::{self, Behind};
use restorer::{Absent, RestorerDeps};
use runtime::RegionMetrics;
use serde::Serialize;

use super::restore;
use crate::{
    cli::{FormatOption, Place},
    deployment::Deployment,
    directory_option::GivenDirectory,
    exit::{Failure, Outcome},
    output::{Row, print_list},
};

/// `domicile doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub format: FormatOption,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: GivenDirectory,
    /// Bring tenants whose log ends before what was published of it, or that are not in the database at all, back from their archives.
    #[arg(long)]
    pub heal: bool,
}

#[derive(Serialize)]
struct Finding {
    check: String,
    ok: bool,
    detail: String,
}

impl Row for Finding {
    const HEADINGS: &'static [&'static str] = &["check", "result", "detail"];

    fn cells(&self) -> Vec<String> {
        vec![self.check.clone(), if self.ok { "ok" } else { "wrong" }.to_owned(), self.detail.clone()]
    }
}

fn finding(check: impl Into<String>, result: Result<String, String>) -> Finding {
    let (ok, detail) = match result {
        Ok(detail) => (true, detail),
        Err(detail) => (false, detail),
    };
    Finding { check: check.into(), ok, detail }
}

/// Runs it.
pub async fn run(place: &Place, options: &Doctor) -> Outcome {
    options.directory.find()?;
    let mut findings = vec![
        finding("PostgreSQL's programs", programs()),
        finding("region files and hosting policy", region_files(place)),
    ];
    if let Ok(deployment) = Deployment::open_with(place, &options.directory) {
        findings.extend(stores(&deployment, options.heal).await);
    }
    let wrong = findings.iter().filter(|finding| !finding.ok).count();
    print_list(&findings, options.format.format)?;
    if wrong == 0 { Ok(()) } else { Err(Failure::check(format!("{wrong} checks failed; see above"))) }
}

fn programs() -> Result<String, String> {
    let binaries = Binaries::find().map_err(|error| error.to_string())?;
    Ok(binaries.program("postgres").display().to_string())
}

fn region_files(place: &Place) -> Result<String, String> {
    let regions = Regions::load(&place.regions).map_err(|error| error.to_string())?;
    let ids: Vec<&str> = regions.iter().map(|region| region.id.as_str()).collect();
    Ok(format!("{}; policy version {}", ids.join(", "), regions.policy().version()))
}

/// Connecting asks each store where it is and whether it keeps what it acknowledges.
async fn stores(deployment: &Deployment, heals: bool) -> Vec<Finding> {
    let Ok(regions) = deployment.regions_named(None) else {
        return vec![finding("a running deployment", Ok("none on this data folder".to_owned()))];
    };
    let mut findings = Vec::new();
    for region in regions {
        let database = deployment.pool(&region, DatabaseRole::Desk).await;
        let database =
            database.map(|_| "says it is this region's, durable".to_owned()).map_err(|error| error.to_string());
        findings.push(finding(format!("database of {}", region.id), database));
        let bucket = deployment.bucket(&region, BucketRole::Reader).await;
        let bucket = bucket
            .map(|_| format!("lies in {}, keeps objects as the region's file says", region.cloud_region))
            .map_err(|error| error.to_string());
        findings.push(finding(format!("bucket of {}", region.id), bucket));
        findings.extend(published(deployment, &region, heals).await);
        findings.extend(at_home(deployment, &region, heals).await);
    }
    let directory = deployment.directory_map().await;
    let directory =
        directory.map(|map| format!("{} names, signature holds", map.names.len())).map_err(|error| error.to_string());
    findings.push(finding("directory", directory));
    findings
}

/// A database that ends before what was published of its logs was put back to an older state.
async fn published(deployment: &Deployment, region: &Region, heals: bool) -> Vec<Finding> {
    let check = format!("logs of {} and what was published", region.id);
    let behind = async {
        let deps = deployment.replicator(region, &RegionMetrics::new(region.id.as_str())).await?;
        Ok::<_, Failure>(fence::close_behind(&deps).await?)
    };
    match behind.await {
        Err(error) => vec![finding(check, Err(error.to_string()))],
        Ok(behind) if behind.is_empty() => vec![finding(check, Ok("no log is behind".to_owned()))],
        Ok(behind) if heals => heal(deployment, region, &behind).await,
        Ok(behind) => behind.iter().map(|tenant| finding(check.as_str(), Err(missing(tenant)))).collect(),
    }
}

fn missing(tenant: &Behind) -> String {
    format!("{tenant}; {}", tenant.remedy())
}

/// Whom the directory leads here must be in the database. One that was put back to a time before somebody came knows nothing of them.
async fn at_home(deployment: &Deployment, region: &Region, heals: bool) -> Vec<Finding> {
    let check = format!("tenants of {} and the directory", region.id);
    let (deps, absent) = match absent(deployment, region).await {
        Ok(found) => found,
        Err(error) => return vec![finding(check, Err(error.to_string()))],
    };
    if absent.is_empty() {
        return vec![finding(check, Ok(format!("{} names lead here, and the database knows all", deps.names.len())))];
    }
    // All of them are brought back together, held against the newest backup that is whole.
    if absent.len() == deps.names.len() {
        let remedy = format!("domicile restore region --region {}", region.id);
        let lost =
            format!("none of {} tenants is in the database: nobody answers for them until: {remedy}", absent.len());
        return vec![finding(check, Err(lost))];
    }
    let mut findings = Vec::with_capacity(absent.len());
    for Absent { tenant_id, slug, archived } in &absent {
        let found = if heals {
            restore::heal(&deps, *tenant_id, slug).await
        } else {
            Err(format!(
                "tenant {slug}: the directory leads here, and the database does not know it, of which {archived} events are \
                 archived: nobody answers for it until: domicile doctor --heal"
            ))
        };
        findings.push(finding(check.as_str(), found));
    }
    findings
}

/// Who is absent, but for those who are just signing up.
async fn absent(deployment: &Deployment, region: &Region) -> Result<(RestorerDeps, Vec<Absent>), Failure> {
    // Read before the database: who is confirmed in it was there before that.
    let map = deployment.directory_map().await?;
    let deps = restore::deps(deployment, &region.id).await?;
    let mut absent = restorer::absent(&deps).await.map_err(restore::said)?;
    let is_confirmed =
        |tenant: &Absent| map.names.get(&tenant.slug).is_some_and(|entry| entry.state == NameState::Confirmed);
    absent.retain(|tenant| tenant.archived > 0 || is_confirmed(tenant));
    Ok((deps, absent))
}

async fn heal(deployment: &Deployment, region: &Region, behind: &[Behind]) -> Vec<Finding> {
    let check = |tenant: &Behind| format!("log of {} in {}", tenant.slug, region.id);
    let deps = match restore::deps(deployment, &region.id).await {
        Ok(deps) => deps,
        Err(error) => return behind.iter().map(|tenant| finding(check(tenant), Err(error.to_string()))).collect(),
    };
    let mut findings = Vec::with_capacity(behind.len());
    for tenant in behind {
        findings.push(finding(check(tenant), restore::heal(&deps, tenant.tenant_id, &tenant.slug).await));
    }
    findings
}
