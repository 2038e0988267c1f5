//! Data keys: found in memory, else in the table, else made.

use std::collections::{BTreeSet, HashMap};

use regions::{Resident, begin};
use schemas::KeyId;
use zeroize::Zeroizing;

use super::{Inner, tenant_key::TenantKey};
use crate::{
    error::Error,
    scope::Scope,
    sealing::DataKey,
    store::{self, DataKeyRow},
};

/// Keys by the scope they seal.
type Found = HashMap<Scope, DataKey>;

impl Inner {
    /// The keys of these scopes, in their order; made where there are none.
    pub(super) async fn find_or_make(&self, resident: &Resident, scopes: &[Scope]) -> Result<Vec<DataKey>, Error> {
        let tenant_id = resident.tenant_id();
        let tenant_key = self.tenant_key_or_make(resident).await?;
        let mut keys: Found =
            scopes.iter().filter_map(|scope| Some((*scope, self.by_scope.get(&(tenant_id, *scope))?))).collect();

        // Most keys that are not in memory are not in the table either: their scope is being made by this very command.
        // Those are made at once, in one round trip, and looked for only when that finds one in its way.
        let old = missing(scopes.iter().filter(|scope| !scope.is_mostly_new()), &keys);
        keys.extend(self.read(resident, &tenant_key, &old).await?);
        let absent = missing(scopes.iter(), &keys);
        keys.extend(self.make(resident, &tenant_key, &absent).await?);

        // What is neither there nor can be made has a tombstone in its place.
        let erased = |&scope| Error::Erased { tenant_id, scope };
        scopes.iter().map(|scope| keys.get(scope).cloned().ok_or_else(|| erased(scope))).collect()
    }

    /// The keys with these ids; those that were destroyed are not among them.
    pub(super) async fn keys_by_id(
        &self,
        resident: &Resident,
        key_ids: impl IntoIterator<Item = KeyId>,
    ) -> Result<HashMap<KeyId, DataKey>, Error> {
        let tenant_id = resident.tenant_id();
        let wanted: BTreeSet<KeyId> = key_ids.into_iter().collect();
        let mut keys: HashMap<_, _> =
            wanted.iter().filter_map(|id| Some((*id, self.by_id.get(&(tenant_id, *id))?))).collect();
        let absent: Vec<KeyId> = wanted.into_iter().filter(|id| !keys.contains_key(id)).collect();
        if absent.is_empty() {
            return Ok(keys);
        }
        // Without a tenant key there are no data keys: all was destroyed.
        let Some(tenant_key) = self.tenant_key(resident).await? else { return Ok(keys) };

        let failed = |source| Error::ReadKeys { tenant_id, source };
        let rows = store::data_keys_by_id(&self.pool, tenant_id, &absent).await.map_err(failed)?;
        for row in rows {
            let key = DataKey::new(row.key_id, &*tenant_key.unwrap(&row)?);
            self.by_id.put((tenant_id, key.id()), key.clone());
            keys.insert(key.id(), key);
        }
        Ok(keys)
    }

    /// Reads the keys of those scopes that have one.
    async fn read(&self, resident: &Resident, tenant_key: &TenantKey, scopes: &[Scope]) -> Result<Found, Error> {
        if scopes.is_empty() {
            return Ok(Found::new());
        }
        let tenant_id = resident.tenant_id();
        let failed = |source| Error::ReadKeys { tenant_id, source };
        let names: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        let mut transaction = begin(&self.pool, resident).await.map_err(failed)?;
        let rows = store::data_keys_by_scope(&mut transaction, tenant_id, &names, false).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;

        let mut found = Found::new();
        for row in rows {
            let index = names.iter().position(|name| *name == row.scope).expect("only these scopes were asked for");
            let key = DataKey::new(row.key_id, &*tenant_key.unwrap(&row)?);
            self.hold(resident, scopes[index], &key);
            found.insert(scopes[index], key);
        }
        Ok(found)
    }

    /// Makes keys for scopes that seem to have none. Where another process was quicker, its key is the key.
    async fn make(&self, resident: &Resident, tenant_key: &TenantKey, scopes: &[Scope]) -> Result<Found, Error> {
        if scopes.is_empty() {
            return Ok(Found::new());
        }
        let tenant_id = resident.tenant_id();
        let (rows, made): (Vec<DataKeyRow>, Found) = scopes
            .iter()
            .map(|&scope| {
                let (row, key) = self.new_key(tenant_key, scope);
                (row, (scope, key))
            })
            .unzip();
        let stored = store::insert_data_keys(&self.pool, tenant_id, &rows, self.clock.now())
            .await
            .map_err(|source| Error::StoreKeys { tenant_id, source })?;
        if stored < rows.len() as u64 {
            return self.read(resident, tenant_key, scopes).await;
        }
        for (scope, key) in &made {
            self.hold(resident, *scope, key);
        }
        Ok(made)
    }

    fn new_key(&self, tenant_key: &TenantKey, scope: Scope) -> (DataKeyRow, DataKey) {
        let key_id = KeyId::new(self.ids.uuid());
        let secret = Zeroizing::new(self.ids.secret());
        let scope = scope.to_string();
        let wrapped = tenant_key.wrap(key_id, &scope, &secret);
        (DataKeyRow { key_id, scope, wrapped }, DataKey::new(key_id, &secret))
    }

    fn hold(&self, resident: &Resident, scope: Scope, key: &DataKey) {
        let tenant_id = resident.tenant_id();
        self.by_id.put((tenant_id, key.id()), key.clone());
        if !scope.is_used_once() {
            self.by_scope.put((tenant_id, scope), key.clone());
        }
    }
}

/// The scopes without a key, each once.
fn missing<'scope>(scopes: impl Iterator<Item = &'scope Scope>, keys: &Found) -> Vec<Scope> {
    let mut missing: Vec<Scope> = Vec::new();
    for scope in scopes {
        if !keys.contains_key(scope) && !missing.contains(scope) {
            missing.push(*scope);
        }
    }
    missing
}
