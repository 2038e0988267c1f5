//! The exported keys of a backup: whatever seals an event of the cut must open out of the bucket, or stand on the erasure list.
//!
//! A tenant whose keys are gone would come back as tombstones, and its root would be right all the same. So the events' key ids
//! are held against the exports that live, opened with the region key at hand, as a restore into an empty database would do it.

use std::{collections::BTreeMap, fmt};

use archive::{backup::TenantBackup, layout};
use auditor::{Events, events};
use futures::{FutureExt, StreamExt, stream};
use jiff::SignedDuration;
use regions::{ObjectInfo, Resident};
use schemas::{KeyId, Position, Recorded, StreamName, TenantId, Version};
use vault::{Held, Keyring};

use crate::{deps::ReplicatorDeps, error::Error, prove::published_size, store::TenantObjects};

/// Findings that are listed; the rest is counted.
const FINDINGS_MAX: usize = 100;
/// Exports that are read at the same time: each generation has one.
const EXPORTS_AT_ONCE: usize = 16;
/// Erasures that the log may be ahead of its archive, for this to know of all of them.
const ERASURES_AHEAD_MAX: i64 = 10_000;

/// What was found of a tenant's exported keys.
#[derive(Debug, Clone, Default)]
pub struct KeysVerified {
    /// Data keys that seal events of the backup.
    pub named: u64,
    /// Of these, the keys that the erasure list names: nobody needs them any more.
    pub destroyed: u64,
    /// What is wrong; the first of it, where there is much.
    pub findings: Vec<KeyFinding>,
    /// What could not be looked at.
    pub not_checked: Vec<String>,
}

/// Something that keeps a restore from opening what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFinding {
    /// Whose.
    pub tenant_id: TenantId,
    /// What is wrong.
    pub wrong: WrongKey,
}

/// What is wrong with an exported key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongKey {
    /// An object that cannot be read as an export.
    Export {
        /// Which object.
        object: String,
        /// Why not.
        why: String,
    },
    /// No export that lives has the key.
    Missing {
        /// Which key.
        key_id: KeyId,
        /// The first event that it seals.
        position: Position,
        /// Exports whose life is over, and which the life cycle has not removed yet.
        exports_over: u64,
    },
    /// The key does not open: it was changed or moved.
    Changed {
        /// Which key.
        key_id: KeyId,
        /// The first event that it seals.
        position: Position,
    },
    /// Findings that are not listed.
    More(u64),
}

impl KeysVerified {
    /// Whether everything that was looked at opens.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for KeyFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "tenant {}: ", self.tenant_id)?;
        match &self.wrong {
            WrongKey::Export { object, why } => write!(formatter, "{object}: {why}"),
            WrongKey::Missing { key_id, position, exports_over } => {
                write!(formatter, "key {key_id} of the event at position {position} is in no export that lives")?;
                match exports_over {
                    0 => Ok(()),
                    over => write!(formatter, "; the life of {over} exports is over"),
                }
            }
            WrongKey::Changed { key_id, position } => {
                write!(
                    formatter,
                    "key {key_id} of the event at position {position} does not open: its export was changed"
                )
            }
            WrongKey::More(more) => write!(formatter, "{more} further findings about keys"),
        }
    }
}

/// Holds what a tenant's events need against what its exports have.
pub(super) async fn verify(
    deps: &ReplicatorDeps,
    objects: &TenantObjects,
    backup: &TenantBackup,
) -> Result<KeysVerified, Error> {
    let tenant_id = backup.tenant_id;
    let mut verified = KeysVerified::default();
    // The list goes on after the backup: what was destroyed since needs no export any more.
    let end = published_size(deps, tenant_id).await?.max(backup.size);
    let needed = Needed::read(Events::new(objects, tenant_id, end), backup, &mut verified).await?;
    let mut exports = Exports::read(deps, tenant_id, &mut verified).await?;
    exports.destroy(&needed.erasures, &mut verified);
    if needed.keys.keys().any(|key_id| matches!(exports.ring.held(*key_id), Ok(Held::Missing))) {
        let ahead = erasures_ahead(deps, tenant_id, needed.erased_to()).await;
        match ahead {
            Ok(Some(ahead)) => exports.destroy(&ahead, &mut verified),
            Ok(None) => verified.not_checked.push(NOT_AT_HOME.to_owned()),
            Err(error) => verified.not_checked.push(format!("{NOT_AT_HOME} ({})", error.chain())),
        }
    }
    for (key_id, position) in needed.keys {
        exports.look(key_id, position, &mut verified);
    }
    verified.not_checked.push(REGION_KEY.to_owned());
    let more = verified.findings.len().saturating_sub(FINDINGS_MAX);
    if more > 0 {
        verified.findings.truncate(FINDINGS_MAX);
        verified.findings.push(KeyFinding { tenant_id, wrong: WrongKey::More(more as u64) });
    }
    Ok(verified)
}

const NOT_AT_HOME: &str = "erasures that are not archived yet: the tenant's log could not be asked";
const REGION_KEY: &str =
    "whether the region key is kept anywhere else than on this machine: exports were opened with the one that is here";

/// What a tenant's events ask for.
#[derive(Default)]
struct Needed {
    /// The keys of the events of the backup, each with the first position it seals.
    keys: BTreeMap<KeyId, Position>,
    /// The erasure list, as far as it is archived.
    erasures: Vec<Recorded>,
}

impl Needed {
    async fn read(mut events: Events<'_>, backup: &TenantBackup, verified: &mut KeysVerified) -> Result<Self, Error> {
        let mut needed = Self::default();
        loop {
            match events.next().await {
                Ok(None) => return Ok(needed),
                Ok(Some(segment)) => segment.into_iter().for_each(|event| needed.take(event, backup.size)),
                Err(events::Error::Source(error)) => return Err(Error::ReadBack(error)),
                // What is wrong with the archive is in its own report.
                Err(error) => {
                    let from = events.reached().next();
                    verified.not_checked.push(format!("keys of events from position {from} on: {error}"));
                    return Ok(needed);
                }
            }
        }
    }

    fn take(&mut self, event: Recorded, size: u64) {
        if event.position.get() as u64 <= size {
            self.keys.entry(event.sealed.envelope.key_id).or_insert(event.position);
        }
        if event.sealed.envelope.stream == StreamName::Erasures {
            self.erasures.push(event);
        }
    }

    fn erased_to(&self) -> Version {
        self.erasures.last().map_or(Version::ZERO, |event| event.sealed.envelope.version)
    }
}

/// A tenant's exports that live.
struct Exports {
    tenant_id: TenantId,
    ring: Keyring,
    /// Exports whose life is over.
    over: u64,
}

impl Exports {
    async fn read(deps: &ReplicatorDeps, tenant_id: TenantId, verified: &mut KeysVerified) -> Result<Self, Error> {
        let mut exports = Self { tenant_id, ring: deps.vault.keyring(tenant_id), over: 0 };
        let life = SignedDuration::from_hours(24 * i64::from(deps.region.storage.deletion.keys_days));
        let listed = deps.bucket.list(&layout::keys_prefix(tenant_id)).await.map_err(Error::Bucket)?;
        let is_over = |listed: &ObjectInfo| deps.clock.now().duration_since(listed.written_at) >= life;
        let (over, living): (Vec<_>, Vec<_>) = listed.into_iter().partition(is_over);
        exports.over = over.len() as u64;
        let gets: Vec<_> = living.iter().map(|listed| deps.bucket.get(&listed.key).boxed()).collect();
        let mut found = stream::iter(gets).buffered(EXPORTS_AT_ONCE).zip(stream::iter(&living));
        while let Some((export, listed)) = found.next().await {
            // One that ended since it was listed is as good as never listed.
            let Some(export) = export.map_err(Error::Bucket)? else { continue };
            if let Err(error) = exports.ring.add(&export.body) {
                let (object, why) = (listed.key.clone(), Error::Keys(error).chain());
                verified.findings.push(exports.finding(WrongKey::Export { object, why }));
            }
        }
        Ok(exports)
    }

    /// Takes the keys off the ring that the erasure list names.
    fn destroy(&mut self, list: &[Recorded], verified: &mut KeysVerified) {
        for event in list {
            let position = event.position;
            match self.ring.destroy(event) {
                Ok(true) => {}
                Ok(false) => verified
                    .not_checked
                    .push(format!("what the erasure list names at position {position}: no exported key opens it")),
                Err(error) => {
                    verified.not_checked.push(format!("the erasure list: {}", Error::Keys(error).chain()));
                }
            }
        }
    }

    fn look(&self, key_id: KeyId, position: Position, verified: &mut KeysVerified) {
        verified.named += 1;
        let wrong = match self.ring.held(key_id) {
            Ok(Held::Living) => return,
            Ok(Held::Destroyed) => {
                verified.destroyed += 1;
                return;
            }
            Ok(Held::Missing) => WrongKey::Missing { key_id, position, exports_over: self.over },
            Err(_) => WrongKey::Changed { key_id, position },
        };
        verified.findings.push(self.finding(wrong));
    }

    const fn finding(&self, wrong: WrongKey) -> KeyFinding {
        KeyFinding { tenant_id: self.tenant_id, wrong }
    }
}

/// The erasure list after what is archived of it; nothing, where the tenant is not at home.
async fn erasures_ahead(
    deps: &ReplicatorDeps,
    tenant_id: TenantId,
    after: Version,
) -> Result<Option<Vec<Recorded>>, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let resident = Resident::prove_id(&mut connection, &deps.region.id, tenant_id).await.map_err(Error::Database)?;
    drop(connection);
    let Some(resident) = resident else { return Ok(None) };
    let mut transaction = regions::begin(&deps.pool, &resident).await.map_err(Error::Database)?;
    let list = eventlog::read_stream(&mut transaction, &resident, &StreamName::Erasures, after, ERASURES_AHEAD_MAX);
    list.await.map(Some).map_err(Error::Log)
}
