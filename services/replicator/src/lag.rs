//! Whose archive is behind, and by how much.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use schemas::{Position, TenantId};
use sqlx::PgConnection;

/// A tenant whose archive is behind its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) tenant_id: TenantId,
    /// The last event.
    pub(crate) head: Position,
    /// The last archived event.
    pub(crate) archived: Position,
    /// When the first event that is not archived was recorded; if the log has lost it, when the tenant was made.
    pub(crate) oldest: Timestamp,
}

impl Behind {
    /// Events that are not archived.
    pub(crate) fn positions(&self) -> i64 {
        self.head.get() - self.archived.get()
    }
}

/// Every active tenant whose archive is behind, those that wait longest first.
pub(crate) async fn behind(connection: &mut PgConnection) -> Result<Vec<Behind>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select t.tenant_id, t.position, coalesce(m.position, 0) as "archived!",
            coalesce(e.recorded_at, t.created_at) as "oldest!: jiff_sqlx::Timestamp"
        from log.tenant t
        left join log.mark m on m.tenant_id = t.tenant_id and m.mark = 'archived'
        left join log.event e on e.tenant_id = t.tenant_id and e.position = coalesce(m.position, 0) + 1
        where t.state = 'active' and t.position > coalesce(m.position, 0)
        order by coalesce(e.recorded_at, t.created_at)"#
    )
    .fetch_all(connection)
    .await?;
    let behind = rows.into_iter().map(|row| Behind {
        tenant_id: TenantId::new(row.tenant_id),
        head: Position::new(row.position),
        archived: Position::new(row.archived),
        oldest: row.oldest.to_jiff(),
    });
    Ok(behind.collect())
}

/// How many tenants are closed because their log ends before what was published of it, or their restore was not finished.
pub(crate) async fn held(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from log.tenant where state in ('behind', 'restoring')"#)
        .fetch_one(connection)
        .await
}

/// The tenant whose archive was read back longest ago, or never, if that is before `grown_before` and it has grown since, or
/// if it is before `any_before`: what is not written to can still rot, or be put back.
pub(crate) async fn least_verified(
    connection: &mut PgConnection,
    (grown_before, any_before): (Timestamp, Timestamp),
    except: &[TenantId],
) -> Result<Option<TenantId>, sqlx::Error> {
    let except: Vec<_> = except.iter().map(|tenant_id| tenant_id.get()).collect();
    let found = sqlx::query_scalar!(
        "select a.tenant_id
        from log.mark a
        join log.tenant t on t.tenant_id = a.tenant_id and t.state = 'active'
        left join log.mark v on v.tenant_id = a.tenant_id and v.mark = 'verified'
        where a.mark = 'archived' and a.tenant_id <> all($3)
            and (v.reached_at is null or v.reached_at < $2 or (v.reached_at < $1 and a.position > v.position))
        order by v.reached_at nulls first limit 1",
        grown_before.to_sqlx() as _,
        any_before.to_sqlx() as _,
        &except
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.map(TenantId::new))
}

/// When the oldest events were recorded that marks have not reached; nothing where there are none.
pub(crate) struct Oldest {
    pub(crate) sealed: Option<Timestamp>,
    pub(crate) verified: Option<Timestamp>,
}

/// The oldest event of an active tenant beyond the marks "sealed" and "verified".
pub(crate) async fn oldest_beyond(connection: &mut PgConnection) -> Result<Oldest, sqlx::Error> {
    let row = sqlx::query!(
        r#"select
            min(e.recorded_at) filter (where e.position > coalesce(h.size, 0)) as "sealed: jiff_sqlx::Timestamp",
            min(e.recorded_at) filter (where e.position > coalesce(v.position, 0)) as "verified: jiff_sqlx::Timestamp"
        from log.tenant t
        left join log.tree_head h on h.tenant_id = t.tenant_id
        left join log.mark v on v.tenant_id = t.tenant_id and v.mark = 'verified'
        join log.event e on e.tenant_id = t.tenant_id
            and e.position in (coalesce(h.size, 0) + 1, coalesce(v.position, 0) + 1)
        where t.state = 'active'"#
    )
    .fetch_one(connection)
    .await?;
    Ok(Oldest { sealed: row.sealed.map(|at| at.to_jiff()), verified: row.verified.map(|at| at.to_jiff()) })
}

/// When the region's first tenant was made, if it has one.
pub(crate) async fn first_tenant(connection: &mut PgConnection) -> Result<Option<Timestamp>, sqlx::Error> {
    let first = sqlx::query_scalar!(r#"select min(created_at) as "first: jiff_sqlx::Timestamp" from log.tenant"#);
    Ok(first.fetch_one(connection).await?.map(|at| at.to_jiff()))
}
