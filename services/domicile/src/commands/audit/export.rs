//! `domicile audit export`: a tenant's archive as a folder, or a bundle of a tenant or a ticket for an auditor.

mod bundle;
mod copy;

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use schemas::TicketId;

use super::history::HistoryOption;
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
};

/// `domicile audit export`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).args(["to", "bundle"]))]
pub struct Export {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub history: HistoryOption,
    /// The folder to copy the archive into, as it is; made when missing.
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
    match (&options.to, &options.bundle) {
        (Some(folder), _) => {
            let archive = options.history.archive.open(place).await?;
            let listed = copy::list(&*archive.source).await?;
            // Nothing is opened: these are sealed bytes. But they leave, and the tenant is told before. The entry is not among them.
            if options.history.archive.from.is_none() {
                options.history.export(place, None).await?;
            }
            let count = listed.copy(&*archive.source, folder, "--to").await?;
            let folder = folder.display();
            println!("{count} objects in {folder}; check them with: domicile audit verify --from {folder}");
            Ok(())
        }
        (None, Some(folder)) => bundle::write(place, options, folder).await,
        (None, None) => Err(Failure::usage("takes --to or --bundle")),
    }
}
