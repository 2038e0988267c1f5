//! Exports of wrapped keys end after `keys_days`, so that a destroyed key does not outlive its promise in the bucket. A living key must
//! always have one, or its tenant could not be restored: all living keys of a tenant are exported anew at half that time.
//!
//! ```text
//! destroyed key: in the bucket for keys_days after its last export, and noncurrent_days as a version: less than promise_days
//! living key:    its newest export is at most keys_days / 2 old, and has as long again to be renewed
//! ```

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use regions::Resident;
use schemas::TenantId;

use archive::layout;

use crate::{deps::ReplicatorDeps, error::Error};

/// How many keys are in one object: about 5 MB.
const KEYS_PER_PART: i64 = 20_000;

/// Renews the exports of every tenant whose last renewal is old enough; of the longest waiting first. Returns how many tenants that were.
///
/// # Errors
/// If the database or the bucket fails. What was renewed is noted; a tenant that was under way begins anew with the next call.
pub async fn renew_keys(deps: &ReplicatorDeps) -> Result<usize, Error> {
    let after = deps.region.storage.deletion.keys_renewed_after();
    let mut renewed = 0;
    for tenant_id in due(deps, deps.clock.now() - after).await? {
        match deps.resident(tenant_id).await {
            Ok(resident) => renew(deps, &resident).await?,
            // One that is moving is renewed where it arrives.
            Err(Error::NotAtHome { .. }) => continue,
            Err(error) => return Err(error),
        }
        renewed += 1;
    }
    Ok(renewed)
}

async fn renew(deps: &ReplicatorDeps, resident: &Resident) -> Result<(), Error> {
    let tenant_id = resident.tenant_id();
    let began_at = deps.clock.now();
    let (mut after, mut part) = (None, 0);
    while let Some((keys, last)) = deps.vault.export_after(resident, after, KEYS_PER_PART).await.map_err(Error::Keys)? {
        part += 1;
        let key = layout::renewed_keys(tenant_id, began_at, part);
        deps.bucket.put_short_lived(&key, Bytes::from(keys.to_string())).await.map_err(Error::Bucket)?;
        deps.metrics.archive_objects.with_label_values(&["renewed_keys"]).inc();
        after = Some(last);
    }
    // A crash before this leaves parts that end by themselves.
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    sqlx::query!(
        "insert into vault.key_renewal (tenant_id, renewed_at) values ($1, $2)
        on conflict (tenant_id) do update set renewed_at = greatest(key_renewal.renewed_at, excluded.renewed_at)",
        tenant_id.get(),
        began_at.to_sqlx() as _
    )
    .execute(&mut *connection)
    .await
    .map_err(Error::Database)?;
    tracing::info!(tenant.id = %tenant_id, parts = part, "exported all keys of a tenant anew");
    Ok(())
}

/// The active tenants whose keys were last exported as a whole before a moment. A tenant that never was had each key exported with the
/// generation that needed it first, the oldest when its own key was made.
async fn due(deps: &ReplicatorDeps, before: Timestamp) -> Result<Vec<TenantId>, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let due = sqlx::query_scalar!(
        "select key.tenant_id from vault.tenant_key as key
        join log.tenant as tenant on tenant.tenant_id = key.tenant_id and tenant.state = 'active'
        left join vault.key_renewal as renewal on renewal.tenant_id = key.tenant_id
        where coalesce(renewal.renewed_at, key.created_at) <= $1
        order by coalesce(renewal.renewed_at, key.created_at)",
        before.to_sqlx() as _
    );
    let due = due.fetch_all(&mut *connection).await.map_err(Error::Database)?;
    Ok(due.into_iter().map(TenantId::new).collect())
}

/// How old the oldest whole export of a tenant's keys is: what must never come near `keys_days`. Keys of a tenant that is closed until
/// its history is whole again are not exported anew, as some of them may be destroyed in that history; their exports end all the same.
pub(crate) async fn oldest(deps: &ReplicatorDeps) -> Result<SignedDuration, Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let oldest = sqlx::query_scalar!(
        r#"select min(coalesce(renewal.renewed_at, key.created_at)) as "oldest: jiff_sqlx::Timestamp"
        from vault.tenant_key as key
        join log.tenant as tenant
            on tenant.tenant_id = key.tenant_id and tenant.state in ('active', 'behind', 'restoring')
        left join vault.key_renewal as renewal on renewal.tenant_id = key.tenant_id"#
    );
    let oldest = oldest.fetch_one(&mut *connection).await.map_err(Error::Database)?;
    Ok(oldest.map_or(SignedDuration::ZERO, |oldest| deps.clock.now().duration_since(oldest.to_jiff())))
}
