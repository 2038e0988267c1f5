//! Tree heads of other regions' logs that this region has cosigned, and how far others have cosigned this region's.
//!
//! The last head of each log only grows, and is replaced by compare-and-swap: of two requests at once, in whatever process, one
//! finds that the head it compared with is not the last any more. Only what was written is cosigned.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use schemas::{Hash, RegionId, TenantId};
use sqlx::PgConnection;

use crate::error::Error;

/// Whose log, of which region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignLog {
    /// Whose.
    pub tenant_id: TenantId,
    /// Of which region.
    pub region: RegionId,
    /// SHA-256 of the log's origin, by which others ask for it.
    pub origin_sha256: Hash,
}

/// A tree head as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Events under it.
    pub size: u64,
    /// SHA-256 of its text, whoever has signed it.
    pub sha256: Hash,
    /// The checkpoint with its signatures.
    pub note: String,
}

/// A head that was refused because it was not shown to follow on the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The checkpoint that was cosigned before.
    pub ours: String,
    /// The checkpoint that was refused.
    pub theirs: String,
    /// When.
    pub found_at: Timestamp,
}

/// The last head of a log that was cosigned here.
///
/// # Errors
/// If the database fails.
pub async fn seen(connection: &mut PgConnection, log: &ForeignLog) -> Result<Option<Head>, Error> {
    let row = sqlx::query!(
        "select size, head_sha256, note from witness.seen where tenant_id = $1 and region = $2",
        log.tenant_id.get(),
        log.region.as_str()
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::Witness)?;
    let head = |size: i64, sha256: Vec<u8>, note| {
        let sha256 = Hash::try_from(sha256.as_slice()).expect("the column holds 32 bytes");
        Head { size: size.unsigned_abs(), sha256, note }
    };
    Ok(row.map(|row| head(row.size, row.head_sha256, row.note)))
}

/// Puts a head that is to be cosigned in the place of the one it was compared with. Whether that one was still the last: if
/// not, nothing is written, and the new head must not be cosigned. What was held against this very head is settled.
///
/// # Errors
/// If the database fails.
pub async fn swap_seen(
    connection: &mut PgConnection,
    log: &ForeignLog,
    (old, new): (Option<&Head>, &Head),
    at: Timestamp,
) -> Result<bool, Error> {
    sqlx::query_scalar!(
        r#"with swapped as (
            insert into witness.seen as s (tenant_id, region, size, head_sha256, note, origin_sha256, cosigned_at)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (tenant_id, region) do update
            set size = excluded.size, head_sha256 = excluded.head_sha256, note = excluded.note,
                cosigned_at = excluded.cosigned_at
            where s.head_sha256 = $8 and s.size <= excluded.size
            returning s.tenant_id
        ), settled as (
            delete from witness.conflict c
            where c.tenant_id = $1 and c.region = $2 and c.head_sha256 = $4 and exists (select from swapped)
        )
        select exists (select from swapped) as "swapped!""#,
        log.tenant_id.get(),
        log.region.as_str(),
        new.size as i64,
        new.sha256.as_bytes().as_slice(),
        new.note,
        log.origin_sha256.as_bytes().as_slice(),
        at.to_sqlx() as _,
        old.map(|old| old.sha256.as_bytes().to_vec())
    )
    .fetch_one(connection)
    .await
    .map_err(Error::Witness)
}

/// Keeps a head that was not shown to follow on the last one, with that one. Whether it is the first time.
///
/// # Errors
/// If the database fails.
pub async fn put_conflict(
    connection: &mut PgConnection,
    log: &ForeignLog,
    (ours, theirs): (&Head, &Head),
    at: Timestamp,
) -> Result<bool, Error> {
    let put = sqlx::query!(
        "insert into witness.conflict (tenant_id, region, head_sha256, ours, theirs, found_at)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        log.tenant_id.get(),
        log.region.as_str(),
        theirs.sha256.as_bytes().as_slice(),
        ours.note,
        theirs.note,
        at.to_sqlx() as _
    )
    .execute(connection)
    .await
    .map_err(Error::Witness)?;
    Ok(put.rows_affected() == 1)
}

/// The last cosigned head of the log whose origin has this hash, with all its signatures.
///
/// # Errors
/// If the database fails.
pub async fn seen_by_origin(connection: &mut PgConnection, origin: Hash) -> Result<Option<String>, Error> {
    sqlx::query_scalar!("select note from witness.seen where origin_sha256 = $1", origin.as_bytes().as_slice())
        .fetch_optional(connection)
        .await
        .map_err(Error::Witness)
}

/// What is held against the log whose origin has this hash, the newest first.
///
/// # Errors
/// If the database fails.
pub async fn conflicts_by_origin(
    connection: &mut PgConnection,
    origin: Hash,
    count_max: i64,
) -> Result<Vec<Conflict>, Error> {
    sqlx::query_as!(
        Conflict,
        r#"select c.ours, c.theirs, c.found_at as "found_at: jiff_sqlx::Timestamp"
        from witness.conflict c
        join witness.seen s on s.tenant_id = c.tenant_id and s.region = c.region
        where s.origin_sha256 = $1 order by c.found_at desc limit $2"#,
        origin.as_bytes().as_slice(),
        count_max
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Witness)
}

/// What is held against the logs of a region, the oldest first.
///
/// # Errors
/// If the database fails.
pub async fn conflicts_of(
    connection: &mut PgConnection,
    region: &RegionId,
    count_max: i64,
) -> Result<Vec<Conflict>, Error> {
    sqlx::query_as!(
        Conflict,
        r#"select ours, theirs, found_at as "found_at: jiff_sqlx::Timestamp"
        from witness.conflict where region = $1 order by found_at, tenant_id, head_sha256 limit $2"#,
        region.as_str(),
        count_max
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Witness)
}

/// What is held against one head of a log, by the hash of its text.
///
/// # Errors
/// If the database fails.
pub async fn conflict(
    connection: &mut PgConnection,
    log: &ForeignLog,
    head_sha256: Hash,
) -> Result<Option<Conflict>, Error> {
    sqlx::query_as!(
        Conflict,
        r#"select ours, theirs, found_at as "found_at: jiff_sqlx::Timestamp"
        from witness.conflict where tenant_id = $1 and region = $2 and head_sha256 = $3"#,
        log.tenant_id.get(),
        log.region.as_str(),
        head_sha256.as_bytes().as_slice()
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::Witness)
}

/// Holds nothing against a head any more: it was proven to follow.
///
/// # Errors
/// If the database fails.
pub async fn settle(connection: &mut PgConnection, log: &ForeignLog, head_sha256: Hash) -> Result<(), Error> {
    sqlx::query!(
        "delete from witness.conflict where tenant_id = $1 and region = $2 and head_sha256 = $3",
        log.tenant_id.get(),
        log.region.as_str(),
        head_sha256.as_bytes().as_slice()
    )
    .execute(connection)
    .await
    .map_err(Error::Witness)?;
    Ok(())
}

/// Since when something is held against a log of each region; regions of which all is proven are left out.
///
/// # Errors
/// If the database fails.
pub async fn oldest_conflicts(connection: &mut PgConnection) -> Result<Vec<(RegionId, Timestamp)>, Error> {
    let rows = sqlx::query!(
        r#"select region, min(found_at) as "found_at!: jiff_sqlx::Timestamp" from witness.conflict group by region"#
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Witness)?;
    // A region that was taken out of the deployment has no name that parses, or nobody who asks.
    Ok(rows.into_iter().filter_map(|row| Some((row.region.parse().ok()?, row.found_at.to_jiff()))).collect())
}

/// A log of this region that a witness has not seen to its archived end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwitnessed {
    /// Whose.
    pub tenant_id: TenantId,
    /// How far the witness has cosigned it; 0 if it never has.
    pub size: u64,
}

/// The logs of this region that a witness has not cosigned to their archived end, the ones that wait longest first. One that
/// it refused after `refused_after` is left alone.
///
/// # Errors
/// If the database fails.
pub async fn unwitnessed(
    connection: &mut PgConnection,
    witness: &RegionId,
    refused_after: Timestamp,
    count_max: i64,
) -> Result<Vec<Unwitnessed>, Error> {
    let rows = sqlx::query!(
        r#"select a.tenant_id, coalesce(s.size, 0) as "size!"
        from log.mark a
        join log.tenant t on t.tenant_id = a.tenant_id and t.state = 'active'
        left join witness.submitted s on s.tenant_id = a.tenant_id and s.witness = $1
        where a.mark = 'archived' and a.position > coalesce(s.size, 0)
            and (s.refusal is null or s.answered_at <= $2)
        order by s.answered_at nulls first, a.tenant_id limit $3"#,
        witness.as_str(),
        refused_after.to_sqlx() as _,
        count_max
    )
    .fetch_all(connection)
    .await
    .map_err(Error::Witness)?;
    let log = |tenant_id, size: i64| Unwitnessed { tenant_id: TenantId::new(tenant_id), size: size.unsigned_abs() };
    Ok(rows.into_iter().map(|row| log(row.tenant_id, row.size)).collect())
}

/// Notes what a witness has answered for a log of this region.
///
/// # Errors
/// If the database fails.
pub async fn put_submitted(
    connection: &mut PgConnection,
    (log, witness): (Unwitnessed, &RegionId),
    refusal: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into witness.submitted (tenant_id, witness, size, answered_at, refusal) values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, witness) do update
        set size = excluded.size, answered_at = excluded.answered_at, refusal = excluded.refusal",
        log.tenant_id.get(),
        witness.as_str(),
        log.size as i64,
        now.to_sqlx() as _,
        refusal
    )
    .execute(connection)
    .await
    .map_err(Error::Witness)?;
    Ok(())
}

/// Logs of this region that a witness refuses. Those that are closed are not shown to it, so what it said last of them says nothing
/// of today.
///
/// # Errors
/// If the database fails.
pub async fn refused(connection: &mut PgConnection, witness: &RegionId) -> Result<i64, Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from witness.submitted s
        join log.tenant t on t.tenant_id = s.tenant_id and t.state = 'active'
        where s.witness = $1 and s.refusal is not null"#,
        witness.as_str()
    )
    .fetch_one(connection)
    .await
    .map_err(Error::Witness)
}
