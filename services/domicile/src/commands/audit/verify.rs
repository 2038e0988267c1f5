//! `domicile audit verify`: from the region's bucket, or from a copied folder with nothing else.

use std::{fmt::Write, path::PathBuf};

use archive::{checkpoint::origin, note::Verifier};
use auditor::{Folder, Options, Report, Source};
use clap::Args;
use regions::{DatabaseRole, Resident};
use replicator::TenantObjects;
use schemas::{RegionId, Slug};

use crate::{
    cli::Place,
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::Format,
    progress::Progress,
};

/// `domicile audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The region, as its file is called.
    #[arg(long, value_name = "REGION", required_unless_present = "from", requires = "tenant")]
    pub region: Option<RegionId>,
    /// The tenant's name in its address.
    #[arg(long, value_name = "NAME", requires = "region")]
    pub tenant: Option<Slug>,
    /// A copied archive folder instead: no network, no database, no keys.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["region", "tenant"])]
    pub from: Option<PathBuf>,
    /// The verifier key to trust, as published. The directory's for a bucket; the archive's own for a folder, and said so.
    #[arg(long, value_name = "KEY")]
    pub verifier: Option<String>,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub(super) async fn run(place: &Place, options: &Verify) -> Outcome {
    let pinned = options
        .verifier
        .as_deref()
        .map(|text| text.parse::<Verifier>().map_err(|error| Failure::usage(format!("--verifier: {error}"))));
    let pinned = pinned.transpose()?;
    let (report, what) = match (&options.from, &options.region, &options.tenant) {
        (Some(folder), _, _) => {
            if !folder.is_dir() {
                return Err(Failure::usage(format!("--from: {} is no folder", folder.display())));
            }
            let options = Options { verifier: pinned, ..Options::default() };
            (verify(&Folder::new(folder), options).await?, folder.display().to_string())
        }
        (None, Some(region), Some(tenant)) => {
            let deployment = Deployment::open(place)?;
            (verify_published(&deployment, region, tenant, pinned).await?, format!("{region}/{tenant}"))
        }
        _ => return Err(Failure::usage("verify: takes --region and --tenant, or --from")),
    };
    let is_sound = print_report(&report, &what, options.format)?;
    let first = report.first_wrong().map_or_else(String::new, |position| format!(", the first at position {position}"));
    if is_sound { Ok(()) } else { Err(Failure::check(format!("{what} does not verify{first}"))) }
}

/// Verifies a tenant's archive in its bucket against the key that the directory publishes.
pub async fn verify_tenant(deployment: &Deployment, region: &RegionId, tenant: &Slug) -> Result<Report, Failure> {
    verify_published(deployment, region, tenant, None).await
}

async fn verify_published(
    deployment: &Deployment,
    region: &RegionId,
    tenant: &Slug,
    pinned: Option<Verifier>,
) -> Result<Report, Failure> {
    let objects = objects(deployment, region, tenant).await?;
    let key = match pinned {
        Some(verifier) => verifier,
        None => published_verifier(deployment, region).await?,
    };
    // The region's key speaks for every tenant of it; under this log's own name, another tenant's archive does not pass.
    let verifier = Verifier::new(origin(region, objects.resident.tenant_id()), *key.public_key());
    let options = Options { verifier: Some(verifier), at_least: objects.archived, ..Options::default() };
    verify(&objects.source, options).await
}

/// A tenant's archive, and what the region's database knows of it.
pub(super) struct Objects {
    pub(super) source: TenantObjects,
    resident: Resident,
    /// How far the archive has been: an archive that ends before has lost its end.
    archived: u64,
}

/// The tenant's objects in its region's bucket.
pub(super) async fn objects(deployment: &Deployment, region: &RegionId, tenant: &Slug) -> Result<Objects, Failure> {
    let region = deployment.region(region)?;
    let pool = deployment.pool(&region, DatabaseRole::Replicator).await?;
    let mut connection = pool.acquire().await?;
    let resident = deployment.resident(&mut connection, &region.id, tenant).await?;
    let archived = eventlog::marks(&mut connection, &resident).await?.archived;
    let archived = archived.map_or(0, |mark| mark.position.get().unsigned_abs());
    let source = TenantObjects::new(regions::bucket(&region).await?, resident.tenant_id());
    Ok(Objects { source, resident, archived })
}

/// The region's public key, from the directory's signed map: not from the region that is being verified.
async fn published_verifier(deployment: &Deployment, region: &RegionId) -> Result<Verifier, Failure> {
    let map = deployment.directory_map().await?;
    let text = map.regions.get(region).ok_or_else(|| anyhow::anyhow!("the directory knows no key of {region}"))?;
    Ok(text.parse()?)
}

async fn verify(source: &dyn Source, options: Options) -> Result<Report, Failure> {
    let mut shown: Option<(Progress, u64)> = None;
    let mut progress = |at: auditor::Progress| {
        let (bar, before) = shown.get_or_insert_with(|| (Progress::new("verify, generations", at.generations), 0));
        bar.advance(at.generation.saturating_sub(*before));
        *before = at.generation;
    };
    let report = auditor::verify(source, &options, &mut progress).await?;
    if let Some((bar, _)) = shown {
        bar.finish();
    }
    Ok(report)
}

/// Prints a report; tells whether it is clean.
pub fn print_report(report: &Report, what: &str, format: Format) -> Result<bool, Failure> {
    match format {
        Format::Json => println!("{}", serde_json::to_string_pretty(report)?),
        Format::Ndjson => println!("{}", serde_json::to_string(report)?),
        Format::Table => print!("{}", in_words(report, what)),
    }
    Ok(report.is_clean())
}

fn in_words(report: &Report, what: &str) -> String {
    let mut words = String::new();
    let root = report.root.map_or_else(|| "none".to_owned(), |root| root.to_string());
    let tenant = report.tenant_id.map_or_else(|| "unknown".to_owned(), |tenant| tenant.to_string());
    let region = report.region.as_ref().map_or("unknown", RegionId::as_str);
    let verdict = if report.is_clean() { "verified" } else { "WRONG" };
    let trust = if report.is_key_pinned {
        ""
    } else {
        " (named by the archive itself: compare it with the published one, or pass --verifier)"
    };
    let lines = [
        format!("{what}: {verdict}"),
        format!("  tenant       {tenant}, at home in {region}"),
        format!(
            "  events       {} in {} generations, {} attachments",
            report.size, report.generations, report.attachments
        ),
        format!("  tree root    {root}"),
        format!("  key          {}{trust}", report.verifier.as_deref().unwrap_or("none")),
        format!("  read         {} objects, {} bytes", report.objects, report.bytes),
    ];
    let notes = report.notes.iter().map(|note| format!("  note         {note}"));
    let findings = report.findings.iter().map(|finding| format!("  wrong        {finding}"));
    for line in lines.into_iter().chain(notes).chain(findings) {
        let _ = writeln!(words, "{line}");
    }
    if report.findings_left_off > 0 {
        let _ = writeln!(words, "  and {} more", report.findings_left_off);
    }
    words
}
