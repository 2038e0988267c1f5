//! People, from the projection `people`. Credentials stay out: only the caller's check reads those.

use jiff::Timestamp;
use regions::Resident;
use schemas::PersonId;
use sqlx::PgConnection;

use super::Window;

/// One person's profile.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) person_id: i64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) role: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Whether the person was not deleted. The id of a deleted one still leads here, and nothing else does.
    pub(crate) is_active: bool,
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
                  and ($4::text[] is null or role = any($4)) and ($5::text is null or email = $5)
                  and ($6::text is null or position(lower($6) in lower(name)) > 0 or position(lower($6) in email) > 0)
                  and (deleted_at is not null) = $9 and (role <> 'auditor' or $9)
                order by person_id limit $7 offset $8)
               union all
               (select person_id from person
                where tenant_id = $1 and person_id < $3
                  and ($4::text[] is null or role = any($4)) and ($5::text is null or email = $5)
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
             and ($2::text[] is null or role = any($2)) and ($3::text is null or email = $3)
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
                  updated_at as "updated_at: jiff_sqlx::Timestamp", deleted_at is null as "is_active!"
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
