//! The tables of wrapped keys. Nothing here knows how a key is wrapped.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use schemas::{KeyId, TenantId, Version, erasure::DestroyedKey};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A tenant's wrapped key.
pub(crate) struct TenantKeyRow {
    pub(crate) region_key_id: String,
    pub(crate) wrapped: Vec<u8>,
}

/// A wrapped data key.
pub(crate) struct DataKeyRow {
    pub(crate) key_id: KeyId,
    pub(crate) scope: String,
    pub(crate) wrapped: Vec<u8>,
}

/// A wrapped data key with the time it was made.
pub(crate) struct ExportedRow {
    pub(crate) row: DataKeyRow,
    pub(crate) created_at: Timestamp,
}

pub(crate) async fn tenant_key(
    connection: &mut PgConnection,
    tenant_id: TenantId,
) -> Result<Option<TenantKeyRow>, sqlx::Error> {
    sqlx::query_as!(
        TenantKeyRow,
        "select region_key_id, wrapped from vault.tenant_key where tenant_id = $1",
        tenant_id.get()
    )
    .fetch_optional(connection)
    .await
}

/// Stores a tenant's key unless it has one.
pub(crate) async fn insert_tenant_key(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    key: &TenantKeyRow,
    created_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into vault.tenant_key (tenant_id, region_key_id, wrapped, created_at) values ($1, $2, $3, $4)
        on conflict (tenant_id) do nothing",
        tenant_id.get(),
        key.region_key_id,
        key.wrapped,
        created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Living data keys of scopes: those that seal, or also those that were set aside.
pub(crate) async fn data_keys_by_scope(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    scopes: &[String],
    with_set_aside: bool,
) -> Result<Vec<DataKeyRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select key_id, scope, wrapped as "wrapped!" from vault.data_key
        where tenant_id = $1 and scope = any($2) and wrapped is not null and ($3 or set_aside_at is null)"#,
        tenant_id.get(),
        scopes,
        with_set_aside
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| data_key_row(row.key_id, row.scope, row.wrapped)).collect())
}

/// One round trip: the statement is a transaction of its own and names its tenant in it.
pub(crate) async fn data_keys_by_id(
    pool: &PgPool,
    tenant_id: TenantId,
    key_ids: &[KeyId],
) -> Result<Vec<DataKeyRow>, sqlx::Error> {
    let key_ids: Vec<Uuid> = key_ids.iter().map(|id| id.get()).collect();
    let rows = sqlx::query!(
        r#"select key_id as "key_id!", scope as "scope!", wrapped as "wrapped!" from vault.data_keys_by_id($1, $2)"#,
        tenant_id.get(),
        &key_ids
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| data_key_row(row.key_id, row.scope, row.wrapped)).collect())
}

/// Living data keys of a tenant after an id, in the order of ids, at most `limit`.
pub(crate) async fn data_keys_after(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    after: Option<KeyId>,
    limit: i64,
) -> Result<Vec<ExportedRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select key_id, scope, wrapped as "wrapped!", created_at as "created_at: jiff_sqlx::Timestamp"
        from vault.data_key
        where tenant_id = $1 and wrapped is not null and key_id > $2
        order by key_id limit $3"#,
        tenant_id.get(),
        after.map_or(Uuid::nil(), KeyId::get),
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| exported(data_key_row(row.key_id, row.scope, row.wrapped), row.created_at)).collect())
}

/// All living data keys of a tenant, or those of some ids.
pub(crate) async fn export_data_keys(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    only: Option<&[KeyId]>,
) -> Result<Vec<ExportedRow>, sqlx::Error> {
    let only: Option<Vec<Uuid>> = only.map(|ids| ids.iter().map(|id| id.get()).collect());
    let rows = sqlx::query!(
        r#"select key_id, scope, wrapped as "wrapped!", created_at as "created_at: jiff_sqlx::Timestamp"
        from vault.data_key
        where tenant_id = $1 and wrapped is not null and ($2::uuid[] is null or key_id = any($2)) order by key_id"#,
        tenant_id.get(),
        only.as_deref()
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| exported(data_key_row(row.key_id, row.scope, row.wrapped), row.created_at)).collect())
}

/// Stores data keys, but for scopes that have or had one already. Returns how many were stored.
///
/// One round trip: the statement is a transaction of its own and names its tenant in it. Every row takes its tenant from that
/// naming, so none reaches row-level security before it. In order of scope, so that two callers never wait for each other.
pub(crate) async fn insert_data_keys(
    pool: &PgPool,
    tenant_id: TenantId,
    rows: &[DataKeyRow],
    created_at: Timestamp,
) -> Result<u64, sqlx::Error> {
    let key_ids: Vec<Uuid> = rows.iter().map(|row| row.key_id.get()).collect();
    let scopes: Vec<&str> = rows.iter().map(|row| row.scope.as_str()).collect();
    let wrapped: Vec<&[u8]> = rows.iter().map(|row| row.wrapped.as_slice()).collect();
    let done = sqlx::query!(
        "with named as (select set_config('domicile.tenant_id', $1::uuid::text, true)::uuid as tenant_id)
        insert into vault.data_key (tenant_id, key_id, scope, wrapped, created_at)
        select named.tenant_id, new.key_id, new.scope, new.wrapped, $5
        from named, unnest($2::uuid[], $3::text[], $4::bytea[]) as new (key_id, scope, wrapped)
        order by new.scope
        on conflict do nothing",
        tenant_id.get(),
        &key_ids,
        &scopes as _,
        &wrapped as _,
        created_at.to_sqlx() as _
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Destroys the keys that an event of the erasure list names, by the right of that event. Returns how many lived.
pub(crate) async fn destroy_keys(
    pool: &PgPool,
    tenant_id: TenantId,
    (version, keys): (Version, &[DestroyedKey]),
    at: Timestamp,
) -> Result<i64, sqlx::Error> {
    let (key_ids, scopes) = columns(keys);
    sqlx::query_scalar!(
        r#"select vault.destroy_keys($1, $2, $3, $4, $5) as "lived!""#,
        tenant_id.get(),
        version.get(),
        &key_ids,
        &scopes as _,
        at.to_sqlx() as _
    )
    .fetch_one(pool)
    .await
}

/// Destroys keys, as the owner, whatever the log says.
pub(crate) async fn bury_keys(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    keys: &[DestroyedKey],
    at: Timestamp,
) -> Result<i64, sqlx::Error> {
    let (key_ids, scopes) = columns(keys);
    sqlx::query_scalar!(
        r#"select vault.bury_keys($1, $2, $3, $4) as "lived!""#,
        tenant_id.get(),
        &key_ids,
        &scopes as _,
        at.to_sqlx() as _
    )
    .fetch_one(connection)
    .await
}

fn columns(keys: &[DestroyedKey]) -> (Vec<Uuid>, Vec<&str>) {
    keys.iter().map(|key| (key.key_id.get(), key.scope.as_str())).unzip()
}

/// The tenants whose erasure list is not carried out to its end, and how far each is.
pub(crate) async fn erasures_due(pool: &PgPool) -> Result<Vec<(TenantId, Version)>, sqlx::Error> {
    let rows = sqlx::query!(r#"select tenant_id as "tenant_id!", since as "since!" from vault.erasures_due()"#)
        .fetch_all(pool);
    Ok(rows.await?.into_iter().map(|row| (TenantId::new(row.tenant_id), Version::new(row.since))).collect())
}

/// How far a tenant's erasure list is carried out.
pub(crate) async fn erased_to(connection: &mut PgConnection, tenant_id: TenantId) -> Result<Version, sqlx::Error> {
    let mark = sqlx::query_scalar!("select version from vault.erasure_mark where tenant_id = $1", tenant_id.get())
        .fetch_optional(connection)
        .await?;
    Ok(mark.map_or(Version::ZERO, Version::new))
}

/// Lets the erasure list be carried out again from its beginning: another list may be in its place.
pub(crate) async fn forget_erased_to(connection: &mut PgConnection, tenant_id: TenantId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from vault.erasure_mark where tenant_id = $1", tenant_id.get()).execute(connection).await?;
    Ok(())
}

/// Sets keys aside for others of their scopes, or puts those that were set aside to work again. Returns how many were not so.
pub(crate) async fn set_aside(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    key_ids: &[KeyId],
    at: Option<Timestamp>,
) -> Result<u64, sqlx::Error> {
    let key_ids: Vec<Uuid> = key_ids.iter().map(|id| id.get()).collect();
    let done = sqlx::query!(
        "update vault.data_key set set_aside_at = $3
        where tenant_id = $1 and key_id = any($2) and wrapped is not null and (set_aside_at is null) = ($3::timestamptz is not null)",
        tenant_id.get(),
        &key_ids,
        at.map(|at| at.to_sqlx()) as _
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Stores data keys that a backup held, to work or set aside, but for those that are there or whose scope was erased.
pub(crate) async fn insert_exported(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    rows: &[&ExportedRow],
    set_aside_at: Option<Timestamp>,
) -> Result<u64, sqlx::Error> {
    let key_ids: Vec<Uuid> = rows.iter().map(|exported| exported.row.key_id.get()).collect();
    let scopes: Vec<&str> = rows.iter().map(|exported| exported.row.scope.as_str()).collect();
    let wrapped: Vec<&[u8]> = rows.iter().map(|exported| exported.row.wrapped.as_slice()).collect();
    let created_ats: Vec<_> = rows.iter().map(|exported| exported.created_at.to_sqlx()).collect();
    let done = sqlx::query!(
        "insert into vault.data_key (tenant_id, key_id, scope, wrapped, created_at, set_aside_at)
        select $1, new.key_id, new.scope, new.wrapped, new.created_at, $6
        from unnest($2::uuid[], $3::text[], $4::bytea[], $5::timestamptz[]) as new (key_id, scope, wrapped, created_at)
        where not exists (
            select from vault.data_key gone
            where gone.tenant_id = $1 and gone.scope = new.scope and gone.wrapped is null
        )
        on conflict do nothing",
        tenant_id.get(),
        &key_ids,
        &scopes as _,
        &wrapped as _,
        &created_ats as _,
        set_aside_at.map(|at| at.to_sqlx()) as _
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Those of these keys that are not stored: the scope of each, and whether it was erased.
pub(crate) async fn not_stored(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    rows: &[&ExportedRow],
) -> Result<Vec<(String, bool)>, sqlx::Error> {
    let key_ids: Vec<Uuid> = rows.iter().map(|exported| exported.row.key_id.get()).collect();
    let scopes: Vec<&str> = rows.iter().map(|exported| exported.row.scope.as_str()).collect();
    let rows = sqlx::query!(
        r#"select wanted.scope as "scope!", exists (
            select from vault.data_key gone
            where gone.tenant_id = $1 and gone.scope = wanted.scope and gone.wrapped is null
        ) as "is_erased!"
        from unnest($2::uuid[], $3::text[]) as wanted (key_id, scope)
        where not exists (
            select from vault.data_key d
            where d.tenant_id = $1 and d.key_id = wanted.key_id and d.wrapped is not null
        )"#,
        tenant_id.get(),
        &key_ids,
        &scopes as _
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(|row| (row.scope, row.is_erased)).collect())
}

fn exported(row: DataKeyRow, created_at: jiff_sqlx::Timestamp) -> ExportedRow {
    ExportedRow { row, created_at: created_at.to_jiff() }
}

fn data_key_row(key_id: Uuid, scope: String, wrapped: Vec<u8>) -> DataKeyRow {
    DataKeyRow { key_id: KeyId::new(key_id), scope, wrapped }
}
