//! `domicile audit verify`: from the region's bucket, or from a copied folder with nothing else.

use std::fmt::Write;

use auditor::{Options, Report};
use clap::Args;
use schemas::{RegionId, Slug};

use super::archive::{Archive, ArchiveOption, published, trust};
use crate::{
    cli::Place,
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, print_one},
    progress::Progress,
};

/// `domicile audit verify`.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub archive: ArchiveOption,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub(super) async fn run(place: &Place, options: &Verify) -> Outcome {
    let archive = options.archive.open(place).await?;
    let what = archive.name.clone();
    let report = verify(archive).await?;
    let is_sound = print_report(&report, &what, options.format)?;
    let first = report.first_wrong().map_or_else(String::new, |position| format!(", the first at position {position}"));
    if is_sound { Ok(()) } else { Err(Failure::check(format!("{what} does not verify{first}"))) }
}

/// Verifies a tenant's archive in its bucket against the key that the directory publishes.
pub async fn verify_tenant(deployment: &Deployment, region: &RegionId, tenant: &Slug) -> Result<Report, Failure> {
    verify(published(deployment, region, tenant, None).await?).await
}

async fn verify(archive: Archive) -> Result<Report, Failure> {
    let options = Options { verifier: archive.verifier, at_least: archive.archived, ..Options::default() };
    let mut shown: Option<(Progress, u64)> = None;
    let mut progress = |at: auditor::Progress| {
        let (bar, before) = shown.get_or_insert_with(|| (Progress::new("verify, generations", at.generations), 0));
        bar.advance(at.generation.saturating_sub(*before));
        *before = at.generation;
    };
    let report = auditor::verify(&*archive.source, &options, &mut progress).await?;
    if let Some((bar, _)) = shown {
        bar.finish();
    }
    Ok(report)
}

/// Prints a report; tells whether it is clean.
pub fn print_report(report: &Report, what: &str, format: Format) -> Result<bool, Failure> {
    print_one(report, format, || in_words(report, what))?;
    Ok(report.is_clean())
}

fn in_words(report: &Report, what: &str) -> String {
    let mut words = String::new();
    let root = report.root.map_or_else(|| "none".to_owned(), |root| root.to_string());
    let tenant = report.tenant_id.map_or_else(|| "unknown".to_owned(), |tenant| tenant.to_string());
    let region = report.region.as_ref().map_or("unknown", RegionId::as_str);
    let verdict = if report.is_clean() { "verified" } else { "WRONG" };
    let trust = trust(report.is_key_pinned);
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
