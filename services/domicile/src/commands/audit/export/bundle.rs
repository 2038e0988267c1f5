//! Write a bundle: everything into a folder beside, then its list, then its name. A killed export leaves no bundle.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use archive::{Checkpoint, Verifier, layout};
use auditor::{
    Folder, Log, Source, Wanted,
    bundle::{self, Bundle, File},
    replay::{Taken, decode},
};
use jiff::Timestamp;
use runtime::{Clock, SystemClock};
use schemas::{CommandId, Hash, Position, RegionId, StreamName, TenantId, TicketId};

use super::{
    super::{
        archive::Archive,
        history::{History, Opened},
        proof::refused,
    },
    Export,
    copy::{copy, write as put},
};
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
    progress::Progress,
};

const README_TENANT: &str = include_str!("bundle/tenant.txt");
const README_TICKET: &str = include_str!("bundle/ticket.txt");
const README_PAYLOADS: &str = include_str!("bundle/payloads.txt");

/// A bundle that is being written.
struct Writing<'run> {
    options: &'run Export,
    archive: Archive,
    history: History,
    /// Where it is written until it is whole.
    partial: PathBuf,
}

/// Whose bundle it is, as the signed checkpoint says.
struct Whose {
    tenant_id: TenantId,
    region: RegionId,
    verifier: Verifier,
}

pub(super) async fn write(place: &Place, options: &Export, folder: &Path) -> Outcome {
    let shown = folder.display();
    if folder.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!("--bundle: {shown} is there already; takes a folder that is not")));
    }
    let stream = options.ticket.map(StreamName::Ticket);
    let history = options.history.open_archive(place, stream.as_ref()).await?;
    if options.with_payloads && !history.has_keys() {
        return Err(Failure::usage("--with-payloads: takes --keys and --region-key to open a copied archive"));
    }
    let mut partial = folder.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // What is there was left by an export that was interrupted.
    if partial.is_dir() {
        fs::remove_dir_all(&partial).map_err(|error| unwritten(&partial, &error))?;
    }
    let archive = options.history.archive.open(place).await?;
    let writing = Writing { options, archive, history, partial };
    let count = writing.run().await?;
    fs::rename(&writing.partial, folder).map_err(|error| unwritten(folder, &error))?;
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
        let (checkpoint, whose) = self.whose().await?;
        match self.options.ticket {
            None => drop(copy(&*self.archive.source, &self.partial.join(bundle::ARCHIVE), "--bundle").await?),
            Some(ticket) => self.ticket(ticket, &checkpoint).await?,
        }
        let made_at = SystemClock.now();
        put(&self.partial, bundle::VERIFIER, format!("{}\n", whose.verifier).as_bytes(), "--bundle")?;
        put(&self.partial, bundle::README, self.readme(&whose, made_at).as_bytes(), "--bundle")?;
        let files = self.files().await?;
        let count = files.len() + 1;
        let bundle = Bundle {
            format: bundle::FORMAT,
            tenant_id: whose.tenant_id,
            region: whose.region,
            ticket: self.options.ticket,
            made_at,
            verifier: whose.verifier.to_string(),
            has_payloads: self.options.with_payloads,
            files,
        };
        let list = serde_json::to_string_pretty(&bundle)? + "\n";
        put(&self.partial, bundle::LIST, list.as_bytes(), "--bundle")?;
        Ok(count)
    }

    /// The checkpoint, and whose it is.
    async fn whose(&self) -> Result<(Checkpoint, Whose), Failure> {
        let log = Log::open(&*self.archive.source, self.archive.verifier.as_ref()).await.map_err(refused)?;
        let head = log.head().clone();
        let parts = head.origin.strip_prefix("domicile/").and_then(|parts| parts.split_once('/'));
        let parsed = parts.and_then(|(region, tenant)| Some((region.parse().ok()?, tenant.parse().ok()?)));
        let (region, tenant_id) =
            parsed.ok_or_else(|| Failure::check(format!("{} is no tenant's log", head.origin)))?;
        let verifier = Verifier::new(archive::checkpoint::region_name(&region), *log.key().public_key());
        Ok((head, Whose { tenant_id, region, verifier }))
    }

    fn readme(&self, whose: &Whose, made_at: Timestamp) -> String {
        let text = if self.options.ticket.is_some() { README_TICKET } else { README_TENANT };
        let payloads = if self.options.with_payloads { README_PAYLOADS } else { "" };
        let ticket = self.options.ticket.map(|ticket| ticket.to_string()).unwrap_or_default();
        format!("{payloads}{text}")
            .replace("{tenant}", &whose.tenant_id.to_string())
            .replace("{region}", whose.region.as_str())
            .replace("{verifier}", &whose.verifier.to_string())
            .replace("{made_at}", &made_at.to_string())
            .replace("{ticket}", &ticket)
    }

    /// Every file so far, with its hash.
    async fn files(&self) -> Result<Vec<File>, Failure> {
        if self.options.with_payloads && self.options.ticket.is_none() {
            self.opened(|_| true).await?;
        }
        let folder = Folder::new(&self.partial);
        let mut paths = folder.list().await?;
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let bytes = folder.get(&path).await?.ok_or_else(|| anyhow::anyhow!("{path} went away"))?;
            files.push(File { size_bytes: bytes.len() as u64, sha256: Hash::of(&[&bytes]), path });
        }
        Ok(files)
    }

    /// A ticket's events with their proofs, schemas and files.
    async fn ticket(&self, ticket: TicketId, head: &Checkpoint) -> Outcome {
        let up_to = Position::new(i64::try_from(head.size).unwrap_or(i64::MAX));
        let positions = self.positions(&StreamName::Ticket(ticket), up_to).await?;
        if positions.is_empty() {
            return Err(Failure::usage(format!("--ticket: ticket-{ticket} has no event up to position {up_to}")));
        }
        let log = Log::open(&*self.archive.source, self.archive.verifier.as_ref()).await.map_err(refused)?;
        let keys = self.archive.source.list().await?;
        let progress = Progress::new("export, events", positions.len() as u64);
        for position in &positions {
            let proof = log.prove(Wanted::Position(*position)).await.map_err(refused)?;
            put(&self.partial, bundle::CHECKPOINT, proof.checkpoint.as_bytes(), "--bundle")?;
            put(&self.partial, &bundle::proof(*position), proof.to_string().as_bytes(), "--bundle")?;
            let (event, _) = self.event(*position).await?;
            put(&self.partial, &bundle::payload(*position), &event.sealed.payload, "--bundle")?;
            let envelope = &event.sealed.envelope;
            let of_type = format!("{}{}@", layout::SCHEMAS, envelope.event_type);
            let schemas = keys.iter().filter(|key| key.starts_with(&of_type)).cloned();
            for key in schemas.chain(envelope.blob.map(layout::attachment)) {
                let object = self.archive.source.get(&key).await?;
                let object = object.ok_or_else(|| Failure::check(format!("{key}: missing in the archive")))?;
                put(&self.partial, &key, &object, "--bundle")?;
            }
            progress.advance(1);
        }
        progress.finish();
        if self.options.with_payloads {
            self.opened(|position| positions.contains(&position)).await?;
        }
        Ok(())
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

    /// Writes the opened payloads of some events.
    async fn opened(&self, is_meant: impl Fn(Position) -> bool) -> Outcome {
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
        written.and_then(|()| file.flush()).map_err(unwritten)
    }
}
