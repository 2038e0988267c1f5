//! People, from the projection `people`. Credentials stay out: only the caller's check reads those.

use jiff::Timestamp;
use regions::Resident;
use schemas::{PersonId, values::PersonDetail};
use serde_json::Value;
use sqlx::PgConnection;

use super::{List, Window, memberships::Kind, organizations::beginning_with};

/// One person's profile.
#[derive(Clone, PartialEq)]
pub(crate) struct Person {
    pub(crate) person_id: i64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) role: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Whether the person was not deleted. The id of a deleted one still leads here, and nothing else does.
    pub(crate) is_active: bool,
    pub(crate) is_suspended: bool,
    /// Whether the primary address is known to be the person's.
    pub(crate) is_verified: bool,
    /// Phone, notes, time zone and so on: those there are, by their names in the API.
    pub(crate) details: Value,
    pub(crate) tags: Vec<String>,
    /// The default organization.
    pub(crate) organization_id: Option<i64>,
    /// The default group.
    pub(crate) default_group_id: Option<i64>,
}

impl Person {
    /// Something that the profile tells.
    pub(crate) fn detail(&self, detail: PersonDetail) -> Option<&str> {
        self.details[detail.as_str()].as_str()
    }
}

/// What a list of people is narrowed to. Auditors are no users: they are listed with their grants, and where they were deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// People with one of these roles.
    pub(crate) roles: Option<Vec<String>>,
    /// The person with this address, in lower case.
    pub(crate) email: Option<String>,
    /// People whose name or address holds this text, whatever its case.
    pub(crate) text: Option<String>,
    /// Deleted people instead of the others.
    pub(crate) deleted: bool,
}

/// Some people who are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those who belong to an organization or a group.
    Of(Kind, i64),
    /// Those whose names, or addresses, begin so, whatever their case.
    Beginning(String),
    /// Those with these ids elsewhere, whatever their case.
    External(Vec<String>),
}

/// The list of them.
pub(crate) fn list(which: Which) -> List {
    List::new(("person", "person_id"), move |statement| {
        statement.push(" and person.deleted_at is null and person.role <> 'auditor'");
        match &which {
            Which::Of(kind, id) => statement
                .push(" and exists (select from membership where membership.tenant_id = person.tenant_id")
                .push(format_args!(" and membership.person_id = person.person_id and membership.{} = ", kind.column()))
                .push_bind(*id)
                .push(")"),
            Which::Beginning(prefix) => statement
                .push(" and (lower(person.name) like ")
                .push_bind(beginning_with(prefix))
                .push(" or person.email like ")
                .push_bind(beginning_with(prefix))
                .push(")"),
            Which::External(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| id.to_lowercase()).collect();
                statement
                    .push(" and person.details ? 'external_id' and lower(person.details ->> 'external_id') = any(")
                    .push_bind(ids)
                    .push(")")
            }
        };
    })
}

/// The ids of a window of the people who pass the filter.
pub(crate) async fn ids(
    conn: &mut PgConnection,
    resident: &Resident,
    filter: &Filter,
    window: Window,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select person_id as "person_id!" from (
               (select person_id from person
                where tenant_id = $1 and $3::bigint is null and person_id > $2
                  and ($4::text[] is null or role = any($4)) and ($5::text is null or exists (select from identity where identity.tenant_id = $1
                       and identity.person_id = person.person_id and identity.value = $5))
                  and ($6::text is null or position(lower($6) in lower(name)) > 0 or position(lower($6) in email) > 0)
                  and (deleted_at is not null) = $9 and (role <> 'auditor' or $9)
                order by person_id limit $7 offset $8)
               union all
               (select person_id from person
                where tenant_id = $1 and person_id < $3
                  and ($4::text[] is null or role = any($4)) and ($5::text is null or exists (select from identity where identity.tenant_id = $1
                       and identity.person_id = person.person_id and identity.value = $5))
                  and ($6::text is null or position(lower($6) in lower(name)) > 0 or position(lower($6) in email) > 0)
                  and (deleted_at is not null) = $9 and (role <> 'auditor' or $9)
                order by person_id desc limit $7)
           ) as page order by person_id"#,
        resident.tenant_id().get(),
        window.after,
        window.before,
        filter.roles.as_deref(),
        filter.email.as_deref(),
        filter.text.as_deref(),
        window.limit,
        window.offset,
        filter.deleted,
    )
    .fetch_all(conn)
    .await
}

/// How many people pass the filter.
pub(crate) async fn count(conn: &mut PgConnection, resident: &Resident, filter: &Filter) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from person
           where tenant_id = $1
             and ($2::text[] is null or role = any($2)) and ($3::text is null or exists (select from identity
                  where identity.tenant_id = $1 and identity.person_id = person.person_id and identity.value = $3))
             and ($4::text is null or position(lower($4) in lower(name)) > 0 or position(lower($4) in email) > 0)
             and (deleted_at is not null) = $5 and (role <> 'auditor' or $5)"#,
        resident.tenant_id().get(),
        filter.roles.as_deref(),
        filter.email.as_deref(),
        filter.text.as_deref(),
        filter.deleted,
    )
    .fetch_one(conn)
    .await
}

/// Those of these people who exist, by id.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Person>, sqlx::Error> {
    sqlx::query_as!(
        Person,
        r#"select person_id, name, email, role, created_at as "created_at: jiff_sqlx::Timestamp",
                  updated_at as "updated_at: jiff_sqlx::Timestamp", deleted_at is null as "is_active!",
                  suspended_at is not null as "is_suspended!", details, tags,
                  exists (select from identity where identity.tenant_id = $1 and identity.person_id = person.person_id
                          and identity.is_primary and identity.is_verified) as "is_verified!",
                  (select membership.organization_id from membership
                   join organization on organization.tenant_id = $1
                     and organization.organization_id = membership.organization_id
                   where membership.tenant_id = $1 and membership.person_id = person.person_id
                   order by membership.is_chosen desc, membership.membership_id limit 1) as organization_id,
                  (select membership.group_id from membership
                   join agent_group on agent_group.tenant_id = $1 and agent_group.group_id = membership.group_id
                     and agent_group.deleted_at is null
                   where membership.tenant_id = $1 and membership.person_id = person.person_id
                   order by membership.is_chosen desc, membership.membership_id limit 1) as default_group_id
           from person where tenant_id = $1 and person_id = any($2) order by person_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// The admins who are there.
pub(crate) async fn admins(conn: &mut PgConnection, resident: &Resident) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select person_id from person where tenant_id = $1 and role = 'admin' and deleted_at is null order by person_id",
        resident.tenant_id().get(),
    )
    .fetch_all(conn)
    .await
}

/// One person.
pub(crate) async fn one(
    conn: &mut PgConnection,
    resident: &Resident,
    person: PersonId,
) -> Result<Option<Person>, sqlx::Error> {
    Ok(many(conn, resident, &[person.get()]).await?.pop())
}
