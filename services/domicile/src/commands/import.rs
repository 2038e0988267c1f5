//! `domicile import mail`: threads of mail become tickets of one tenant.

use std::path::PathBuf;

use clap::Subcommand;
use runtime::Shutdown;
use schemas::Slug;

use crate::{
    cli::Place,
    data_folder::DataFolder,
    deployment::Deployment,
    exit::{Failure, Outcome},
    import::{self, Client, Counts, Source, journal::Journal, post::Poster},
    mail,
    output::{Format, print_list},
    running::Running,
};

/// `domicile import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Import a folder of mail (a file a message, maildirs too) into a tenant. May be interrupted and run again.
    Mail(MailOptions),
}

/// `domicile import mail`.
#[derive(Debug, clap::Args)]
pub struct MailOptions {
    /// Folder of mail, or one message.
    pub path: PathBuf,
    /// The tenant's name in its address.
    #[arg(long, value_name = "NAME")]
    pub tenant: Slug,
    /// An API token of an admin or agent of the tenant.
    #[arg(long, env = "DOMICILE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: String,
    /// How to print the counts.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Runs it.
pub async fn run(place: &Place, Import::Mail(options): &Import) -> Outcome {
    let deployment = Deployment::open(place)?;
    let running = deployment.running()?;
    let files = folders(&options.path)?.into_iter().flat_map(|folder| folder.files).collect();
    let source = Source { tenant: options.tenant.to_string(), files };
    let counts = import_into(&deployment.data, &running, &source, &options.token, &stop_on_interrupt()).await?;
    let interrupted = counts.interrupted;
    print_list(&[counts], options.format)?;
    if interrupted {
        Err(Failure::unavailable(anyhow::anyhow!("interrupted: run the same command again to go on")))
    } else {
        Ok(())
    }
}

/// Scans a path given by a person.
pub fn folders(path: &std::path::Path) -> Result<Vec<mail::Folder>, Failure> {
    let folders = mail::scan(path)
        .map_err(|error| Failure::usage(format!("PATH: {} cannot be read: {error}", path.display())))?;
    if folders.is_empty() {
        return Err(Failure::usage(format!(
            "PATH: {} holds no files; takes a folder of mail, a file a message",
            path.display()
        )));
    }
    Ok(folders)
}

/// Imports into one tenant of a running deployment.
pub async fn import_into(
    data: &DataFolder,
    running: &Running,
    source: &Source,
    token: &str,
    shutdown: &Shutdown,
) -> anyhow::Result<Counts> {
    let host = format!("{}.{}", source.tenant, running.apex);
    let poster = Poster::new(Client::new(running.listen, &host, Some(token))?);
    let journal = Journal::open(&data.path().join("import").join(format!("{}.jsonl", source.tenant)))?;
    import::import(source, &poster, &journal, shutdown).await
}

/// A shutdown that Ctrl-C requests: the message under way is finished, then the import stops.
pub fn stop_on_interrupt() -> Shutdown {
    let shutdown = Shutdown::new();
    let interrupted = shutdown.clone();
    shutdown.spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => interrupted.request(),
            () = interrupted.requested() => {}
        }
    });
    shutdown
}
