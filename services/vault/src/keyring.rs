//! The wrapped keys of one tenant on their way back from a backup: opened in memory, so that a restore can read what it must
//! know before anything is stored, and stored without those that were destroyed since.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use schemas::{
    KeyId, Position, Recorded, TenantId,
    erasure::{DestroyedKey, ErasureEvent},
};
use serde::Deserialize;
use sqlx::{Connection as _, PgConnection};

use crate::{
    error::Error,
    key_file::RegionKey,
    sealing::{DataKey, Plaintext},
    store::{self, DataKeyRow, ExportedRow, TenantKeyRow},
    vault::tenant_key::TenantKey,
};

/// A tenant's wrapped keys out of its exports, and the region key they open under.
pub struct Keyring {
    tenant_id: TenantId,
    region_key: RegionKey,
    tenant_key: Option<(TenantKeyRow, TenantKey)>,
    data_keys: BTreeMap<KeyId, ExportedRow>,
    destroyed: BTreeMap<KeyId, DestroyedKey>,
    /// The keys that the log's events are sealed under, with the last position of each.
    needed: BTreeMap<KeyId, Position>,
}

/// What became of the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Data keys that are stored now and were not.
    pub restored: u64,
    /// Data keys that were stored though they had been destroyed, and are gone now.
    pub destroyed: u64,
    /// Data keys that were at work for a scope, and are set aside for the one that the log's events are sealed under.
    pub set_aside: u64,
    /// Data keys that the log's events are sealed under, and that stay destroyed by an erasure which is not in this log.
    pub stay_destroyed: u64,
    /// Data keys that the log's events are sealed under, and that are nowhere: what they seal stays closed.
    pub missing: u64,
}

/// What a ring has of a data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It opens what it sealed.
    Living,
    /// The erasure list names it.
    Destroyed,
    /// It is in none of the exports, or none of them has the tenant key that wraps it.
    Missing,
}

/// An export, as `Vault::export` writes it.
#[derive(Deserialize)]
struct Export {
    tenant_id: TenantId,
    tenant_key: Option<ExportedTenantKey>,
    data_keys: Vec<ExportedDataKey>,
}

#[derive(Deserialize)]
struct ExportedTenantKey {
    region_key_id: String,
    wrapped: String,
}

#[derive(Deserialize)]
struct ExportedDataKey {
    key_id: KeyId,
    scope: String,
    wrapped: String,
    created_at: Timestamp,
}

impl Keyring {
    /// A keyring without keys.
    pub const fn new(tenant_id: TenantId, region_key: RegionKey) -> Self {
        Self {
            tenant_id,
            region_key,
            tenant_key: None,
            data_keys: BTreeMap::new(),
            destroyed: BTreeMap::new(),
            needed: BTreeMap::new(),
        }
    }

    /// Adds the keys of an export; of exports that name one key, the last counts.
    ///
    /// # Errors
    /// If it is no export, another tenant's, or under another region key than the one at hand.
    pub fn add(&mut self, export: &[u8]) -> Result<(), Error> {
        let wrong = |what| Error::Export { tenant_id: self.tenant_id, what };
        let export: Export = serde_json::from_slice(export).map_err(|_| wrong("not the shape of an export"))?;
        if export.tenant_id != self.tenant_id {
            return Err(wrong("another tenant's"));
        }
        let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| wrong("a wrapped key is not base64"));
        if let Some(key) = export.tenant_key {
            let row = TenantKeyRow { region_key_id: key.region_key_id, wrapped: bytes(&key.wrapped)? };
            let opened = TenantKey::open(&self.region_key, self.tenant_id, &row)?;
            self.tenant_key = Some((row, opened));
        }
        for key in export.data_keys {
            let row = DataKeyRow { key_id: key.key_id, scope: key.scope, wrapped: bytes(&key.wrapped)? };
            self.data_keys.insert(key.key_id, ExportedRow { row, created_at: key.created_at });
        }
        Ok(())
    }

    /// Adds what the database still has: exports live for a while only.
    ///
    /// # Errors
    /// If the database fails, or its tenant key is under another region key than the one at hand.
    pub async fn add_stored(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        let tenant_id = self.tenant_id;
        let failed = |source| Error::ReadKeys { tenant_id, source };
        if let Some(row) = store::tenant_key(connection, tenant_id).await.map_err(failed)? {
            let opened = TenantKey::open(&self.region_key, tenant_id, &row)?;
            self.tenant_key = Some((row, opened));
        }
        let stored = store::export_data_keys(connection, tenant_id, None).await.map_err(failed)?;
        self.data_keys.extend(stored.into_iter().map(|exported| (exported.row.key_id, exported)));
        Ok(())
    }

    /// Takes note of the key that an event of the log is sealed under. Events come in order.
    pub fn need(&mut self, event: &Recorded) {
        self.needed.insert(event.sealed.envelope.key_id, event.position);
    }

    /// Takes the keys off the ring that an event of the erasure list names. `false`: no key opens the event, so what it names is
    /// unknown.
    ///
    /// # Errors
    /// If the event was changed, or is none of the erasure list.
    pub fn destroy(&mut self, event: &Recorded) -> Result<bool, Error> {
        let Some(plaintext) = self.open(event)? else { return Ok(false) };
        let (envelope, position) = (&event.sealed.envelope, event.position);
        let ErasureEvent::KeysDestroyed(destroyed) =
            ErasureEvent::decode(&envelope.event_type, envelope.schema_version, &plaintext)
                .map_err(|source| Error::UnreadableErasure { position, source: Some(source) })?;
        self.destroyed.extend(destroyed.keys.into_iter().map(|key| (key.key_id, key)));
        Ok(true)
    }

    /// How many keys were destroyed.
    pub fn destroyed(&self) -> u64 {
        self.destroyed.len() as u64
    }

    /// What the ring has of a data key.
    ///
    /// # Errors
    /// If the wrapped key was changed or moved.
    pub fn held(&self, key_id: KeyId) -> Result<Held, Error> {
        if self.destroyed.contains_key(&key_id) {
            return Ok(Held::Destroyed);
        }
        let (Some((_, tenant_key)), Some(exported)) = (&self.tenant_key, self.data_keys.get(&key_id)) else {
            return Ok(Held::Missing);
        };
        tenant_key.unwrap(&exported.row).map(|_| Held::Living)
    }

    /// Opens an event's payload. `None`: its key is not on the ring.
    ///
    /// # Errors
    /// If the key or the payload was changed or moved.
    pub fn open(&self, event: &Recorded) -> Result<Option<Plaintext>, Error> {
        let envelope = &event.sealed.envelope;
        let exported = self.data_keys.get(&envelope.key_id).filter(|_| !self.destroyed.contains_key(&envelope.key_id));
        let (Some((_, tenant_key)), Some(exported)) = (&self.tenant_key, exported) else { return Ok(None) };
        let key = DataKey::new(envelope.key_id, &*tenant_key.unwrap(&exported.row)?);
        let tampered = Error::Tampered { position: event.position };
        key.open(&envelope.associated_data(), &event.sealed.payload).map(Some).ok_or(tampered)
    }

    /// Looks, and changes nothing, whether each key opens that is to be stored, and whether the database has another tenant key.
    ///
    /// # Errors
    /// If a key was changed or moved, the stored tenant key is another one, or the database fails.
    pub async fn check(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let tenant_id = self.tenant_id;
        let Some((row, key)) = &self.tenant_key else { return Ok(()) };
        for exported in self.kept() {
            key.unwrap(&exported.row)?;
        }
        let stored = store::tenant_key(connection, tenant_id).await;
        match stored.map_err(|source| Error::ReadKeys { tenant_id, source })? {
            Some(stored) if stored.wrapped != row.wrapped => {
                Err(Error::Export { tenant_id, what: "the database holds another tenant key" })
            }
            _ => Ok(()),
        }
    }

    /// Stores what is on the ring, in the owner's connection, after a [`Self::check`]; and takes what was destroyed out of the store, where it may be again. The erasure list is carried out once more from its beginning.
    ///
    /// A database that went on from an older state may have made another key for a scope. The one that the log's newest event
    /// of the scope is sealed under is at work then; others are set aside, and open what they sealed.
    ///
    /// # Errors
    /// If a key was changed or moved, the stored tenant key is another one, a key is in the way, or the database fails. Nothing
    /// is stored then.
    pub async fn store(&self, connection: &mut PgConnection, now: Timestamp) -> Result<Stored, Error> {
        let tenant_id = self.tenant_id;
        let failed = |source| Error::StoreKeys { tenant_id, source };
        let mut transaction = connection.begin().await.map_err(failed)?;
        let mut stored = Stored::default();
        let mut there = Vec::new();
        if let Some((row, _)) = &self.tenant_key {
            let created_at = self.kept().map(|exported| exported.created_at).min().unwrap_or(Timestamp::UNIX_EPOCH);
            store::insert_tenant_key(&mut transaction, tenant_id, row, created_at).await.map_err(failed)?;
            // It is there by now, whoever stored it.
            self.check(&mut transaction).await?;
            // The tombstones first: they refuse any other key of the same scope.
            let destroyed: Vec<_> = self.destroyed.values().cloned().collect();
            let lived = store::bury_keys(&mut transaction, tenant_id, &destroyed, now).await.map_err(failed)?;
            stored.destroyed = u64::try_from(lived).unwrap_or_default();
            store::forget_erased_to(&mut transaction, tenant_id).await.map_err(failed)?;
            // Also those that were made since the ring was filled: nobody appends under them any more.
            there = store::export_data_keys(&mut transaction, tenant_id, None).await.map_err(failed)?;
            self.store_kept(&mut transaction, (&there, now), &mut stored).await?;
        }
        let there: BTreeSet<_> = there.iter().map(|exported| exported.row.key_id).collect();
        let is_known = |key_id| {
            self.data_keys.contains_key(key_id) || self.destroyed.contains_key(key_id) || there.contains(key_id)
        };
        stored.missing = self.needed.keys().filter(|key_id| !is_known(key_id)).count() as u64;
        transaction.commit().await.map_err(failed)?;
        Ok(stored)
    }

    /// The keys that are not on the erasure list.
    fn kept(&self) -> impl Iterator<Item = &ExportedRow> {
        self.data_keys.values().filter(|exported| !self.destroyed.contains_key(&exported.row.key_id))
    }

    async fn store_kept(
        &self,
        transaction: &mut PgConnection,
        (there, now): (&[ExportedRow], Timestamp),
        stored: &mut Stored,
    ) -> Result<(), Error> {
        let tenant_id = self.tenant_id;
        let failed = |source| Error::StoreKeys { tenant_id, source };
        let new_there = there.iter().filter(|exported| !self.data_keys.contains_key(&exported.row.key_id));
        let (at_work, aside) = self.by_use(self.kept().chain(new_there));
        let ids = |rows: &[&ExportedRow]| rows.iter().map(|exported| exported.row.key_id).collect::<Vec<_>>();
        stored.set_aside = store::set_aside(transaction, tenant_id, &ids(&aside), Some(now)).await.map_err(failed)?;
        store::set_aside(transaction, tenant_id, &ids(&at_work), None).await.map_err(failed)?;
        for (rows, set_aside_at) in [(&at_work, None), (&aside, Some(now))] {
            let inserted = store::insert_exported(transaction, tenant_id, rows, set_aside_at).await;
            stored.restored += inserted.map_err(failed)?;
        }
        let needed: Vec<_> = self.kept().filter(|key| self.needed.contains_key(&key.row.key_id)).collect();
        for (scope, is_erased) in store::not_stored(transaction, tenant_id, &needed).await.map_err(failed)? {
            if !is_erased {
                return Err(Error::KeyInTheWay { tenant_id, scope });
            }
            stored.stay_destroyed += 1;
        }
        Ok(())
    }

    /// The key of each scope that is to seal, and the others.
    fn by_use<'rows>(
        &self,
        rows: impl Iterator<Item = &'rows ExportedRow>,
    ) -> (Vec<&'rows ExportedRow>, Vec<&'rows ExportedRow>) {
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|exported| (&exported.row.scope, self.needed.get(&exported.row.key_id), exported.created_at));
        let is_last = |index: usize| rows.get(index + 1).is_none_or(|next| next.row.scope != rows[index].row.scope);
        let (at_work, aside): (Vec<_>, Vec<_>) = (0..rows.len()).partition(|index| is_last(*index));
        let rows_at = |indices: Vec<usize>| indices.into_iter().map(|index| rows[index]).collect();
        (rows_at(at_work), rows_at(aside))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keyring({}, {} data keys)", self.tenant_id, self.data_keys.len())
    }
}
