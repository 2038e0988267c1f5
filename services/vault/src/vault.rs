//! The vault of a region: data keys to seal with, payloads opened, blind indexes.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use regions::Resident;
use runtime::{Clock, Ids};
use schemas::{KeyId, Recorded, TenantId};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    cache::Cache,
    error::Error,
    key_file::RegionKey,
    keyring::Keyring,
    scope::Scope,
    sealing::{DataKey, Plaintext},
    store::{self, ExportedRow, TenantKeyRow},
};
use tenant_key::TenantKey;

mod data_keys;
mod destroy;
pub(crate) mod tenant_key;

/// The keys of the tenants at home in a region. Cheap to clone.
///
/// On a pool of the desk's role it makes keys as they are asked for; on a worker's pool it only reads, and making is
/// refused by the database.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    pool: PgPool,
    region_key: RegionKey,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    tenant_keys: Cache<TenantId, Arc<TenantKey>>,
    by_scope: Cache<(TenantId, Scope), DataKey>,
    by_id: Cache<(TenantId, KeyId), DataKey>,
}

/// How many tenants' keys are held unwrapped.
const TENANT_KEYS_MAX: usize = 4_096;
/// How many data keys are held unwrapped, about 700 bytes each.
const DATA_KEYS_MAX: usize = 16_384;
/// How long a key is held unwrapped: what a process may still open after the key was destroyed elsewhere.
const HELD_AT_MOST: Duration = Duration::from_secs(60);

impl Vault {
    /// A vault over the schema `vault` of a region's database.
    pub fn new(pool: PgPool, region_key: RegionKey, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self(Arc::new(Inner {
            pool,
            region_key,
            clock,
            ids,
            tenant_keys: Cache::new(TENANT_KEYS_MAX, HELD_AT_MOST),
            by_scope: Cache::new(DATA_KEYS_MAX, HELD_AT_MOST),
            by_id: Cache::new(DATA_KEYS_MAX, HELD_AT_MOST),
        }))
    }

    /// The keys of these scopes, in their order; made where there are none. No round trip when all are in memory.
    ///
    /// A key is durable before it is returned: an event must never outlive a crash that its key did not.
    ///
    /// # Errors
    /// If keys cannot be read, stored or unwrapped.
    pub async fn data_keys(&self, resident: &Resident, scopes: &[Scope]) -> Result<Vec<DataKey>, Error> {
        let tenant_id = resident.tenant_id();
        let cached: Option<Vec<_>> = scopes.iter().map(|scope| self.0.by_scope.get(&(tenant_id, *scope))).collect();
        match cached {
            Some(keys) => Ok(keys),
            None => self.0.find_or_make(resident, scopes).await,
        }
    }

    /// Opens payloads, in order. `None`: the key was destroyed, so what it sealed is gone for good.
    ///
    /// # Errors
    /// If keys cannot be read or unwrapped, or a payload was changed, moved, or is another tenant's.
    pub async fn open_all(&self, resident: &Resident, events: &[Recorded]) -> Result<Vec<Option<Plaintext>>, Error> {
        let keys = self.0.keys_by_id(resident, events.iter().map(|event| event.sealed.envelope.key_id)).await?;
        events.iter().map(|event| open_event(resident, &keys, event)).collect()
    }

    /// Opens one ciphertext that was sealed with [`DataKey::seal`]. `None`: the key was destroyed.
    ///
    /// # Errors
    /// If the key cannot be read or unwrapped, or the ciphertext was changed or moved.
    pub async fn open(
        &self,
        resident: &Resident,
        key_id: KeyId,
        associated_data: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Plaintext>, Error> {
        let keys = self.0.keys_by_id(resident, [key_id]).await?;
        let Some(key) = keys.get(&key_id) else { return Ok(None) };
        key.open(associated_data, sealed).map(Some).ok_or(Error::TamperedCiphertext { key_id })
    }

    /// An index for a value that must be found by equality and not be readable: HMAC-SHA256 under a key derived from the
    /// tenant's key, cut to 16 bytes, 32 hex digits. Equal values of two tenants, or for two purposes, have different ones.
    ///
    /// # Errors
    /// If the tenant's key cannot be read, made or unwrapped.
    pub async fn blind_index(&self, resident: &Resident, purpose: &str, value: &str) -> Result<String, Error> {
        Ok(self.0.tenant_key_or_make(resident).await?.blind_index(purpose, value))
    }

    /// A ring for exports of a tenant's keys, under the region key at hand.
    pub fn keyring(&self, tenant_id: TenantId) -> Keyring {
        Keyring::new(tenant_id, self.0.region_key.clone())
    }

    /// The tenant's wrapped keys, for a backup apart from what they protect. Nothing in it opens without the region key.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn export(&self, resident: &Resident) -> Result<Value, Error> {
        self.export_where(resident, None).await
    }

    /// As [`Vault::export`], but only these data keys: what some new events need, at a cost that follows their number.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn export_of(&self, resident: &Resident, key_ids: &[KeyId]) -> Result<Value, Error> {
        self.export_where(resident, Some(key_ids)).await
    }

    /// As [`Vault::export`], but only the next keys after an id, and the last id of these; none, when there are no more. So all
    /// keys of a tenant are exported in parts, however many there are.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn export_after(
        &self,
        resident: &Resident,
        after: Option<KeyId>,
        limit: i64,
    ) -> Result<Option<(Value, KeyId)>, Error> {
        let tenant_id = resident.tenant_id();
        let failed = |source| Error::ReadKeys { tenant_id, source };
        let mut transaction = regions::begin(&self.0.pool, resident).await.map_err(failed)?;
        let tenant_key = store::tenant_key(&mut transaction, tenant_id).await.map_err(failed)?;
        let data_keys = store::data_keys_after(&mut transaction, tenant_id, after, limit).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        let Some(last) = data_keys.last().map(|exported| exported.row.key_id) else { return Ok(None) };
        Ok(Some((export(tenant_id, tenant_key, data_keys), last)))
    }

    async fn export_where(&self, resident: &Resident, only: Option<&[KeyId]>) -> Result<Value, Error> {
        let tenant_id = resident.tenant_id();
        let failed = |source| Error::ReadKeys { tenant_id, source };
        let mut transaction = regions::begin(&self.0.pool, resident).await.map_err(failed)?;
        let tenant_key = store::tenant_key(&mut transaction, tenant_id).await.map_err(failed)?;
        let data_keys = store::export_data_keys(&mut transaction, tenant_id, only).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(export(tenant_id, tenant_key, data_keys))
    }
}

fn export(tenant_id: TenantId, tenant_key: Option<TenantKeyRow>, data_keys: Vec<ExportedRow>) -> Value {
    json!({
        "tenant_id": tenant_id,
        "tenant_key": tenant_key.map(|key| json!({
            "region_key_id": key.region_key_id,
            "wrapped": BASE64_STANDARD.encode(key.wrapped),
        })),
        "data_keys": data_keys.into_iter().map(|exported| json!({
            "key_id": exported.row.key_id,
            "scope": exported.row.scope,
            "wrapped": BASE64_STANDARD.encode(exported.row.wrapped),
            "created_at": exported.created_at,
        })).collect::<Vec<_>>(),
    })
}

fn open_event(
    resident: &Resident,
    keys: &HashMap<KeyId, DataKey>,
    event: &Recorded,
) -> Result<Option<Plaintext>, Error> {
    let tampered = Error::Tampered { position: event.position };
    let envelope = &event.sealed.envelope;
    if envelope.tenant_id != resident.tenant_id() {
        return Err(tampered);
    }
    let Some(key) = keys.get(&envelope.key_id) else { return Ok(None) };
    key.open(&envelope.associated_data(), &event.sealed.payload).map(Some).ok_or(tampered)
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Vault({:?})", self.0.region_key)
    }
}
