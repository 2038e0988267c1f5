//! An organization.

use serde_json::{Value, json};

use super::moment;
use crate::{caller::Caller, read::organizations::Organization};

/// The absolute address of an organization.
pub(crate) fn url(caller: &Caller, organization_id: i64) -> String {
    caller.origin.url(&format!("/api/v2/organizations/{organization_id}.json"))
}

/// The organization as the API shows it.
pub(crate) fn organization(caller: &Caller, row: &Organization) -> Value {
    json!({
        "id": row.organization_id,
        "url": url(caller, row.organization_id),
        "name": row.name,
        "external_id": row.details["external_id"],
        "details": row.details["details"],
        "notes": row.details["notes"],
        "domain_names": row.domain_names,
        "group_id": row.group_id,
        "shared_tickets": false,
        "shared_comments": false,
        "tags": row.tags,
        "organization_fields": {},
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    })
}
