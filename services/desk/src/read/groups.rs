//! Groups of agents, from the projection `account`.

use domain::search::{Indexed, Sought};
use jiff::Timestamp;
use regions::Resident;
use schemas::{GroupId, PersonId};
use sqlx::PgConnection;

use super::List;

/// One group; also a deleted one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) group_id: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_public: bool,
    /// Whether it stands first in the tenant.
    pub(crate) is_default: bool,
    pub(crate) is_deleted: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The groups there are; of a person, those they belong to.
pub(crate) fn list(of: Option<PersonId>) -> List {
    List::new(("agent_group", "group_id"), move |statement| {
        statement.push(" and agent_group.deleted_at is null");
        if let Some(person) = of {
            statement
                .push(" and exists (select from membership where membership.tenant_id = agent_group.tenant_id")
                .push(" and membership.group_id = agent_group.group_id and membership.person_id = ")
                .push_bind(person.get())
                .push(")");
        }
    })
}

/// Those of these groups that exist, by id.
pub(crate) async fn many(conn: &mut PgConnection, resident: &Resident, ids: &[i64]) -> Result<Vec<Group>, sqlx::Error> {
    sqlx::query_as!(
        Group,
        r#"select group_id, name, description, is_public,
                  group_id = (select first.group_id from agent_group as first
                              left join account on account.tenant_id = $1
                              where first.tenant_id = $1 and first.deleted_at is null
                              order by first.group_id = account.chosen_group_id desc nulls last, first.group_id limit 1)
                      is true as "is_default!",
                  deleted_at is not null as "is_deleted!",
                  created_at as "created_at: jiff_sqlx::Timestamp",
                  coalesce(changed_at, created_at) as "updated_at!: jiff_sqlx::Timestamp"
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

/// By which words a group is found.
pub(crate) struct Names {
    /// Which.
    pub(crate) group_id: i64,
    name: Vec<Indexed>,
    description: Vec<Indexed>,
}

impl Names {
    /// Whether its name holds what is sought.
    pub(crate) fn has(&self, sought: &Sought) -> bool {
        sought.is_in(&self.name)
    }

    /// Whether its description does.
    pub(crate) fn is_described_with(&self, sought: &Sought) -> bool {
        sought.is_in(&self.description)
    }
}

/// Those of all groups there are.
pub(crate) async fn names(conn: &mut PgConnection, resident: &Resident) -> Result<Vec<Names>, sqlx::Error> {
    let rows = sqlx::query!(
        "select group_id, name, description from agent_group where tenant_id = $1 and deleted_at is null",
        resident.tenant_id().get(),
    );
    let rows = rows.fetch_all(conn).await?.into_iter();
    let names = rows.map(|row| Names {
        group_id: row.group_id,
        name: Indexed::of(&row.name),
        description: Indexed::of(&row.description),
    });
    Ok(names.collect())
}
