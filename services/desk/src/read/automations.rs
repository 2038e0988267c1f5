//! The tickets that time changes: those of which an automation's conditions hold, and those that were solved long ago.
//!
//! Two projections are asked, each of which may know of an event that the other does not. A ticket counts only where both are as of the
//! same version, and that version is the one that a command is to be about.

use domain::rule::{Asking, Conditions};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{RuleId, values::Status};
use sqlx::{PgConnection, QueryBuilder};

use super::views;

/// How often automations change a ticket at most, as the reference has it.
const UPDATES_MAX: i32 = 100;

/// Which tickets.
pub(crate) enum Matching<'a> {
    /// Those of which an automation's conditions hold, and to which it did nothing in this hour.
    Automation { conditions: &'a Conditions, asking: &'a Asking, rule: RuleId, hour: Timestamp },
    /// Those that are solved since before a moment.
    Solved { before: Timestamp },
}

impl<'a> Matching<'a> {
    /// Those of an automation.
    pub(crate) const fn conditions(
        (conditions, asking): (&'a Conditions, &'a Asking),
        (rule, hour): (RuleId, Timestamp),
    ) -> Self {
        Self::Automation { conditions, asking, rule, hour }
    }
}

/// So many tickets after one, with their versions, by their numbers. Nothing that is closed or deleted is among them.
pub(crate) async fn tickets(
    conn: &mut PgConnection,
    resident: &Resident,
    (matching, (after, limit)): (&Matching<'_>, (i64, i64)),
) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    let mut query = QueryBuilder::new(
        "select ticket_list.ticket_id, ticket_list.version from ticket_list join ticket_metric as metric
         on metric.tenant_id = ticket_list.tenant_id and metric.ticket_id = ticket_list.ticket_id and metric.version = ticket_list.version
         where ticket_list.deleted_at is null and ticket_list.tenant_id = ",
    );
    query.push_bind(resident.tenant_id().get()).push(" and ticket_list.status <> ").push_bind(Status::Closed.as_str());
    match matching {
        Matching::Automation { conditions, asking, rule, hour } => {
            query.push(" and metric.automation_updates < ").push_bind(UPDATES_MAX);
            query.push(" and coalesce((metric.automated ->> ").push_bind(rule.to_string());
            query.push(")::bigint, 0) < ").push_bind(hour.as_second());
            views::push_all(&mut query, conditions, asking);
        }
        Matching::Solved { before } => {
            query.push(" and metric.status = ").push_bind(Status::Solved.as_str());
            query.push(" and metric.status_updated_at <= ").push_bind(before.to_sqlx());
        }
    }
    query.push(" and ticket_list.ticket_id > ").push_bind(after);
    query.push(" order by ticket_list.ticket_id limit ").push_bind(limit);
    query.build_query_as().fetch_all(conn).await
}

/// How many tickets an automation changed since a moment.
pub(crate) async fn changed(
    conn: &mut PgConnection,
    resident: &Resident,
    (rule, since): (RuleId, Timestamp),
) -> Result<usize, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from ticket_metric where tenant_id = $1 and (automated ->> $2)::bigint >= $3"#,
        resident.tenant_id().get(),
        rule.to_string(),
        since.as_second(),
    );
    Ok(usize::try_from(count.fetch_one(conn).await?).unwrap_or_default())
}
