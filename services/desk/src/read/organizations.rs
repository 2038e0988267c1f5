//! Organizations, from the projection `people`.

use jiff::Timestamp;
use regions::Resident;
use schemas::OrganizationId;
use serde_json::Value;
use sqlx::PgConnection;

use super::List;

/// One organization.
#[derive(Clone, PartialEq)]
pub(crate) struct Organization {
    pub(crate) organization_id: i64,
    pub(crate) name: String,
    /// `details`, `notes`, `external_id`: those there are.
    pub(crate) details: Value,
    pub(crate) domain_names: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) group_id: Option<i64>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// Which organizations a list holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// All.
    All,
    /// Those a person belongs to.
    Of(i64),
    /// The one with a name, whatever its case.
    Named(String),
    /// Those whose names begin so, whatever their case.
    Beginning(String),
    /// Those with these ids elsewhere, whatever their case.
    External(Vec<String>),
}

/// The list of them.
pub(crate) fn list(which: Which) -> List {
    List::new(("organization", "organization_id"), move |statement| {
        match &which {
            Which::All => statement,
            Which::Of(person) => statement
                .push(" and exists (select from membership where membership.tenant_id = organization.tenant_id")
                .push(" and membership.organization_id = organization.organization_id and membership.person_id = ")
                .push_bind(*person)
                .push(")"),
            Which::Named(name) => {
                statement.push(" and lower(organization.name) = lower(").push_bind(name.clone()).push(")")
            }
            Which::Beginning(prefix) => {
                statement.push(" and lower(organization.name) like ").push_bind(beginning_with(prefix))
            }
            Which::External(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| id.to_lowercase()).collect();
                statement
                    .push(" and organization.details ? 'external_id'")
                    .push(" and lower(organization.details ->> 'external_id') = any(")
                    .push_bind(ids)
                    .push(")")
            }
        };
    })
}

/// A pattern for what begins so in lower case.
pub(crate) fn beginning_with(prefix: &str) -> String {
    let escaped = prefix.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("{escaped}%")
}

/// Those of these organizations that exist, by id.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Organization>, sqlx::Error> {
    sqlx::query_as!(
        Organization,
        r#"select organization_id, name, details, domain_names, tags, group_id,
                  created_at as "created_at: jiff_sqlx::Timestamp", updated_at as "updated_at: jiff_sqlx::Timestamp"
           from organization where tenant_id = $1 and organization_id = any($2) order by organization_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// One organization.
pub(crate) async fn one(
    conn: &mut PgConnection,
    resident: &Resident,
    organization: OrganizationId,
) -> Result<Option<Organization>, sqlx::Error> {
    Ok(many(conn, resident, &[organization.get()]).await?.pop())
}

/// The oldest organization with a domain.
pub(crate) async fn with_domain(
    conn: &mut PgConnection,
    resident: &Resident,
    domain: &str,
) -> Result<Option<OrganizationId>, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "select organization_id from organization_domain where tenant_id = $1 and domain = $2
         order by organization_id limit 1",
        resident.tenant_id().get(),
        domain,
    );
    Ok(found.fetch_optional(conn).await?.map(OrganizationId::new))
}

/// How many tickets the people have requested who belong to an organization.
pub(crate) async fn tickets(
    conn: &mut PgConnection,
    resident: &Resident,
    organization: OrganizationId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from membership
           join ticket_list on ticket_list.tenant_id = $1 and ticket_list.requester_id = membership.person_id
             and ticket_list.deleted_at is null
           where membership.tenant_id = $1 and membership.organization_id = $2"#,
        resident.tenant_id().get(),
        organization.get(),
    )
    .fetch_one(conn)
    .await
}

/// How many people belong to an organization.
pub(crate) async fn people(
    conn: &mut PgConnection,
    resident: &Resident,
    organization: OrganizationId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from membership where tenant_id = $1 and organization_id = $2"#,
        resident.tenant_id().get(),
        organization.get(),
    )
    .fetch_one(conn)
    .await
}
