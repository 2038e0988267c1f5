//! Makes a bundle, file by file: into a folder, or onto a connection.

use std::collections::BTreeMap;

use archive::{Verifier, layout};
use bytes::Bytes;
use jiff::Timestamp;
use schemas::{Hash, Recorded, RegionId, TenantId, TicketId};

use super::{Bundle, CHECKPOINT, FORMAT, File, LIST, README, VERIFIER, payload, proof};
use crate::{
    log::{self, Log, Wanted},
    source::{self, Source},
};

const README_TENANT: &str = include_str!("make/tenant.txt");
const README_TICKET: &str = include_str!("make/ticket.txt");
const README_PAYLOADS: &str = include_str!("make/payloads.txt");

/// Where files go.
pub trait Sink: Send {
    /// Why one could not be taken.
    type Error;

    /// Takes a file, at a path below what is made.
    fn put(&mut self, path: &str, bytes: Bytes) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A bundle that is being made. What was not finished has no list, and is no bundle.
pub struct Making<'run, S> {
    archive: &'run dyn Source,
    log: Log<'run>,
    whose: Whose,
    sink: S,
    files: BTreeMap<String, File>,
}

/// Whose history it is, as the signed checkpoint says.
struct Whose {
    tenant_id: TenantId,
    region: RegionId,
    verifier: Verifier,
}

/// What a finished bundle says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// The ticket, in a ticket's bundle.
    pub ticket: Option<TicketId>,
    /// Whether opened payloads were put into it.
    pub has_payloads: bool,
    /// Now.
    pub made_at: Timestamp,
}

/// What of an archive makes no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not answer.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The archive gives no proofs.
    #[error(transparent)]
    Log(#[from] log::Error),
    /// It is signed as something else.
    #[error("{origin} is no tenant's log")]
    NoTenant {
        /// What the checkpoint calls itself.
        origin: String,
    },
    /// An object is named and not there.
    #[error("{object}: missing in the archive")]
    Missing {
        /// Which.
        object: String,
    },
    /// The newest manifest cannot be read.
    #[error("{object}: not the shape of a manifest")]
    Manifest {
        /// Which.
        object: String,
        /// Why.
        #[source]
        source: archive::SignedError,
    },
}

/// Why a bundle was not finished.
#[derive(Debug)]
pub enum Stopped<E> {
    /// By the archive.
    Archive(Error),
    /// By whatever takes the files.
    Sink(E),
}

impl<E, F: Into<Error>> From<F> for Stopped<E> {
    fn from(error: F) -> Self {
        Self::Archive(error.into())
    }
}

impl<S: Sink> Sink for Making<'_, S> {
    type Error = S::Error;

    /// A file that was put before is not put again.
    async fn put(&mut self, path: &str, bytes: Bytes) -> Result<(), S::Error> {
        if !self.files.contains_key(path) {
            self.note(File { path: path.to_owned(), size_bytes: bytes.len() as u64, sha256: Hash::of(&[&bytes]) });
            self.sink.put(path, bytes).await?;
        }
        Ok(())
    }
}

impl<'run, S: Sink> Making<'run, S> {
    /// Begins one from an archive, with the key to trust. Without one, the key that the archive names is used.
    ///
    /// # Errors
    /// If the archive's tree head cannot be trusted, or is no tenant's.
    pub async fn begin(archive: &'run dyn Source, key: Option<&Verifier>, sink: S) -> Result<Self, Error> {
        let log = Log::open(archive, key).await?;
        let origin = &log.head().origin;
        let parts = origin.strip_prefix("domicile/").and_then(|parts| parts.split_once('/'));
        let parsed = parts.and_then(|(region, tenant)| Some((region.parse().ok()?, tenant.parse().ok()?)));
        let (region, tenant_id) = parsed.ok_or_else(|| Error::NoTenant { origin: origin.clone() })?;
        let verifier = Verifier::new(archive::checkpoint::region_name(&region), *log.key().public_key());
        Ok(Self { archive, log, whose: Whose { tenant_id, region, verifier }, sink, files: BTreeMap::new() })
    }

    /// Events under the checkpoint that proofs lead to.
    pub fn size(&self) -> u64 {
        self.log.head().size
    }

    /// Notes a file that was put beside this.
    pub fn note(&mut self, file: File) {
        self.files.insert(file.path.clone(), file);
    }

    /// Puts an event into a ticket's bundle: its proof, its sealed payload, and of the archive's objects the shapes of its type and
    /// its file.
    ///
    /// # Errors
    /// If the archive does not prove it, or lacks what hangs on it, or a file is not taken.
    pub async fn event(&mut self, event: &Recorded, objects: &[String]) -> Result<(), Stopped<S::Error>> {
        let position = event.position;
        let found = self.log.prove(Wanted::Position(position)).await?;
        let note = Bytes::from(found.checkpoint.clone());
        self.put(CHECKPOINT, note).await.map_err(Stopped::Sink)?;
        self.put(&proof(position), found.to_string().into()).await.map_err(Stopped::Sink)?;
        self.put(&payload(position), event.sealed.payload.clone().into()).await.map_err(Stopped::Sink)?;
        let envelope = &event.sealed.envelope;
        let of_type = format!("{}{}@", layout::SCHEMAS, envelope.event_type);
        // The successions too, so that whoever knows an older or a newer key of the region can verify it.
        let is_shared = |key: &&String| key.starts_with(&of_type) || layout::succession_number(key).is_some();
        let shared = objects.iter().filter(is_shared).cloned();
        for key in shared.chain(envelope.blob.map(layout::attachment)) {
            if !self.files.contains_key(&key) {
                let object = self.archive.get(&key).await?.ok_or_else(|| Error::Missing { object: key.clone() })?;
                self.put(&key, object).await.map_err(Stopped::Sink)?;
            }
        }
        Ok(())
    }

    /// Puts the key, the steps by hand, and at last the list of all files. Tells how many there are.
    ///
    /// # Errors
    /// If a file is not taken.
    pub async fn finish(mut self, about: About) -> Result<usize, S::Error> {
        let verifier = self.whose.verifier.to_string();
        self.put(VERIFIER, format!("{verifier}\n").into()).await?;
        self.put(README, self.readme(about).into()).await?;
        let Self { whose: Whose { tenant_id, region, .. }, mut sink, files, .. } = self;
        let count = files.len() + 1;
        let bundle = Bundle {
            format: FORMAT,
            tenant_id,
            region,
            ticket: about.ticket,
            made_at: about.made_at,
            verifier,
            has_payloads: about.has_payloads,
            files: files.into_values().collect(),
        };
        let list = serde_json::to_string_pretty(&bundle).expect("a list always has a JSON form") + "\n";
        sink.put(LIST, list.into()).await?;
        Ok(count)
    }

    fn readme(&self, about: About) -> String {
        let text = if about.ticket.is_some() { README_TICKET } else { README_TENANT };
        let payloads = if about.has_payloads { README_PAYLOADS } else { "" };
        let ticket = about.ticket.map(|ticket| ticket.to_string()).unwrap_or_default();
        format!("{payloads}{text}")
            .replace("{tenant}", &self.whose.tenant_id.to_string())
            .replace("{region}", self.whose.region.as_str())
            .replace("{verifier}", &self.whose.verifier.to_string())
            .replace("{made_at}", &about.made_at.to_string())
            .replace("{ticket}", &ticket)
    }
}
