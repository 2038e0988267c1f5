//! Crypto-shredding: destroys keys that the erasure list names.
//!
//! The list comes first: an event `keys_destroyed` in the tenant's stream `erasures`. What it names is destroyed then, by
//! [`Vault::carry_out`], which takes events of the stream in their order and does what a crash left undone as well: an event is
//! done once, twice or late to the same effect.
//!
//! A key is gone for this process at once. Another process may hold it unwrapped in its memory for as long as any key
//! ([`HELD_AT_MOST`]), unless it reads the event and calls [`Vault::forget`] before.

use regions::Resident;
use schemas::{
    KeyId, Recorded, TenantId, Version,
    erasure::{DestroyedKey, ErasureEvent},
};
use sqlx::PgConnection;

#[cfg(doc)]
use super::HELD_AT_MOST;
use super::Vault;
use crate::{error::Error, scope::Scope, store};

impl Vault {
    /// The living keys of these scopes, for the erasure list. A scope that never had a key, or whose key is destroyed, has none.
    ///
    /// # Errors
    /// If keys cannot be read.
    pub async fn living(&self, resident: &Resident, scopes: &[Scope]) -> Result<Vec<DestroyedKey>, Error> {
        let tenant_id = resident.tenant_id();
        let failed = |source| Error::ReadKeys { tenant_id, source };
        let names: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        let mut transaction = regions::begin(&self.0.pool, resident).await.map_err(failed)?;
        let rows = store::data_keys_by_scope(&mut transaction, tenant_id, &names, true).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(rows.into_iter().map(|row| DestroyedKey { key_id: row.key_id, scope: row.scope }).collect())
    }

    /// Those of these keys that live, but for the general one: what some events are sealed under, for the erasure list.
    ///
    /// # Errors
    /// If keys cannot be read.
    pub async fn living_of(&self, resident: &Resident, key_ids: &[KeyId]) -> Result<Vec<DestroyedKey>, Error> {
        let tenant_id = resident.tenant_id();
        let rows = store::data_keys_by_id(&self.0.pool, tenant_id, key_ids).await;
        let rows = rows.map_err(|source| Error::ReadKeys { tenant_id, source })?;
        let general = Scope::General.to_string();
        let named = rows.into_iter().filter(|row| row.scope != general);
        Ok(named.map(|row| DestroyedKey { key_id: row.key_id, scope: row.scope }).collect())
    }

    /// Destroys the keys that events of the stream `erasures` name, and forgets them. Takes the events in the order of the
    /// stream; those that were carried out before do no harm. Returns how many keys still lived.
    ///
    /// The scopes are refused from then on: nobody makes another key for them.
    ///
    /// # Errors
    /// If an event cannot be opened, is not in the log, or the database fails. The events before it are done.
    pub async fn carry_out(&self, resident: &Resident, events: &[Recorded]) -> Result<u64, Error> {
        let tenant_id = resident.tenant_id();
        let mut lived = 0;
        for (version, keys) in self.named_by(resident, events).await? {
            let done = store::destroy_keys(&self.0.pool, tenant_id, (version, &keys), self.0.clock.now()).await;
            let done = done.map_err(|source| Error::DestroyKeys { tenant_id, source })?;
            lived += u64::try_from(done).unwrap_or_default();
            self.forget(resident, &keys);
        }
        Ok(lived)
    }

    /// The keys that events of the stream `erasures` name: with the version of each event, in order.
    ///
    /// # Errors
    /// If an event cannot be opened, or is none of the stream's.
    pub async fn named_by(
        &self,
        resident: &Resident,
        events: &[Recorded],
    ) -> Result<Vec<(Version, Vec<DestroyedKey>)>, Error> {
        let opened = self.open_all(resident, events).await?;
        let named = events.iter().zip(opened).map(|(event, plaintext)| {
            let (envelope, position) = (&event.sealed.envelope, event.position);
            let plaintext = plaintext.ok_or(Error::UnreadableErasure { position, source: None })?;
            let ErasureEvent::KeysDestroyed(destroyed) =
                ErasureEvent::decode(&envelope.event_type, envelope.schema_version, &plaintext)
                    .map_err(|source| Error::UnreadableErasure { position, source: Some(source) })?;
            Ok((envelope.version, destroyed.keys))
        });
        named.collect()
    }

    /// Destroys keys as the owner of the database, on whose connection this runs, and refuses their ids and scopes for ever,
    /// whether the vault has them, had them, or is yet to be given them: a restore buries what the erasure list names
    /// before it brings keys back. Returns how many lived.
    ///
    /// # Errors
    /// If the general key is among them, the tenant has no tenant key yet, or the database fails.
    pub async fn bury(
        &self,
        owner: &mut PgConnection,
        resident: &Resident,
        keys: &[DestroyedKey],
    ) -> Result<u64, Error> {
        let tenant_id = resident.tenant_id();
        let lived = store::bury_keys(owner, tenant_id, keys, self.0.clock.now()).await;
        let lived = lived.map_err(|source| Error::DestroyKeys { tenant_id, source })?;
        self.forget(resident, keys);
        Ok(u64::try_from(lived).unwrap_or_default())
    }

    /// Drops destroyed keys from memory.
    pub fn forget(&self, resident: &Resident, keys: &[DestroyedKey]) {
        let tenant_id = resident.tenant_id();
        for key in keys {
            self.0.by_id.forget(&(tenant_id, key.key_id));
        }
        self.0.by_scope.forget_where(|(tenant, scope), _| {
            *tenant == tenant_id && keys.iter().any(|key| key.scope == scope.to_string())
        });
    }

    /// How far a tenant's erasure list is carried out: the version of the last such event of its stream `erasures`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn erased_to(&self, resident: &Resident) -> Result<Version, Error> {
        let tenant_id = resident.tenant_id();
        let failed = |source| Error::ReadKeys { tenant_id, source };
        let mut transaction = regions::begin(&self.0.pool, resident).await.map_err(failed)?;
        store::erased_to(&mut transaction, tenant_id).await.map_err(failed)
    }

    /// The tenants whose erasure list has events that nobody carried out yet, and how far each is.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn erasures_due(&self) -> Result<Vec<(TenantId, Version)>, Error> {
        store::erasures_due(&self.0.pool).await.map_err(Error::ReadDue)
    }
}
