//! `domicile audit export`: a tenant's archive as a folder, or a bundle of a tenant or a ticket for an auditor.

mod bundle;
pub(super) mod folder;
mod over;

use std::path::PathBuf;

use auditor::{
    Source,
    bundle::{copy::Listed, make::Sink},
};
use clap::{ArgGroup, Args};
use schemas::TicketId;

use self::folder::{Filling, stopped};
use super::{granted::Granted, history::HistoryOption};
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
    progress::Progress,
};

/// `domicile audit export`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).args(["to", "bundle"]))]
pub struct Export {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub history: HistoryOption,
    /// The folder to copy the archive into, as it is; made when missing. An older copy of it goes on; any other folder must be empty.
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,
    /// The folder to write as a bundle: the archive, the key, the steps by hand and a list of all files. Must not be there yet.
    #[arg(long, value_name = "FOLDER")]
    pub bundle: Option<PathBuf>,
    /// A bundle of one ticket: its events, each with a proof under one checkpoint, their schemas and files.
    #[arg(long, value_name = "NUMBER", requires = "bundle")]
    pub ticket: Option<TicketId>,
    /// Put the opened payloads into the bundle too. They are personal data, and content, in the clear.
    #[arg(long, requires = "bundle")]
    pub with_payloads: bool,
}

pub(super) async fn run(place: &Place, options: &Export) -> Outcome {
    if let Some(granted) = Granted::by(&options.history.archive)? {
        return bundle::download(options, &granted).await;
    }
    match (&options.to, &options.bundle) {
        (Some(folder), _) => {
            let archive = options.history.archive.open(place).await?;
            let listed = list(&*archive.source).await?;
            over::check(folder, &archive, &listed).await?;
            // Nothing is opened: these are sealed bytes. But they leave, and the tenant is told before. The entry is not among them.
            if options.history.archive.from.is_none() {
                options.history.export(place, None).await?;
            }
            let mut filling = Filling { folder: folder.clone(), option: "--to" };
            let count = copy(&listed, &*archive.source, (&mut filling, "")).await?;
            let folder = folder.display();
            println!("{count} objects in {folder}; check them with: domicile audit verify --from {folder}");
            Ok(())
        }
        (None, Some(folder)) => bundle::write(place, options, folder).await,
        (None, None) => Err(Failure::usage("takes --to or --bundle")),
    }
}

/// Every object there is now.
async fn list(source: &dyn Source) -> Result<Listed, Failure> {
    let listed = Listed::of(source).await?;
    listed.ok_or_else(|| Failure::usage("there is no manifest, so no archive to export"))
}

/// Copies them, with progress; tells how many.
async fn copy<S: Sink<Error = Failure>>(
    listed: &Listed,
    source: &dyn Source,
    target: (&mut S, &str),
) -> Result<usize, Failure> {
    let progress = Progress::new("export, objects", listed.count() as u64);
    let count = listed.copy(source, target, || progress.advance(1)).await.map_err(stopped)?;
    progress.finish();
    Ok(count)
}
