//! How far each tenant's log is copied: rows of `topic.relayed`.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use schemas::{Position, RegionId, TenantId};
use sqlx::PgConnection;

/// Tenants a round takes at most.
pub(crate) const TENANTS_MAX: usize = 64;

const RETRY_MIN: SignedDuration = SignedDuration::from_secs(1);
const RETRY_MAX: SignedDuration = SignedDuration::from_secs(300);

/// Whom a round is about: those that were woken, or all.
pub(crate) type Woken<'a> = Option<&'a [TenantId]>;

/// A tenant with something to copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Behind {
    pub(crate) tenant_id: TenantId,
    /// What is copied.
    pub(crate) position: Position,
    /// The end of its log.
    pub(crate) head: Position,
    /// How often in a row it could not be copied.
    pub(crate) halted_times: i32,
}

/// Why a tenant waits.
#[derive(Debug)]
pub(crate) struct Halt {
    pub(crate) position: Position,
    pub(crate) event_type: String,
    pub(crate) reason: String,
    /// Whether the topic's limit is in the way: it may be raised at any time.
    pub(crate) is_oversized: bool,
}

/// Makes the rows that tenants lack, in the order of their ids, so that relays that meet the same tenants do not wait for one
/// another in a circle.
pub(crate) async fn prepare(
    connection: &mut PgConnection,
    region: &RegionId,
    woken: Woken<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into topic.relayed (tenant_id, updated_at)
         select tenant.tenant_id, $3 from log.tenant as tenant
         where tenant.region = $1 and ($2::uuid[] is null or tenant.tenant_id = any ($2))
           and not exists (select from topic.relayed as relayed where relayed.tenant_id = tenant.tenant_id)
         order by tenant.tenant_id
         on conflict do nothing",
        region.as_str(),
        ids(woken) as _,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks tenants that are behind, those that waited longest first, until the transaction ends. What another relay is copying is
/// passed over.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    region: &RegionId,
    woken: Woken<'_>,
    now: Timestamp,
) -> Result<Vec<Behind>, sqlx::Error> {
    let rows = sqlx::query!(
        "select relayed.tenant_id, relayed.position, relayed.halted_times, tenant.position as head
         from topic.relayed as relayed
         join log.tenant as tenant on tenant.tenant_id = relayed.tenant_id and tenant.position > relayed.position
         where tenant.region = $1 and tenant.state = 'active' and ($2::uuid[] is null or relayed.tenant_id = any ($2))
           and (relayed.retry_at is null or relayed.retry_at <= $3)
         order by relayed.updated_at, relayed.tenant_id limit $4
         for update of relayed skip locked",
        region.as_str(),
        ids(woken) as _,
        now.to_sqlx() as _,
        i64::try_from(TENANTS_MAX).expect("a round is small")
    )
    .fetch_all(connection)
    .await?;
    let behind = rows.into_iter().map(|row| Behind {
        tenant_id: TenantId::new(row.tenant_id),
        position: Position::new(row.position),
        head: Position::new(row.head),
        halted_times: row.halted_times,
    });
    Ok(behind.collect())
}

/// Sends tenants to the end of the line, whatever became of the attempt: those of a partition that is away must not keep others
/// from their turn.
pub(crate) async fn tried(
    connection: &mut PgConnection,
    tenants: &[Behind],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let tenants: Vec<_> = tenants.iter().map(|tenant| tenant.tenant_id.get()).collect();
    sqlx::query!("update topic.relayed set updated_at = $2 where tenant_id = any ($1)", &tenants, now.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves checkpoints; a halt is over with that.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    moved: &[(TenantId, Position)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let tenants: Vec<_> = moved.iter().map(|(tenant, _)| tenant.get()).collect();
    let positions: Vec<_> = moved.iter().map(|(_, position)| position.get()).collect();
    sqlx::query!(
        "update topic.relayed as relayed
         set position = moved.position, updated_at = $3, halted_at_position = null, halted_event_type = null,
             halted_error = null, halted_times = 0, retry_at = null
         from unnest($1::uuid[], $2::bigint[]) as moved (tenant_id, position)
         where relayed.tenant_id = moved.tenant_id",
        &tenants,
        &positions,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Records why a tenant waits, and until when.
pub(crate) async fn halt(
    connection: &mut PgConnection,
    tenant: &Behind,
    halt: &Halt,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update topic.relayed
         set updated_at = $2, halted_at_position = $3, halted_event_type = $4, halted_error = $5,
             halted_times = halted_times + 1, retry_at = $6
         where tenant_id = $1",
        tenant.tenant_id.get(),
        now.to_sqlx() as _,
        halt.position.get(),
        halt.event_type,
        halt.reason,
        (now + wait(tenant.halted_times)).to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Doubles with every attempt up to the cap.
fn wait(times: i32) -> SignedDuration {
    let doubled = RETRY_MIN.checked_mul(1 << times.clamp(0, 16)).unwrap_or(RETRY_MAX);
    doubled.min(RETRY_MAX)
}

fn ids(woken: Woken<'_>) -> Option<Vec<uuid::Uuid>> {
    woken.map(|tenants| tenants.iter().map(|tenant| tenant.get()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halted_tenant_is_tried_less_and_less_often_and_never_not_at_all() {
        assert_eq!([0, 1, 2].map(wait), [1, 2, 4].map(SignedDuration::from_secs));
        assert_eq!([9, 40, i32::MAX].map(wait), [RETRY_MAX; 3]);
    }
}
