//! The audit log, from the projection `audit_log`. Newest first or oldest first: a key is the id, or the id below zero.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use super::Window;

/// One thing that somebody did.
#[derive(FromRow)]
pub(crate) struct AuditLog {
    pub(crate) audit_log_id: i64,
    pub(crate) action: String,
    pub(crate) source_type: String,
    pub(crate) source_id: i64,
    pub(crate) source_label: String,
    pub(crate) changes: serde_json::Value,
    pub(crate) actor_id: Option<i64>,
    pub(crate) means: Option<String>,
    pub(crate) token_id: Option<i64>,
    pub(crate) ip_address: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) created_at: jiff_sqlx::Timestamp,
}

/// What the list is narrowed to, and which way it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) source_type: Option<String>,
    pub(crate) source_id: Option<i64>,
    pub(crate) actor_id: Option<i64>,
    pub(crate) ip_address: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) created: Option<(Timestamp, Timestamp)>,
    pub(crate) is_oldest_first: bool,
}

impl Filter {
    /// Ends a statement that began with its columns.
    fn conditions(&self, statement: &mut QueryBuilder<Postgres>, resident: &Resident) {
        statement.push(" from audit_log where tenant_id = ").push_bind(resident.tenant_id().get());
        for (column, wanted) in [
            (" and source_type = ", &self.source_type),
            (" and ip_address = ", &self.ip_address),
            (" and action = ", &self.action),
        ] {
            if let Some(wanted) = wanted {
                statement.push(column).push_bind(wanted.clone());
            }
        }
        for (column, wanted) in [(" and source_id = ", self.source_id), (" and actor_id = ", self.actor_id)] {
            if let Some(wanted) = wanted {
                statement.push(column).push_bind(wanted);
            }
        }
        if let Some((from, to)) = self.created {
            statement.push(" and created_at between ").push_bind(from.to_sqlx());
            statement.push(" and ").push_bind(to.to_sqlx());
        }
    }
}

/// The keys of a window of what passes the filter, sorted.
pub(crate) async fn keys(
    conn: &mut PgConnection,
    resident: &Resident,
    filter: &Filter,
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    let sign = if filter.is_oldest_first { 1 } else { -1 };
    let mut statement = QueryBuilder::new("select audit_log_id");
    filter.conditions(&mut statement, resident);
    let is_ascending = window.before.is_none() == filter.is_oldest_first;
    let (compared, order) = if is_ascending { (">", "") } else { ("<", " desc") };
    if let Some(beyond) = window.before.or((window.after != 0).then_some(window.after)) {
        statement.push(" and audit_log_id ").push(compared).push(" ").push_bind(sign * beyond);
    }
    statement.push(" order by audit_log_id").push(order).push(" limit ").push_bind(window.limit);
    statement.push(" offset ").push_bind(window.offset);
    let ids: Vec<i64> = statement.build_query_scalar().fetch_all(conn).await?;
    let mut keys: Vec<i64> = ids.into_iter().map(|id| sign * id).collect();
    keys.sort_unstable();
    Ok(keys)
}

/// How much passes the filter.
pub(crate) async fn count(conn: &mut PgConnection, resident: &Resident, filter: &Filter) -> Result<i64, sqlx::Error> {
    let mut statement = QueryBuilder::new("select count(*)");
    filter.conditions(&mut statement, resident);
    statement.build_query_scalar().fetch_one(conn).await
}

/// The rows of these keys, in their order.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    keys: &[i64],
) -> Result<Vec<AuditLog>, sqlx::Error> {
    let ids: Vec<i64> = keys.iter().map(|key| key.abs()).collect();
    let mut statement = QueryBuilder::<Postgres>::new(
        "select audit_log_id, action, source_type, source_id, source_label, changes, actor_id, means, token_id, ip_address,
                client, created_at
         from audit_log where tenant_id = ",
    );
    statement.push_bind(resident.tenant_id().get()).push(" and audit_log_id = any(").push_bind(&ids);
    statement.push(") order by array_position(").push_bind(&ids).push(", audit_log_id)");
    statement.build_query_as().fetch_all(conn).await
}
