//! Groups of agents, from the projection `account`.

use jiff::Timestamp;
use regions::Resident;
use schemas::GroupId;
use sqlx::PgConnection;

use super::Window;

/// One group.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) group_id: i64,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
}

/// The ids of a window of the groups.
pub(crate) async fn ids(conn: &mut PgConnection, resident: &Resident, window: Window) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select group_id as "group_id!" from (
               (select group_id from agent_group
                where tenant_id = $1 and $3::bigint is null and group_id > $2
                order by group_id limit $4 offset $5)
               union all
               (select group_id from agent_group
                where tenant_id = $1 and group_id < $3
                order by group_id desc limit $4)
           ) as page order by group_id"#,
        resident.tenant_id().get(),
        window.after,
        window.before,
        window.limit,
        window.offset,
    )
    .fetch_all(conn)
    .await
}

/// How many groups there are.
pub(crate) async fn count(conn: &mut PgConnection, resident: &Resident) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from agent_group where tenant_id = $1"#,
        resident.tenant_id().get(),
    )
    .fetch_one(conn)
    .await
}

/// Those of these groups that exist, by id.
pub(crate) async fn many(conn: &mut PgConnection, resident: &Resident, ids: &[i64]) -> Result<Vec<Group>, sqlx::Error> {
    sqlx::query_as!(
        Group,
        r#"select group_id, name, created_at as "created_at: jiff_sqlx::Timestamp"
           from agent_group where tenant_id = $1 and group_id = any($2) order by group_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// One group.
pub(crate) async fn one(
    conn: &mut PgConnection,
    resident: &Resident,
    group: GroupId,
) -> Result<Option<Group>, sqlx::Error> {
    Ok(many(conn, resident, &[group.get()]).await?.pop())
}
