//! Where the tenants of a region are, for whoever runs it: names, positions and times, and nothing of what events say.

use jiff::Timestamp;
use schemas::{Position, TenantId};
use sqlx::PgConnection;

use crate::error::Error;

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub tenant_id: TenantId,
    /// The name in its address.
    pub slug: String,
    /// Whether its log takes events: `active`, or why not.
    pub state: String,
    /// When it came here.
    pub created_at: Timestamp,
    /// The last event, which is also the mark "acked".
    pub acked: Position,
    /// Up to where its log is inside a signed tree head.
    pub sealed: Position,
    /// Up to where it is archived.
    pub archived: Position,
    /// Up to where it was read back.
    pub verified: Position,
}

/// The tenants of a region together: of those whose logs are open, but for the count of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many there are.
    pub tenants: i64,
    /// How many are closed until their logs are whole again.
    pub held: i64,
    /// Events that are durable.
    pub acked: i64,
    /// Of these, those inside signed tree heads.
    pub sealed: i64,
    /// Of these, the archived ones.
    pub archived: i64,
    /// Of these, those that were read back.
    pub verified: i64,
    /// When the oldest event was recorded that is not sealed.
    pub unsealed_since: Option<Timestamp>,
    /// When the oldest one that is not archived.
    pub unarchived_since: Option<Timestamp>,
    /// When the oldest one that was not read back.
    pub unverified_since: Option<Timestamp>,
}

/// So many tenants whose names come after this one, by name; closed ones, too.
///
/// # Errors
/// If the database fails.
pub async fn standings(connection: &mut PgConnection, after: &str, count: i64) -> Result<Vec<Standing>, Error> {
    let rows = sqlx::query!(
        r#"select t.tenant_id, t.slug, t.state, t.created_at as "created_at!: jiff_sqlx::Timestamp", t.position,
            coalesce(h.size, 0) as "sealed!", coalesce(a.position, 0) as "archived!", coalesce(v.position, 0) as "verified!"
        from log.tenant t
        left join log.tree_head h on h.tenant_id = t.tenant_id
        left join log.mark a on a.tenant_id = t.tenant_id and a.mark = 'archived'
        left join log.mark v on v.tenant_id = t.tenant_id and v.mark = 'verified'
        where t.slug > $1 order by t.slug limit $2"#,
        after,
        count
    );
    let rows = rows.fetch_all(connection).await.map_err(Error::Heads)?.into_iter();
    let standing = rows.map(|row| Standing {
        tenant_id: TenantId::new(row.tenant_id),
        slug: row.slug,
        state: row.state,
        created_at: row.created_at.to_jiff(),
        acked: Position::new(row.position),
        sealed: Position::new(row.sealed),
        archived: Position::new(row.archived),
        verified: Position::new(row.verified),
    });
    Ok(standing.collect())
}

/// All tenants together.
///
/// # Errors
/// If the database fails.
pub async fn totals(connection: &mut PgConnection) -> Result<Totals, Error> {
    let row = sqlx::query!(
        r#"select count(*) filter (where t.state = 'active') as "tenants!",
            count(*) filter (where t.state in ('behind', 'restoring')) as "held!",
            coalesce(sum(t.position) filter (where t.state = 'active'), 0)::bigint as "acked!",
            coalesce(sum(h.size) filter (where t.state = 'active'), 0)::bigint as "sealed!",
            coalesce(sum(a.position) filter (where t.state = 'active'), 0)::bigint as "archived!",
            coalesce(sum(v.position) filter (where t.state = 'active'), 0)::bigint as "verified!",
            min(not_sealed.recorded_at) as "unsealed?: jiff_sqlx::Timestamp",
            min(not_archived.recorded_at) as "unarchived?: jiff_sqlx::Timestamp",
            min(not_verified.recorded_at) as "unverified?: jiff_sqlx::Timestamp"
        from log.tenant t
        left join log.tree_head h on h.tenant_id = t.tenant_id
        left join log.mark a on a.tenant_id = t.tenant_id and a.mark = 'archived'
        left join log.mark v on v.tenant_id = t.tenant_id and v.mark = 'verified'
        left join log.event not_sealed on t.state = 'active'
            and not_sealed.tenant_id = t.tenant_id and not_sealed.position = coalesce(h.size, 0) + 1
        left join log.event not_archived on t.state = 'active'
            and not_archived.tenant_id = t.tenant_id and not_archived.position = coalesce(a.position, 0) + 1
        left join log.event not_verified on t.state = 'active'
            and not_verified.tenant_id = t.tenant_id and not_verified.position = coalesce(v.position, 0) + 1
        "#
    );
    let row = row.fetch_one(connection).await.map_err(Error::Heads)?;
    Ok(Totals {
        tenants: row.tenants,
        held: row.held,
        acked: row.acked,
        sealed: row.sealed,
        archived: row.archived,
        verified: row.verified,
        unsealed_since: row.unsealed.map(|at| at.to_jiff()),
        unarchived_since: row.unarchived.map(|at| at.to_jiff()),
        unverified_since: row.unverified.map(|at| at.to_jiff()),
    })
}
