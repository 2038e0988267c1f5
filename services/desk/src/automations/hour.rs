//! The table `timed.hour`: who goes through a tenant's hour, and whether it was.
//!
//! A lease keeps two desks from doing the same work; that nothing is done twice does not depend on it.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::TenantId;

use crate::state::Desk;

/// For how long somebody is at an hour without saying so again.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// How long an hour is left alone that failed.
const PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// An hour that this process goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Its beginning.
    pub(super) hour: Timestamp,
    /// Whether somebody began before, and did not come to its end.
    pub(super) is_again: bool,
    /// Until when it is leased, which tells this process's lease from another's.
    pub(super) until: Timestamp,
}

/// Tenants whose hour is to be gone through.
pub(super) async fn due(
    desk: &Desk,
    (hour, now, solved_before): (Timestamp, Timestamp, Timestamp),
) -> Result<Vec<TenantId>, sqlx::Error> {
    let rows = sqlx::query_scalar!(
        r#"select distinct tenant_id as "tenant_id!" from timed.due($1, $2, $3)"#,
        hour.to_sqlx() as _,
        now.to_sqlx() as _,
        solved_before.to_sqlx() as _,
    );
    Ok(rows.fetch_all(&desk.pool).await?.into_iter().map(TenantId::new).collect())
}

/// Takes an hour; nothing, if it was gone through or somebody is at it.
pub(super) async fn take(desk: &Desk, resident: &Resident, hour: Timestamp) -> Result<Option<Taken>, sqlx::Error> {
    let now = desk.clock.now();
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    sqlx::query!(
        "insert into timed.hour (tenant_id, begun_for) values ($1, 'epoch') on conflict do nothing",
        resident.tenant_id().get(),
    )
    .execute(&mut *transaction)
    .await?;
    let begun_for = sqlx::query_scalar!(
        r#"select begun_for as "begun_for: jiff_sqlx::Timestamp" from timed.hour
           where tenant_id = $1 and (done_for is null or done_for < $2) and (leased_until is null or leased_until <= $3) for update"#,
        resident.tenant_id().get(),
        hour.to_sqlx() as _,
        now.to_sqlx() as _,
    );
    let Some(begun_for) = begun_for.fetch_optional(&mut *transaction).await? else { return Ok(None) };
    let until = now + LEASE;
    sqlx::query!(
        "update timed.hour set begun_for = $2, leased_until = $3 where tenant_id = $1",
        resident.tenant_id().get(),
        hour.to_sqlx() as _,
        until.to_sqlx() as _,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Some(Taken { hour, is_again: begun_for.to_jiff() == hour, until }))
}

/// Says that this process is still at it. Where it said so too late, and another one took the hour, that one's lease stays as it is.
pub(super) async fn keep(desk: &Desk, resident: &Resident, taken: &mut Taken) -> Result<(), sqlx::Error> {
    lease(desk, resident, (taken, Some(desk.clock.now() + LEASE))).await
}

/// Says that nobody is at it any more, and that it is not done.
pub(super) async fn give_back(desk: &Desk, resident: &Resident, taken: &mut Taken) -> Result<(), sqlx::Error> {
    lease(desk, resident, (taken, None)).await
}

/// Says that it is not done, and that nobody is to try again at once.
pub(super) async fn put_off(desk: &Desk, resident: &Resident, taken: &mut Taken) -> Result<(), sqlx::Error> {
    lease(desk, resident, (taken, Some(desk.clock.now() + PAUSE))).await
}

async fn lease(
    desk: &Desk,
    resident: &Resident,
    (taken, until): (&mut Taken, Option<Timestamp>),
) -> Result<(), sqlx::Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let done = sqlx::query!(
        "update timed.hour set leased_until = $3 where tenant_id = $1 and leased_until = $2",
        resident.tenant_id().get(),
        taken.until.to_sqlx() as _,
        until.map(|until| until.to_sqlx()) as _,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    if let Some(until) = until.filter(|_| done.rows_affected() > 0) {
        taken.until = until;
    }
    Ok(())
}

/// Says that an hour was gone through to its end, unless another process took it meanwhile, which will say so itself.
pub(super) async fn finish(desk: &Desk, resident: &Resident, taken: &Taken) -> Result<(), sqlx::Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    sqlx::query!(
        "update timed.hour set done_for = greatest(done_for, $2), leased_until = null where tenant_id = $1 and leased_until = $3",
        resident.tenant_id().get(),
        taken.hour.to_sqlx() as _,
        taken.until.to_sqlx() as _,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}
