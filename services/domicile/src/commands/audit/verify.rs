//! `domicile audit verify`: from the region's bucket, or from a copied folder with nothing else.

use std::{fs, path::PathBuf, time::Duration};

use auditor::{Options, Report, bundle, report};
use clap::Args;
use runtime::{Clock, SystemClock};
use schemas::{RegionId, Slug, TicketId};
use tempfile::TempDir;

use super::{
    archive::{Archive, ArchiveOption, published},
    check::read_text,
    export::folder::Filling,
    granted::Granted,
    report_file::ReportFile,
    witnesses::Answers,
};
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
    /// Of a tenant's address: one ticket only, by its number.
    #[arg(long, value_name = "NUMBER", requires = "from")]
    pub ticket: Option<TicketId>,
    /// A checkpoint that was kept from an earlier look: the archive must go on from it.
    #[arg(long, value_name = "FILE")]
    pub old: Option<PathBuf>,
    /// The manifest of a backup: the archive must hold what the tenant had then.
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
    /// Check only that attachments are there, without reading them.
    #[arg(long)]
    pub skip_attachments: bool,
    /// Write the report to a file too: .html (a page to print), .json or .txt, as its name ends.
    #[arg(long, value_name = "FILE")]
    pub report: Option<ReportFile>,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub(super) async fn run(place: &Place, options: &Verify) -> Outcome {
    // What is asked for beside the archive is looked at first: nobody should wait for a long verification to learn of a typo.
    let mut known = options.known()?;
    let file = options.report.as_ref().map(ReportFile::create).transpose()?;
    // It is there until it is verified.
    let downloaded = options.download().await?;
    let archive = match &downloaded {
        Some((folder, name)) => Archive { name: name.clone(), ..options.archive.folder(folder.path()) },
        None => options.archive.open(place).await?,
    };
    let what = archive.name.clone();
    let clock = SystemClock;
    let begun = clock.now();
    // Before the archive is listed: a witness has cosigned what was published before.
    let mut answers = Answers::about(place, &options.archive, &archive).await?;
    let notes = std::mem::take(&mut answers.notes);
    known.refused = std::mem::take(&mut answers.refused);
    let source = Box::new(answers.before(archive.source));
    let mut report = verify(Archive { source, ..archive }, known).await?;
    report.notes.extend(notes);
    let done_at = clock.now();
    let is_sound = print_report(&report, &what, options.format)?;
    if let Some(file) = file {
        let took = Duration::try_from(done_at.duration_since(begun)).unwrap_or_default();
        file.write(&report, &report::About { what: what.clone(), done_at, took, program: PROGRAM })?;
    }
    let first = report.first_wrong().map_or_else(String::new, |position| format!(", the first at position {position}"));
    if is_sound { Ok(()) } else { Err(Failure::check(format!("{what} does not verify{first}"))) }
}

const TICKET: &str = "--ticket: belongs to --from with an address; a ticket's bundle in a folder knows its ticket";
const PROGRAM: &str = concat!("domicile ", env!("CARGO_PKG_VERSION"));

impl Verify {
    /// A bundle from the tenant's address, where one is named, and what to call it.
    async fn download(&self) -> Result<Option<(TempDir, String)>, Failure> {
        let Some(granted) = Granted::by(&self.archive)? else {
            return if self.ticket.is_some() { Err(Failure::usage(TICKET)) } else { Ok(None) };
        };
        let folder = tempfile::Builder::new().prefix("domicile-audit-").tempdir()?;
        granted.bundle(self.ticket, Filling { folder: folder.path().to_owned(), option: "TMPDIR" }).await?;
        let ticket = self.ticket.map_or_else(String::new, |ticket| format!(", ticket {ticket}"));
        Ok(Some((folder, format!("{}{ticket}", granted.name()))))
    }

    /// What is known of the archive from elsewhere, and what is to be left out.
    fn known(&self) -> Result<Options, Failure> {
        let older = self.old.as_deref().map(|path| {
            read_text(path, "--old")?
                .ok_or_else(|| Failure::usage(format!("--old: {} is no checkpoint", path.display())))
        });
        let backup = self.backup.as_deref().map(|path| {
            let unread = |error| Failure::usage(format!("--backup: {} cannot be read: {error}", path.display()));
            fs::read(path).map_err(unread)
        });
        Ok(Options {
            older: older.transpose()?,
            backup: backup.transpose()?,
            reads_attachments: !self.skip_attachments,
            ..Options::default()
        })
    }
}

/// Verifies a tenant's archive in its bucket against the key that the directory publishes.
pub async fn verify_tenant(deployment: &Deployment, region: &RegionId, tenant: &Slug) -> Result<Report, Failure> {
    verify(published(deployment, region, tenant, None).await?, Options::default()).await
}

async fn verify(archive: Archive, known: Options) -> Result<Report, Failure> {
    let (verifier, witnesses) = (archive.verifier, archive.witnesses);
    let options = Options { verifier, witnesses, at_least: archive.archived, ..known };
    let mut shown: Option<Progress> = None;
    let mut progress = |at: auditor::Progress| {
        let bar = shown.get_or_insert_with(|| Progress::new("verify, events", at.events_total));
        bar.set_with_bytes(at.events, at.bytes);
    };
    let report = if archive.is_bundle {
        bundle::verify(&*archive.source, &options, &mut progress).await?
    } else {
        auditor::verify(&*archive.source, &options, &mut progress).await?
    };
    if let Some(bar) = shown {
        bar.finish();
    }
    Ok(report)
}

/// Prints a report; tells whether it is clean.
pub fn print_report(report: &Report, what: &str, format: Format) -> Result<bool, Failure> {
    print_one(report, format, || report::words(report, what))?;
    Ok(report.is_clean())
}
