//! The tenant's key: wrapped by the region key, wraps the tenant's data keys, and keys its blind indexes.

use std::sync::Arc;

use aws_lc_rs::{
    hkdf::{HKDF_SHA256, Salt},
    hmac::{self, HMAC_SHA256},
};
use regions::{Resident, begin};
use schemas::{KeyId, TenantId};
use zeroize::Zeroizing;

use super::Inner;
use crate::{
    error::Error,
    key_file::RegionKey,
    sealing::SealingKey,
    store::{self, DataKeyRow, TenantKeyRow},
};

/// How many bytes of the HMAC make an index: no two values of a tenant will ever meet in 128 bits.
const INDEX_LENGTH: usize = 16;

/// A tenant's key, unwrapped.
pub(crate) struct TenantKey {
    tenant_id: TenantId,
    wrapping: SealingKey,
    index: hmac::Key,
}

impl TenantKey {
    fn new(tenant_id: TenantId, secret: &[u8; 32]) -> Self {
        let index = Salt::new(HKDF_SHA256, b"domicile tenant key")
            .extract(secret)
            .expand(&[b"blind index"], HMAC_SHA256)
            .map(hmac::Key::from)
            .expect("HKDF-SHA256 gives far more than the 32 bytes asked for");
        Self { tenant_id, wrapping: SealingKey::new(secret), index }
    }

    /// Wraps a data key for its row.
    pub(super) fn wrap(&self, key_id: KeyId, scope: &str, secret: &[u8; 32]) -> Vec<u8> {
        self.wrapping.seal(&self.place_of(key_id, scope), secret)
    }

    /// The key of a row, if this region key wraps it and the row was not changed or moved.
    pub(crate) fn open(region_key: &RegionKey, tenant_id: TenantId, row: &TenantKeyRow) -> Result<Self, Error> {
        let held = region_key.id();
        if row.region_key_id != held {
            return Err(Error::AnotherRegionKey { tenant_id, found: row.region_key_id.clone(), held: held.to_owned() });
        }
        let secret: Zeroizing<[u8; 32]> = region_key
            .key()
            .open(&place_of_tenant_key(tenant_id, held), &row.wrapped)
            .and_then(|secret| secret.as_slice().try_into().ok().map(Zeroizing::new))
            .ok_or(Error::TamperedTenantKey { tenant_id })?;
        Ok(Self::new(tenant_id, &secret))
    }

    /// The data key of a row, unless the row was changed or moved.
    pub(crate) fn unwrap(&self, row: &DataKeyRow) -> Result<Zeroizing<[u8; 32]>, Error> {
        self.wrapping
            .open(&self.place_of(row.key_id, &row.scope), &row.wrapped)
            .and_then(|secret| secret.as_slice().try_into().ok().map(Zeroizing::new))
            .ok_or(Error::TamperedDataKey { tenant_id: self.tenant_id, key_id: row.key_id })
    }

    pub(super) fn blind_index(&self, purpose: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        hex::encode(&context.sign().as_ref()[..INDEX_LENGTH])
    }

    /// What a wrapped data key is bound to, so that it cannot be moved to another tenant, id or scope.
    fn place_of(&self, key_id: KeyId, scope: &str) -> Vec<u8> {
        format!("domicile data key {key_id} of tenant {} for {scope}", self.tenant_id).into_bytes()
    }
}

/// What a wrapped tenant key is bound to.
fn place_of_tenant_key(tenant_id: TenantId, region_key_id: &str) -> Vec<u8> {
    format!("domicile tenant key of {tenant_id} under {region_key_id}").into_bytes()
}

impl Inner {
    /// The tenant's key, if it has one.
    pub(super) async fn tenant_key(&self, resident: &Resident) -> Result<Option<Arc<TenantKey>>, Error> {
        let tenant_id = resident.tenant_id();
        if let Some(key) = self.tenant_keys.get(&tenant_id) {
            return Ok(Some(key));
        }
        let failed = |source| Error::ReadKeys { tenant_id, source };
        let mut transaction = begin(&self.pool, resident).await.map_err(failed)?;
        let row = store::tenant_key(&mut transaction, tenant_id).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        row.map(|row| self.unwrap_and_hold(tenant_id, &row)).transpose()
    }

    /// The tenant's key, made if it has none. Two processes that make it at once agree on one: the first one stored.
    pub(super) async fn tenant_key_or_make(&self, resident: &Resident) -> Result<Arc<TenantKey>, Error> {
        if let Some(key) = self.tenant_key(resident).await? {
            return Ok(key);
        }
        let tenant_id = resident.tenant_id();
        let failed = |source| Error::StoreKeys { tenant_id, source };
        let mut transaction = begin(&self.pool, resident).await.map_err(failed)?;
        let made = self.wrapped_tenant_key(tenant_id);
        store::insert_tenant_key(&mut transaction, tenant_id, &made, self.clock.now()).await.map_err(failed)?;
        // A statement of its own: after waiting for another process's insert, only a new one sees its row.
        let stored = store::tenant_key(&mut transaction, tenant_id).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        self.unwrap_and_hold(tenant_id, &stored.expect("a row that was inserted, or was in the way of it"))
    }

    fn wrapped_tenant_key(&self, tenant_id: TenantId) -> TenantKeyRow {
        let region_key_id = self.region_key.id().to_owned();
        let secret = Zeroizing::new(self.ids.secret());
        let wrapped = self.region_key.key().seal(&place_of_tenant_key(tenant_id, &region_key_id), secret.as_slice());
        TenantKeyRow { region_key_id, wrapped }
    }

    fn unwrap_and_hold(&self, tenant_id: TenantId, row: &TenantKeyRow) -> Result<Arc<TenantKey>, Error> {
        let key = Arc::new(TenantKey::open(&self.region_key, tenant_id, row)?);
        self.tenant_keys.put(tenant_id, key.clone());
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: u128) -> TenantId {
        TenantId::new(uuid::Uuid::from_u128(number))
    }

    fn key_id(number: u128) -> KeyId {
        KeyId::new(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_wrapped_data_key_opens_in_its_own_row_only() {
        let key = TenantKey::new(tenant(1), &[7; 32]);
        let wrapped = key.wrap(key_id(1), "general", &[9; 32]);
        let row = |id, scope: &str| DataKeyRow { key_id: key_id(id), scope: scope.into(), wrapped: wrapped.clone() };
        assert_eq!(key.unwrap(&row(1, "general")).expect("opens").as_slice(), [9; 32]);
        assert!(key.unwrap(&row(2, "general")).is_err(), "another key's row");
        assert!(key.unwrap(&row(1, "person-1")).is_err(), "another scope's row");
        let twin = TenantKey::new(tenant(2), &[7; 32]);
        assert!(twin.unwrap(&row(1, "general")).is_err(), "another tenant's row, even under the same secret");
    }

    #[test]
    fn a_blind_index_differs_by_tenant_purpose_and_value() {
        let key = TenantKey::new(tenant(1), &[7; 32]);
        let index = key.blind_index("email", "ann@example.com");
        assert_eq!(index.len(), 32);
        assert_eq!(index, key.blind_index("email", "ann@example.com"));
        assert_ne!(index, key.blind_index("email", "bob@example.com"));
        assert_ne!(index, key.blind_index("phone", "ann@example.com"));
        assert_ne!(index, TenantKey::new(tenant(2), &[8; 32]).blind_index("email", "ann@example.com"));
    }
}
