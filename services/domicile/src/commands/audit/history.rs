//! A tenant's history: from the running region, or from a copied archive; opened as far as there are keys.

use std::{
    fs,
    path::{Path, PathBuf},
};

use auditor::{
    Folder, history,
    replay::{AsOf, Filter, Payload, Taken},
};
use clap::Args;
use regions::{DatabaseRole, Resident};
use runtime::{Clock, SystemClock};
use schemas::{PersonId, Position, Recorded, StreamName, TenantId, TicketId};
use sqlx::PgPool;
use vault::{Keyring, Plaintext, RegionKey, Vault};

use super::{
    Moment,
    archive::{Archive, ArchiveOption},
    visit::{self, Purpose},
};
use crate::{
    cli::Place,
    deployment::Deployment,
    exit::{Failure, Outcome},
};

/// Events that are read and opened at once.
const BATCH: i64 = 1000;

/// Which history, and the keys to open a copied one with.
#[derive(Debug, Args)]
pub struct HistoryOption {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub archive: ArchiveOption,
    /// The tenant's key exports, a copy of keys/<tenant id>/, to open a copied archive with. Without them: envelopes only.
    #[arg(long, value_name = "FOLDER", requires = "from", requires = "region_key")]
    pub keys: Option<PathBuf>,
    /// The region's key file that the exports are wrapped by.
    #[arg(long, value_name = "FILE", requires = "keys")]
    pub region_key: Option<PathBuf>,
    /// A newer copy of the archive: what its erasure list names is not opened, whatever keys are there. Without: the list of --from.
    #[arg(long, value_name = "FOLDER", requires = "keys")]
    pub erasures: Option<PathBuf>,
    /// Why you look at a running region's tenant: the tenant's access log tells it, and says "none given" without.
    #[arg(long, value_name = "TEXT", conflicts_with = "from")]
    pub reason: Option<String>,
}

/// One aggregate.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub struct Selection {
    /// One ticket only, by its number.
    #[arg(long, value_name = "NUMBER")]
    pub ticket: Option<TicketId>,
    /// One person only, by their id.
    #[arg(long, value_name = "ID")]
    pub person: Option<PersonId>,
    /// One stream only, such as ticket-42.
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<StreamName>,
}

impl Selection {
    /// Its stream, if one was named.
    pub(super) fn stream(&self) -> Option<StreamName> {
        let ticket = self.ticket.map(StreamName::Ticket);
        ticket.or_else(|| self.person.map(StreamName::Person)).or_else(|| self.stream.clone())
    }

    /// The refusal of a stream that has no event up to a position.
    pub(super) fn unknown(&self, stream: &StreamName, up_to: Position) -> Failure {
        let option = match self {
            Self { ticket: Some(_), .. } => "--ticket",
            Self { person: Some(_), .. } => "--person",
            _ => "--stream",
        };
        Failure::usage(format!("{option}: {stream} has no event up to position {up_to}"))
    }
}

/// An event with its payload.
pub(super) type Opened = (Recorded, Payload<Plaintext>);

/// A tenant's history.
pub(super) struct History {
    events: Events,
    keys: Keys,
    name: String,
}

enum Events {
    /// Up to where it ended when it was opened, so that a look at it does not show itself.
    Log {
        pool: PgPool,
        resident: Resident,
        end: Position,
    },
    Archive(history::History),
}

enum Keys {
    Vault(Vault, Resident),
    Ring(Box<Keyring>),
    None,
}

impl HistoryOption {
    /// Opens it, for what a command is about to show. A running region's tenant is told before.
    pub(super) async fn open(&self, place: &Place, stream: Option<&StreamName>) -> Result<History, Failure> {
        self.open_for(place, Purpose { stream, is_export: false, reason: self.reason.as_deref() }).await
    }

    async fn open_for(&self, place: &Place, purpose: Purpose<'_>) -> Result<History, Failure> {
        let archive = &self.archive;
        archive.is_no_address()?;
        match (&archive.from, &archive.region, &archive.tenant) {
            (Some(folder), _, _) => self.copied(folder).await,
            (None, Some(_), Some(_)) if archive.verifier.is_some() => Err(Failure::usage(
                "--verifier: belongs to --from; a running region is asked for its log, not its archive",
            )),
            (None, Some(region), Some(tenant)) => {
                let deployment = Deployment::open(place)?;
                let at_home = deployment.region(region)?;
                let pool = deployment.pool(&at_home, DatabaseRole::Projector).await?;
                let vault = deployment.vault(&at_home, pool.clone())?;
                let resident = deployment.resident(&mut *pool.acquire().await?, &at_home.id, tenant).await?;
                let end = eventlog::head(&mut *pool.acquire().await?, &resident).await?;
                visit::record(&deployment, &at_home, &resident, purpose).await?;
                let keys = Keys::Vault(vault, resident.clone());
                Ok(History { events: Events::Log { pool, resident, end }, keys, name: format!("{region}/{tenant}") })
            }
            _ => Err(Failure::usage("takes --region and --tenant, or --from")),
        }
    }

    /// Opens it to be taken along.
    pub(super) async fn export(&self, place: &Place, stream: Option<&StreamName>) -> Result<History, Failure> {
        self.open_for(place, Purpose { stream, is_export: true, reason: self.reason.as_deref() }).await
    }

    /// The same history as its archive holds it: events that a proof can be made of.
    pub(super) async fn open_archive(&self, place: &Place, stream: Option<&StreamName>) -> Result<History, Failure> {
        let log = self.export(place, stream).await?;
        if self.archive.from.is_some() {
            return Ok(log);
        }
        let Archive { source, verifier, .. } = self.archive.open(place).await?;
        let archive = history::History::open(source, verifier).await.map_err(|error| unreadable(error, None))?;
        Ok(History { events: Events::Archive(archive), ..log })
    }

    async fn copied(&self, folder: &Path) -> Result<History, Failure> {
        if self.archive.verifier.is_none() {
            eprintln!("no --verifier: the key that the archive names is trusted; compare it with the published one");
        }
        let archive = self.folder(folder, "--from").await?;
        let keys = match self.keys.as_deref().zip(self.region_key.as_deref()) {
            Some((keys, region_key)) => Keys::Ring(Box::new(self.ring(&archive, (keys, region_key)).await?)),
            None => Keys::None,
        };
        Ok(History { events: Events::Archive(archive), keys, name: folder.display().to_string() })
    }

    async fn folder(&self, folder: &Path, option: &str) -> Result<history::History, Failure> {
        if !folder.is_dir() {
            return Err(Failure::usage(format!("{option}: {} is no folder", folder.display())));
        }
        let archive = history::History::open(Box::new(Folder::new(folder)), self.archive.verifier.clone());
        archive.await.map_err(|error| unreadable(error, Some((option, folder))))
    }

    /// The exported keys, but for those that an erasure list names: an export may be older than the erasure.
    async fn ring(&self, archive: &history::History, (keys, region_key): (&Path, &Path)) -> Result<Keyring, Failure> {
        let tenant_id = archive.tenant_id();
        let mut ring = keyring(keys, region_key, tenant_id)?;
        erase(&mut ring, archive, "--from").await?;
        if let Some(folder) = &self.erasures {
            let newer = self.folder(folder, "--erasures").await?;
            if newer.tenant_id() != tenant_id {
                let whose = newer.tenant_id();
                return Err(Failure::usage(format!(
                    "--erasures: takes an archive of tenant {tenant_id}, not of {whose}"
                )));
            }
            erase(&mut ring, &newer, "--erasures").await?;
        }
        Ok(ring)
    }
}

/// Takes the keys off a ring that an archive's erasure list names. A list that cannot be read could name any key: nothing is opened.
async fn erase(ring: &mut Keyring, archive: &history::History, option: &str) -> Outcome {
    let mut position = Position::ZERO;
    loop {
        let events = archive.after(position, BATCH as usize).await.map_err(|error| unreadable(error, None))?;
        let Some(last) = events.last() else { return Ok(()) };
        position = last.position;
        for event in events.iter().filter(|event| event.sealed.envelope.stream == StreamName::Erasures) {
            let is_read =
                ring.destroy(event).map_err(|error| Failure::check(format!("{:#}", anyhow::Error::new(error))))?;
            if !is_read {
                return Err(Failure::usage(format!(
                    "--keys: none of them opens the erasure list of {option} at position {}, so nothing is opened; take a \
                     newer copy of the exports",
                    event.position
                )));
            }
        }
    }
}

/// Why an archive cannot be read as a history.
fn unreadable(error: history::Error, folder: Option<(&str, &Path)>) -> Failure {
    match (error, folder) {
        (history::Error::Source(error), _) => Failure::unavailable(error),
        (error @ history::Error::NoArchive, Some((option, folder))) => {
            Failure::usage(format!("{option}: {} is no archive: {error}", folder.display()))
        }
        (error, _) => Failure::check(error),
    }
}

fn keyring(folder: &Path, region_key: &Path, tenant_id: TenantId) -> Result<Keyring, Failure> {
    let wrong_key = |error| Failure::usage(format!("--region-key: {:#}", anyhow::Error::new(error)));
    let region_key = RegionKey::load(region_key).map_err(wrong_key)?;
    // A copy of keys/ is as good as one of the tenant's folder in it.
    let own = folder.join(tenant_id.to_string());
    let folder = if own.is_dir() { own } else { folder.to_owned() };
    let unread =
        |error: std::io::Error| Failure::usage(format!("--keys: {} cannot be read: {error}", folder.display()));
    let mut exports = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            exports.push(path);
        }
    }
    if exports.is_empty() {
        return Err(Failure::usage(format!("--keys: {} holds no key export", folder.display())));
    }
    exports.sort();
    let mut ring = Keyring::new(tenant_id, region_key);
    for path in exports {
        let export = fs::read(&path).map_err(unread)?;
        ring.add(&export).map_err(|error| match error {
            error @ (vault::Error::AnotherRegionKey { .. } | vault::Error::TamperedTenantKey { .. }) => {
                wrong_key(error)
            }
            error => Failure::usage(format!("--keys: {}: {:#}", path.display(), anyhow::Error::new(error))),
        })?;
    }
    Ok(ring)
}

impl History {
    /// What to call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether payloads can be opened.
    pub(super) const fn has_keys(&self) -> bool {
        !matches!(self.keys, Keys::None)
    }

    /// The last position.
    pub(super) async fn head(&self) -> Result<Position, Failure> {
        match &self.events {
            Events::Log { end, .. } => Ok(*end),
            Events::Archive(archive) => Ok(archive.head()),
        }
    }

    /// The next events after a position, sealed.
    pub(super) async fn after(&self, position: Position, limit: i64) -> Result<Vec<Recorded>, Failure> {
        match &self.events {
            Events::Log { pool, resident, end } => {
                let limit = limit.min(end.get() - position.get());
                if limit <= 0 {
                    return Ok(Vec::new());
                }
                Ok(eventlog::read_log(&mut *pool.acquire().await?, resident, position, limit).await?)
            }
            Events::Archive(archive) => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                archive.after(position, limit).await.map_err(|error| unreadable(error, None))
            }
        }
    }

    /// The event at a position.
    pub(super) async fn at(&self, position: Position) -> Result<Option<Opened>, Failure> {
        let found = self.after(Position::new(position.get() - 1), 1).await?;
        Ok(self.open(found).await?.pop().filter(|(event, _)| event.position == position))
    }

    /// Opens payloads, as far as there are keys.
    pub(super) async fn open(&self, events: Vec<Recorded>) -> Result<Vec<Opened>, Failure> {
        let tampered = |error: vault::Error| Failure::check(format!("{:#}", anyhow::Error::new(error)));
        let opened: Vec<Payload<Plaintext>> = match &self.keys {
            Keys::Vault(vault, resident) => {
                vault.open_all(resident, &events).await?.into_iter().map(Payload::from).collect()
            }
            Keys::Ring(ring) => {
                let opened = events.iter().map(|event| ring.open(event).map(Payload::from));
                opened.collect::<Result<_, _>>().map_err(tampered)?
            }
            Keys::None => events.iter().map(|_| Payload::Sealed).collect(),
        };
        Ok(events.into_iter().zip(opened).collect())
    }

    /// Gives every event to `take` until it has seen enough; opened where `wants` asks for it, and left out where not.
    pub(super) async fn each(
        &self,
        mut wants: impl FnMut(&Recorded) -> Taken,
        mut take: impl FnMut(&Recorded, Payload<Plaintext>),
    ) -> Outcome {
        let mut position = Position::ZERO;
        loop {
            let batch = self.after(position, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            position = last.position;
            let end = batch.iter().position(|event| wants(event) == Taken::Over);
            let is_over = end.is_some();
            let wanted = batch.into_iter().take(end.unwrap_or(usize::MAX)).filter(|event| wants(event) == Taken::Yes);
            for (event, payload) in self.open(wanted.collect()).await? {
                take(&event, payload);
            }
            if is_over {
                return Ok(());
            }
        }
    }

    /// As [`Self::each`], of every event up to a position, sealed.
    pub(super) async fn each_sealed(&self, up_to: Position, mut take: impl FnMut(&Recorded)) -> Outcome {
        let mut position = Position::ZERO;
        while position < up_to {
            let batch = self.after(position, BATCH).await?;
            let Some(last) = batch.last() else { return Ok(()) };
            position = last.position;
            batch.iter().filter(|event| event.position <= up_to).for_each(&mut take);
        }
        Ok(())
    }

    /// The position of a moment, 0 before the first event. A moment that is still to come is refused.
    pub(super) async fn place(&self, moment: Moment, option: &str) -> Result<Position, Failure> {
        let head = self.head().await?;
        match moment {
            Moment::Position(position) if position > head || position < Position::ZERO => Err(Failure::usage(format!(
                "{option}: the log of {} ends at position {head}, not {position}",
                self.name
            ))),
            Moment::Position(position) => Ok(position),
            Moment::Time(time) => {
                let filter = Filter { as_of: AsOf::Time(time), ..Filter::default() };
                let (mut reached, mut is_over) = (Position::ZERO, false);
                self.each_sealed(head, |event| {
                    is_over = is_over || filter.takes(event) == Taken::Over;
                    if !is_over {
                        reached = event.position;
                    }
                })
                .await?;
                // A log whose writer's clock is ahead of this machine's has moments that are still to come here.
                if !is_over && time > SystemClock.now() {
                    let takes = "takes a time that is past, or a position";
                    return Err(Failure::usage(format!("{option}: {time} is in the future; {takes}")));
                }
                Ok(reached)
            }
        }
    }

    /// As [`Self::place`], where there is something to see: not before the first event.
    pub(super) async fn place_after_first(&self, moment: Moment, option: &str) -> Result<Position, Failure> {
        match self.place(moment, option).await? {
            Position::ZERO => {
                let first = self.after(Position::ZERO, 1).await?.pop();
                let first =
                    first.map_or("it has none".to_owned(), |event| event.sealed.envelope.recorded_at.to_string());
                Err(Failure::usage(format!("{option}: before the first event of {} ({first})", self.name)))
            }
            position => Ok(position),
        }
    }
}
