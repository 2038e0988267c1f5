//! Organizations, and which of them has a domain. A deleted one has no row; what its members were is left to who reads them.

use std::collections::{BTreeMap, BTreeSet};

use jiff_sqlx::{Timestamp, ToSqlx};
use schemas::{
    OrganizationId, StreamName, TenantId, TenantLogEvent,
    organization::{OrganizationDetailSet, OrganizationEvent},
};
use serde_json::{Value, json};
use sqlx::error::BoxDynError;

use crate::{
    batch::{Applied, Payload},
    build::{Columns, OpenBuild, Row},
    error::ApplyError,
};

struct Organization {
    organization_id: i64,
    name: String,
    details: Value,
    domain_names: Vec<String>,
    tags: Vec<String>,
    group_id: Option<i64>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

struct Domain {
    place: String,
    organization_id: i64,
    domain: String,
}

pub(super) async fn apply(build: &mut OpenBuild, tenant: TenantId, events: &[Applied]) -> Result<(), ApplyError> {
    let organization_of = |event: &Applied| match event.envelope.stream {
        StreamName::Organization(organization) => Some(organization),
        _ => None,
    };
    let wanted: Vec<_> = events.iter().filter_map(|event| Some((organization_of(event)?, event))).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = wanted.iter().map(|(organization, _)| organization.get()).collect();
    let mut rows = load(build, tenant, &ids).await?;
    let known: BTreeSet<i64> = rows.keys().copied().collect();
    for (organization, applied) in wanted {
        // What is erased was an organization's that is deleted, or is about to be.
        if let Payload::Event(TenantLogEvent::Organization(event)) = &applied.payload {
            take(&mut rows, organization, (event, applied.envelope.recorded_at.to_sqlx()));
        }
    }
    remove(build, tenant, &ids, &known.iter().copied().filter(|id| !rows.contains_key(id)).collect::<Vec<_>>()).await?;
    let domains: Vec<Domain> = rows.values().flat_map(Organization::domains).collect();
    let (changed, new): (Vec<_>, Vec<_>) = rows.into_values().partition(|row| known.contains(&row.organization_id));
    build.put(&changed).await?;
    build.add(&new).await?;
    build.add(&domains).await?;
    Ok(())
}

fn take(rows: &mut BTreeMap<i64, Organization>, id: OrganizationId, (event, at): (&OrganizationEvent, Timestamp)) {
    match event {
        OrganizationEvent::OrganizationAdded(added) => {
            rows.insert(id.get(), Organization::new(id, added.name.expose(), at));
        }
        OrganizationEvent::OrganizationDeleted(_) => {
            rows.remove(&id.get());
        }
        change => {
            if let Some(row) = rows.get_mut(&id.get()) {
                row.take(change);
                row.updated_at = at;
            }
        }
    }
}

/// Takes deleted organizations out, and the domains of all that changed, which are written anew.
async fn remove(build: &mut OpenBuild, tenant: TenantId, changed: &[i64], gone: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from organization_domain where tenant_id = $1 and organization_id = any($2)",
        tenant.get(),
        changed
    )
    .execute(&mut *build)
    .await?;
    if !gone.is_empty() {
        sqlx::query!("delete from organization where tenant_id = $1 and organization_id = any($2)", tenant.get(), gone)
            .execute(&mut *build)
            .await?;
    }
    Ok(())
}

async fn load(
    build: &mut OpenBuild,
    tenant: TenantId,
    ids: &[i64],
) -> Result<BTreeMap<i64, Organization>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Organization,
        r#"select organization_id, name, details, domain_names, tags, group_id,
                  created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp"
           from organization where tenant_id = $1 and organization_id = any($2)"#,
        tenant.get(),
        ids,
    )
    .fetch_all(build)
    .await?;
    Ok(rows.into_iter().map(|row| (row.organization_id, row)).collect())
}

impl Organization {
    fn new(id: OrganizationId, name: &str, at: Timestamp) -> Self {
        Self {
            organization_id: id.get(),
            name: name.to_owned(),
            details: json!({}),
            domain_names: Vec::new(),
            tags: Vec::new(),
            group_id: None,
            created_at: at,
            updated_at: at,
        }
    }

    fn take(&mut self, event: &OrganizationEvent) {
        match event {
            OrganizationEvent::OrganizationAdded(_) | OrganizationEvent::OrganizationDeleted(_) => {}
            OrganizationEvent::OrganizationRenamed(event) => self.name.clone_from(event.name.expose()),
            OrganizationEvent::OrganizationDetailSet(event) => self.tell(event),
            OrganizationEvent::OrganizationDomainsSet(event) => {
                self.domain_names.clone_from(event.domain_names.expose())
            }
            OrganizationEvent::OrganizationTagsSet(event) => self.tags.clone_from(event.tags.expose()),
            OrganizationEvent::OrganizationGroupSet(event) => self.group_id = event.group.map(schemas::GroupId::get),
        }
    }

    fn tell(&mut self, event: &OrganizationDetailSet) {
        let Some(details) = self.details.as_object_mut() else { return };
        match event.value.expose() {
            Some(value) => details.insert(event.detail.to_string(), json!(value)),
            None => details.remove(event.detail.as_str()),
        };
    }

    fn domains(&self) -> impl Iterator<Item = Domain> {
        self.domain_names.iter().map(|domain| Domain {
            place: format!("{}:{domain}", self.organization_id),
            organization_id: self.organization_id,
            domain: domain.clone(),
        })
    }
}

impl Row for Organization {
    const TABLE: &'static str = "organization";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("organization_id", self.organization_id)?;
        to.value("name", self.name.as_str())?;
        to.value("details", &self.details)?;
        to.list("domain_names", &self.domain_names)?;
        to.list("tags", &self.tags)?;
        to.value("group_id", self.group_id)?;
        to.value("created_at", self.created_at)?;
        to.value("updated_at", self.updated_at)
    }
}

impl Row for Domain {
    const TABLE: &'static str = "organization_domain";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("place", self.place.as_str())?;
        to.value("organization_id", self.organization_id)?;
        to.value("domain", self.domain.as_str())
    }
}
