//! `domicile doctor`: is this machine, and what runs on it, as it must be?

use clap::Args;
use directory::map::NameState;
use embedded::postgres::Binaries;
use regions::{BucketRole, DatabaseRole, Region, Regions};
use replicator::fence::{self, Behind};
use restorer::{Absent, RestorerDeps};
use runtime::RegionMetrics;
use schemas::RegionId;
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
    /// Look at this region only; at all that have a file when absent.
    #[arg(long, value_name = "REGION")]
    pub region: Option<RegionId>,
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
    let mut findings = vec![finding("region files and hosting policy", region_files(place))];
    // What is wrong with the region files is said.
    if findings[0].ok {
        match Deployment::open_with(place, &options.directory) {
            Ok(deployment) => findings.extend(stores(&deployment, options).await?),
            Err(error) => findings.push(finding("data folder", Err(error.to_string()))),
        }
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

/// Every region that was asked for, each by itself: one that cannot be reached keeps nobody from looking at the others.
async fn stores(deployment: &Deployment, options: &Doctor) -> Result<Vec<Finding>, Failure> {
    let regions: Vec<&Region> = match &options.region {
        Some(id) => vec![deployment.region_file(id)?],
        None => deployment.regions.iter().collect(),
    };
    let is_embedded = |region: &&Region| region.endpoints().is_none();
    let mut findings = Vec::new();
    if regions.iter().any(is_embedded) {
        findings.push(finding("PostgreSQL's programs", programs()));
    }
    if regions.iter().all(is_embedded) && deployment.running().is_err() {
        findings.push(finding("a running deployment", Ok("none on this data folder".to_owned())));
        return Ok(findings);
    }
    for Region { id, .. } in regions {
        match deployment.region(id) {
            Ok(region) => findings.extend(of_region(deployment, &region, options.heal).await),
            Err(error) => findings.push(finding(format!("stores of {id}"), Err(error.to_string()))),
        }
    }
    let directory = deployment.directory_map().await;
    let directory =
        directory.map(|map| format!("{} names, signature holds", map.names.len())).map_err(|error| error.to_string());
    findings.push(finding("directory", directory));
    Ok(findings)
}

/// Connecting asks each store where it is and whether it keeps what it acknowledges.
async fn of_region(deployment: &Deployment, region: &Region, heals: bool) -> Vec<Finding> {
    let database = deployment.pool(region, DatabaseRole::Desk).await;
    let database = database.map(|_| "says it is this region's, durable".to_owned()).map_err(|error| error.to_string());
    let bucket = async {
        deployment.bucket(region, BucketRole::Reader).await?.check_life_cycle().await?;
        let lies_in = &region.cloud_region;
        Ok::<_, Failure>(format!("lies in {lies_in}, keeps and ends objects as the region's file and the policy say"))
    };
    let bucket = bucket.await.map_err(|error| error.to_string());
    let mut findings = vec![
        finding(format!("database of {}", region.id), database),
        finding(format!("bucket of {}", region.id), bucket),
    ];
    findings.extend(private_networks(region));
    findings.extend(published(deployment, region, heals).await);
    findings.extend(at_home(deployment, region, heals).await);
    findings
}

/// What is right where a program is developed is not where it serves: whoever looks is told.
fn private_networks(region: &Region) -> Option<Finding> {
    let networks: Vec<String> = region.private_networks.iter().map(ToString::to_string).collect();
    let told = format!("webhooks may reach private networks, without TLS too: {}", networks.join(", "));
    (!networks.is_empty()).then(|| finding(format!("what goes out of {}", region.id), Ok(told)))
}

/// A database that ends before what was published of its logs was put back to an older state. Nobody is closed by a look: desks close
/// them as they start, and with this machine's keys everybody may seem to be behind.
async fn published(deployment: &Deployment, region: &Region, heals: bool) -> Vec<Finding> {
    let check = format!("logs of {} and what was published", region.id);
    let behind = async {
        let deps = deployment.replicator(region, &RegionMetrics::new(region.id.as_str())).await?;
        Ok::<_, Failure>(fence::find_behind(&deps).await?)
    };
    match behind.await {
        Err(error) => vec![finding(check, Err(error.to_string()))],
        Ok(behind) if behind.is_empty() => vec![finding(check, Ok("no log is behind".to_owned()))],
        Ok(behind) if heals => heal(deployment, region, &behind).await,
        Ok(behind) => behind.iter().map(|tenant| finding(check.as_str(), Err(tenant.line(&region.id)))).collect(),
    }
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
