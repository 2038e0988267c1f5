//! Bundles: what is handed to an auditor, a folder that holds everything a verification takes.
//!
//! `BUNDLE.json` lists every other file with its hash, so that a file that is missing, changed or added is named. The list is
//! not signed and proves nothing by itself: what it lists is an archive, verified as any other, or the events of one ticket,
//! each with a proof under one signed checkpoint.
//!
//! [`verify`] checks one, [`make`] makes one, [`copy`] copies an archive into one.

pub mod copy;
pub mod make;
mod ticket;

use std::collections::BTreeSet;

use archive::Verifier;
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use schemas::{Hash, RegionId, TenantId, TicketId};
use serde::{Deserialize, Serialize};

pub use self::ticket::{payload, proof};
use crate::{
    report::{Report, Wrong},
    source::{Error, Source},
    verify::{Options, Progress, verify as verify_archive},
};

/// The list of files.
pub const LIST: &str = "BUNDLE.json";
/// What the bundle is, and how it is verified by hand.
pub const README: &str = "README.txt";
/// The verifier key of the region.
pub const VERIFIER: &str = "verifier.txt";
/// Where a tenant's archive lies.
pub const ARCHIVE: &str = "archive/";
/// The checkpoint that a ticket's proofs lead to.
pub const CHECKPOINT: &str = "checkpoint";
/// A ticket's events: proofs and sealed payloads.
pub const EVENTS: &str = "events/";
/// Payloads that were opened.
pub const OPENED: &str = "opened/events.ndjson";

/// The version of the format.
pub const FORMAT: u16 = 1;

/// What `BUNDLE.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: u16,
    /// Whose history.
    pub tenant_id: TenantId,
    /// Where it is at home.
    pub region: RegionId,
    /// The ticket, in a ticket's bundle.
    pub ticket: Option<TicketId>,
    /// When it was made.
    pub made_at: Timestamp,
    /// The region's verifier key. A claim until it is compared with one from elsewhere.
    pub verifier: String,
    /// Whether it holds opened payloads.
    pub has_payloads: bool,
    /// Every other file, by path.
    pub files: Vec<File>,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Below the bundle's folder.
    pub path: String,
    /// Its length.
    pub size_bytes: u64,
    /// Its hash.
    pub sha256: Hash,
}

/// Verifies a bundle. An error says that it could not be read, never that it is wrong.
///
/// # Errors
/// If the source cannot be read.
pub async fn verify(
    source: &dyn Source,
    options: &Options,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Error> {
    let mut files = Report::default();
    let Some(bundle) = listed(source, &mut files).await? else {
        files.conclude(options);
        return Ok(files);
    };
    check_files(source, &bundle, &mut files).await?;
    let mut report = match bundle.ticket {
        None => {
            let mut report = verify_archive(&Below(source), options, progress).await?;
            for finding in &mut report.findings {
                finding.object.insert_str(0, ARCHIVE);
            }
            report
        }
        Some(ticket) => ticket::verify(source, &bundle, ticket, options).await?,
    };
    if bundle.has_payloads || bundle.files.iter().any(|file| file.path == OPENED) {
        report.has_opened_payloads();
    }
    check_verifier(source, &bundle, &mut report).await?;
    report.findings.splice(0..0, files.findings);
    report.objects += files.objects;
    report.bytes += files.bytes;
    Ok(report)
}

async fn listed(source: &dyn Source, report: &mut Report) -> Result<Option<Bundle>, Error> {
    let wrong = match source.get(LIST).await?.as_deref().map(serde_json::from_slice::<Bundle>) {
        None => Wrong::Missing,
        Some(Err(error)) => Wrong::Unreadable(error.to_string()),
        Some(Ok(bundle)) if bundle.format != FORMAT => Wrong::Belongs("format"),
        Some(Ok(bundle)) => return Ok(Some(bundle)),
    };
    report.add(None, LIST, wrong);
    Ok(None)
}

/// Every file must be there as listed, and nothing else.
async fn check_files(source: &dyn Source, bundle: &Bundle, report: &mut Report) -> Result<(), Error> {
    let mut unlisted: BTreeSet<String> = source.list().await?.into_iter().filter(|path| path != LIST).collect();
    for file in &bundle.files {
        unlisted.remove(&file.path);
        let Some(bytes) = source.get(&file.path).await? else {
            report.add(None, file.path.as_str(), Wrong::Missing);
            continue;
        };
        report.objects += 1;
        report.bytes += bytes.len() as u64;
        if (bytes.len() as u64, Hash::of(&[&bytes])) != (file.size_bytes, file.sha256) {
            report.add(None, file.path.as_str(), Wrong::NotAsListed);
        }
    }
    unlisted.into_iter().for_each(|path| report.add(None, path, Wrong::Unlisted));
    Ok(())
}

/// The key beside the bundle must be one of those that it was verified with: the region's, one after the other.
async fn check_verifier(source: &dyn Source, bundle: &Bundle, report: &mut Report) -> Result<(), Error> {
    let used = report.verifiers.iter().chain(&report.verifier).filter_map(|used| used.parse::<Verifier>().ok());
    let used: Vec<[u8; 32]> = used.map(|used| *used.public_key()).collect();
    let beside = source.get(VERIFIER).await?;
    let beside = beside.as_deref().and_then(|text| std::str::from_utf8(text).ok());
    for (object, claimed) in [(VERIFIER, beside), (LIST, Some(bundle.verifier.as_str()))] {
        let claimed: Option<Verifier> = claimed.and_then(|claimed| claimed.trim().parse().ok());
        let is_used = claimed.is_some_and(|claimed| used.contains(claimed.public_key()));
        if !used.is_empty() && !is_used {
            report.add(None, object, Wrong::Belongs("key"));
        }
    }
    Ok(())
}

/// The archive in a bundle.
struct Below<'bundle>(&'bundle dyn Source);

impl Source for Below<'_> {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, Error>> {
        async move { self.0.get(&format!("{ARCHIVE}{key}")).await }.boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, Error>> {
        async move {
            let keys = self.0.list().await?;
            Ok(keys.iter().filter_map(|key| key.strip_prefix(ARCHIVE).map(str::to_owned)).collect())
        }
        .boxed()
    }
}
