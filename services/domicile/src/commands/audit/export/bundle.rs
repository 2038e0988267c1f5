//! Write a bundle: everything into a folder beside, then its list, then its name. A killed export leaves no bundle.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use auditor::{
    bundle::{
        self, File,
        make::{About, Making},
    },
    replay::{Taken, decode},
};
use runtime::{Clock, SystemClock};
use schemas::{CommandId, Hash, Position, StreamName, TicketId};

use super::{
    super::{
        archive::Archive,
        granted::Granted,
        history::{History, Opened},
    },
    Export, copy,
    folder::{Filling, stopped, unmade},
    list,
};
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
    progress::Progress,
};

/// A bundle that is being written.
struct Writing<'run> {
    options: &'run Export,
    archive: Archive,
    history: History,
    /// Where it is written until it is whole.
    partial: PathBuf,
}

/// Brings one from the tenant's address.
pub(super) async fn download(options: &Export, granted: &Granted) -> Outcome {
    let Some(folder) = &options.bundle else {
        return Err(Failure::usage(
            "--bundle: takes the folder to write; an address gives bundles, so --to does not go with it",
        ));
    };
    if options.with_payloads {
        return Err(Failure::usage(
            "--with-payloads: an address gives sealed payloads only; read opened ones by its API, with the grant",
        ));
    }
    let partial = begin(folder)?;
    granted.bundle(options.ticket, Filling { folder: partial.clone(), option: "--bundle" }).await?;
    fs::rename(&partial, folder).map_err(|error| unwritten(folder, &error))?;
    let shown = folder.display();
    println!("a bundle in {shown}; check it anywhere with: domicile audit verify --from {shown} --verifier KEY");
    Ok(())
}

/// The folder beside that is filled first.
fn begin(folder: &Path) -> Result<PathBuf, Failure> {
    if folder.symlink_metadata().is_ok() {
        let shown = folder.display();
        return Err(Failure::usage(format!("--bundle: {shown} is there already; takes a folder that is not")));
    }
    let mut partial = folder.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // What is there was left by an export that was interrupted.
    if partial.is_dir() {
        fs::remove_dir_all(&partial).map_err(|error| unwritten(&partial, &error))?;
    }
    Ok(partial)
}

pub(super) async fn write(place: &Place, options: &Export, folder: &Path) -> Outcome {
    let partial = begin(folder)?;
    let stream = options.ticket.map(StreamName::Ticket);
    let history = options.history.open_archive(place, stream.as_ref()).await?;
    if options.with_payloads && !history.has_keys() {
        return Err(Failure::usage("--with-payloads: takes --keys and --region-key to open a copied archive"));
    }
    let archive = options.history.archive.open(place).await?;
    let writing = Writing { options, archive, history, partial };
    let count = writing.run().await?;
    fs::rename(&writing.partial, folder).map_err(|error| unwritten(folder, &error))?;
    let shown = folder.display();
    println!("{count} files in {shown}; check them anywhere with: domicile audit verify --from {shown} --verifier KEY");
    if options.with_payloads {
        println!("it holds personal data in the clear: give it only to whom it is meant for");
    }
    Ok(())
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("--bundle: {} cannot be written: {error}", path.display()))
}

impl Writing<'_> {
    async fn run(&self) -> Result<usize, Failure> {
        let source = &*self.archive.source;
        let filling = Filling { folder: self.partial.clone(), option: "--bundle" };
        let mut making = Making::begin(source, self.archive.verifier.as_ref(), filling).await.map_err(unmade)?;
        match self.options.ticket {
            None => {
                copy(&list(source).await?, source, (&mut making, bundle::ARCHIVE)).await?;
                self.opened(&mut making, |_| true).await?;
            }
            Some(ticket) => self.ticket(ticket, &mut making).await?,
        }
        let Export { ticket, with_payloads: has_payloads, .. } = *self.options;
        making.finish(About { ticket, has_payloads, made_at: SystemClock.now() }).await
    }

    /// A ticket's events with their proofs, schemas and files.
    async fn ticket(&self, ticket: TicketId, making: &mut Making<'_, Filling>) -> Outcome {
        let up_to = Position::new(i64::try_from(making.size()).unwrap_or(i64::MAX));
        let positions = self.positions(&StreamName::Ticket(ticket), up_to).await?;
        if positions.is_empty() {
            return Err(Failure::usage(format!("--ticket: ticket-{ticket} has no event up to position {up_to}")));
        }
        let objects = self.archive.source.list().await?;
        let progress = Progress::new("export, events", positions.len() as u64);
        for position in &positions {
            let (event, _) = self.event(*position).await?;
            making.event(&event, &objects).await.map_err(stopped)?;
            progress.advance(1);
        }
        progress.finish();
        self.opened(making, |position| positions.contains(&position)).await
    }

    /// The positions of a ticket's events and of the files that its commands took.
    async fn positions(&self, ticket: &StreamName, up_to: Position) -> Result<BTreeSet<Position>, Failure> {
        let mut commands: BTreeSet<CommandId> = BTreeSet::new();
        self.history
            .each_sealed(up_to, |event| {
                if event.sealed.envelope.stream == *ticket {
                    commands.insert(event.sealed.envelope.command_id);
                }
            })
            .await?;
        // A command that uses an upload for a ticket says so in the upload's stream: no payload has to be opened to find it.
        let mut streams = BTreeSet::from([ticket.clone()]);
        self.history
            .each_sealed(up_to, |event| {
                let envelope = &event.sealed.envelope;
                if matches!(envelope.stream, StreamName::Upload(_)) && commands.contains(&envelope.command_id) {
                    streams.insert(envelope.stream.clone());
                }
            })
            .await?;
        let mut positions = BTreeSet::new();
        self.history
            .each_sealed(up_to, |event| {
                if streams.contains(&event.sealed.envelope.stream) {
                    positions.insert(event.position);
                }
            })
            .await?;
        Ok(positions)
    }

    async fn event(&self, position: Position) -> Result<Opened, Failure> {
        let found = self.history.at(position).await?;
        found.ok_or_else(|| Failure::check(format!("position {position}: missing in the archive")))
    }

    /// Writes the opened payloads of some events, if they are meant to be there.
    async fn opened(&self, making: &mut Making<'_, Filling>, is_meant: impl Fn(Position) -> bool) -> Outcome {
        if !self.options.with_payloads {
            return Ok(());
        }
        let path = self.partial.join(bundle::OPENED);
        let unwritten = |error: std::io::Error| unwritten(&path, &error);
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(unwritten)?;
        let mut file = BufWriter::new(fs::File::create(&path).map_err(unwritten)?);
        let mut written = Ok(());
        let wants = |event: &schemas::Recorded| if is_meant(event.position) { Taken::Yes } else { Taken::No };
        self.history
            .each(wants, |event, payload| {
                let line = serde_json::to_string(&decode(event, payload)).expect("an event is JSON");
                if written.is_ok() {
                    written = writeln!(file, "{line}");
                }
            })
            .await?;
        written.and_then(|()| file.flush()).map_err(unwritten)?;
        let bytes = fs::read(&path).map_err(unwritten)?;
        let (path, sha256) = (bundle::OPENED.to_owned(), Hash::of(&[&bytes]));
        making.note(File { path, size_bytes: bytes.len() as u64, sha256 });
        Ok(())
    }
}
