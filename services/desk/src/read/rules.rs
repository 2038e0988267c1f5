//! Views, macros and triggers, from the projection `rules`: those that whoever asks may see.

use domain::ticket::By;
use jiff_sqlx::Timestamp;
use regions::Resident;
use schemas::{
    GroupId, PersonId,
    rule::{Audience, RuleDefinition},
    values::{Role, RuleKind},
};
use sqlx::{PgConnection, Postgres, QueryBuilder, types::Json};

use super::List;

/// One rule.
#[derive(Clone, sqlx::FromRow)]
pub(crate) struct Rule {
    pub(crate) rule_id: i64,
    pub(crate) owner_id: Option<i64>,
    pub(crate) group_ids: Vec<i64>,
    pub(crate) definition: Json<RuleDefinition>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Which rules a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Those of this kind.
    pub(crate) kind: RuleKind,
    /// Of these, those that this person may see: their own and what is shared with them. Admins see all that is shared.
    pub(crate) seen_by: By,
    /// Whether others' own ones are there as well: for who may delete them, and shows them to nobody.
    pub(crate) has_others_own: bool,
    /// Of these, those that are in use, or are not.
    pub(crate) is_active: Option<bool>,
    /// Of these, those that are shared with everybody, with groups, or their own.
    pub(crate) access: Option<Access>,
    /// Of these, those that this group shares.
    pub(crate) group: Option<GroupId>,
}

/// How a rule is shared, in the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// With everybody or with groups.
    Shared,
    /// With everybody.
    Account,
    /// With nobody.
    Personal,
}

impl Rule {
    /// Whose it is.
    pub(crate) fn audience(&self) -> Audience {
        match self.owner_id {
            Some(owner) => Audience::Person(PersonId::new(owner)),
            None if self.group_ids.is_empty() => Audience::Everybody,
            None => Audience::Groups(self.group_ids.iter().copied().map(GroupId::new).collect()),
        }
    }
}

impl Filter {
    /// All of a kind that somebody may see.
    pub(crate) const fn of(kind: RuleKind, seen_by: By) -> Self {
        Self { kind, seen_by, has_others_own: false, is_active: None, access: None, group: None }
    }

    fn push(self, statement: &mut QueryBuilder<Postgres>) {
        statement.push(" and rule.kind = ").push_bind(self.kind.as_str());
        let person = self.seen_by.person.get();
        statement.push(" and (rule.owner_id = ").push_bind(person).push(" or ").push_bind(self.has_others_own);
        statement.push(" or (rule.owner_id is null");
        if self.seen_by.role == Role::Agent {
            statement
                .push(" and (rule.group_ids = '{}' or exists (select from membership where membership.tenant_id = rule.tenant_id")
                .push(" and membership.group_id = any(rule.group_ids) and membership.person_id = ")
                .push_bind(person)
                .push("))");
        }
        statement.push("))");
        if let Some(is_active) = self.is_active {
            statement.push(" and rule.is_active = ").push_bind(is_active);
        }
        if let Some(access) = self.access {
            statement.push(match access {
                Access::Shared => " and rule.owner_id is null",
                Access::Account => " and rule.owner_id is null and rule.group_ids = '{}'",
                Access::Personal => " and rule.owner_id is not null",
            });
        }
        if let Some(group) = self.group {
            statement.push(" and ").push_bind(group.get()).push(" = any(rule.group_ids)");
        }
    }
}

/// The rules that pass a filter, by their places.
pub(crate) fn list(filter: Filter) -> List {
    List::new(("rule", "rule_id"), move |statement| filter.push(statement)).ordered("rule.position".to_owned())
}

/// Those of these rules that pass a filter, in the order of `ids`.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    (filter, ids): (Filter, &[i64]),
) -> Result<Vec<Rule>, sqlx::Error> {
    let mut statement = QueryBuilder::new(
        "select rule_id, owner_id, group_ids, definition, created_at, updated_at from rule where rule.tenant_id = ",
    );
    statement.push_bind(resident.tenant_id().get());
    filter.push(&mut statement);
    statement.push(" and rule_id = any(").push_bind(ids.to_vec());
    statement.push(") order by array_position(").push_bind(ids.to_vec()).push(", rule_id)");
    statement.build_query_as().fetch_all(conn).await
}

/// A rule that is in use.
pub(crate) struct InUse {
    pub(crate) rule_id: i64,
    pub(crate) definition: Json<RuleDefinition>,
    pub(crate) updated_at: jiff::Timestamp,
}

/// The triggers that are in use, in their order, at most so many.
pub(crate) async fn triggers(
    conn: &mut PgConnection,
    resident: &Resident,
    most: i64,
) -> Result<Vec<InUse>, sqlx::Error> {
    sqlx::query_as!(
        InUse,
        r#"select rule_id, definition as "definition: Json<RuleDefinition>", updated_at as "updated_at: jiff_sqlx::Timestamp"
           from rule where tenant_id = $1 and kind = 'trigger' and is_active order by position, rule_id limit $2"#,
        resident.tenant_id().get(),
        most,
    )
    .fetch_all(conn)
    .await
}

/// The automations that are in use, in their order, at most so many.
pub(crate) async fn automations(
    conn: &mut PgConnection,
    resident: &Resident,
    most: i64,
) -> Result<Vec<InUse>, sqlx::Error> {
    sqlx::query_as!(
        InUse,
        r#"select rule_id, definition as "definition: Json<RuleDefinition>", updated_at as "updated_at: jiff_sqlx::Timestamp"
           from rule where tenant_id = $1 and kind = 'automation' and is_active order by position, rule_id limit $2"#,
        resident.tenant_id().get(),
        most,
    )
    .fetch_all(conn)
    .await
}

/// All triggers that there are.
pub(crate) async fn trigger_ids(conn: &mut PgConnection, resident: &Resident) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select rule_id from rule where tenant_id = $1 and kind = 'trigger' order by position, rule_id",
        resident.tenant_id().get(),
    )
    .fetch_all(conn)
    .await
}

/// The groups that somebody belongs to.
pub(crate) async fn groups_of(
    conn: &mut PgConnection,
    resident: &Resident,
    person: PersonId,
) -> Result<Vec<GroupId>, sqlx::Error> {
    let groups = sqlx::query_scalar!(
        r#"select agent_group.group_id from membership
           join agent_group on agent_group.tenant_id = $1 and agent_group.group_id = membership.group_id
           where membership.tenant_id = $1 and membership.person_id = $2 and agent_group.deleted_at is null"#,
        resident.tenant_id().get(),
        person.get(),
    );
    Ok(groups.fetch_all(conn).await?.into_iter().map(GroupId::new).collect())
}
