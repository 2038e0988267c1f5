//! Who belongs to which organization or group, from the projection `people`. Memberships of what was deleted are as if they were not.

use jiff::Timestamp;
use regions::Resident;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::List;

/// To what memberships lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To organizations.
    Organization,
    /// To groups of agents.
    Group,
}

/// One membership.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) membership_id: i64,
    pub(crate) person_id: i64,
    pub(crate) organization_id: Option<i64>,
    pub(crate) organization_name: Option<String>,
    pub(crate) group_id: Option<i64>,
    /// Whether it is the person's default among its kind.
    pub(crate) is_default: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Which memberships a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// All of the kind.
    All,
    /// A person's.
    Of(i64),
    /// Those that lead to this one.
    To(i64),
}

impl Kind {
    /// The column that holds what it leads to.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::Organization => "organization_id",
            Self::Group => "group_id",
        }
    }

    /// That a membership is of this kind, and what it leads to is there.
    pub(super) fn that_is_there(self, statement: &mut QueryBuilder<Postgres>) {
        statement.push(match self {
            Self::Organization => {
                " and membership.organization_id is not null and exists (select from organization
                 where organization.tenant_id = membership.tenant_id
                   and organization.organization_id = membership.organization_id)"
            }
            Self::Group => {
                " and membership.group_id is not null and exists (select from agent_group
                 where agent_group.tenant_id = membership.tenant_id and agent_group.group_id = membership.group_id
                   and agent_group.deleted_at is null)"
            }
        });
    }
}

/// The list of them.
pub(crate) fn list(kind: Kind, which: Which) -> List {
    List::new(("membership", "membership_id"), move |statement| {
        match which {
            Which::All => {}
            Which::Of(person) => {
                statement.push(" and membership.person_id = ").push_bind(person);
            }
            Which::To(id) => {
                statement.push(format_args!(" and membership.{} = ", kind.column())).push_bind(id);
            }
        }
        kind.that_is_there(statement);
    })
}

/// Those of these memberships that exist, by id.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Membership>, sqlx::Error> {
    sqlx::query_as!(
        Membership,
        r#"select membership_id, person_id, membership.organization_id, organization.name as "organization_name?",
                  membership.group_id,
                  membership_id = (
                      select other.membership_id from membership as other
                      where other.tenant_id = $1 and other.person_id = membership.person_id
                        and (other.group_id is null) = (membership.group_id is null)
                        and (exists (select from organization as of_other where of_other.tenant_id = $1
                                     and of_other.organization_id = other.organization_id)
                             or exists (select from agent_group as of_other where of_other.tenant_id = $1
                                        and of_other.group_id = other.group_id and of_other.deleted_at is null))
                      order by other.is_chosen desc, other.membership_id limit 1) as "is_default!",
                  membership.created_at as "created_at: jiff_sqlx::Timestamp",
                  membership.updated_at as "updated_at: jiff_sqlx::Timestamp"
           from membership
           left join organization on organization.tenant_id = membership.tenant_id
             and organization.organization_id = membership.organization_id
           left join agent_group on agent_group.tenant_id = membership.tenant_id
             and agent_group.group_id = membership.group_id
           where membership.tenant_id = $1 and membership_id = any($2)
             and (organization.organization_id is not null
                  or (agent_group.group_id is not null and agent_group.deleted_at is null))
           order by membership_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}
