//! `domicile doctor`: is this machine, and what runs on it, as it must be?

use embedded::postgres::Binaries;
use regions::{BucketRole, DatabaseRole, Regions};
use serde::Serialize;

use crate::{
    cli::{FormatOption, Place},
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Row, print_list},
};

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
pub async fn run(place: &Place, options: &FormatOption) -> Outcome {
    let mut findings = vec![
        finding("PostgreSQL's programs", programs()),
        finding("region files and hosting policy", region_files(place)),
    ];
    if let Ok(deployment) = Deployment::open(place) {
        findings.extend(stores(&deployment).await);
    }
    let wrong = findings.iter().filter(|finding| !finding.ok).count();
    print_list(&findings, options.format)?;
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
async fn stores(deployment: &Deployment) -> Vec<Finding> {
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
    }
    let directory = deployment.directory_map().await;
    let directory =
        directory.map(|map| format!("{} names, signature holds", map.names.len())).map_err(|error| error.to_string());
    findings.push(finding("directory", directory));
    findings
}
