//! Memberships of both kinds.

use serde_json::{Value, json};

use super::moment;
use crate::{
    caller::Caller,
    read::memberships::{Kind, Membership},
};

/// What the API calls them.
pub(crate) const fn root(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Organization => ("organization_membership", "organization_memberships"),
        Kind::Group => ("group_membership", "group_memberships"),
    }
}

/// The absolute address of a membership.
pub(crate) fn url(caller: &Caller, kind: Kind, membership_id: i64) -> String {
    caller.origin.url(&format!("/api/v2/{}/{membership_id}.json", root(kind).1))
}

/// The membership as the API shows it. That an organization is not the default one is written as null, as clients know it.
pub(crate) fn membership(caller: &Caller, kind: Kind, row: &Membership) -> Value {
    let mut shown = json!({
        "id": row.membership_id,
        "url": url(caller, kind, row.membership_id),
        "user_id": row.person_id,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    });
    match kind {
        Kind::Organization => {
            shown["organization_id"] = json!(row.organization_id);
            shown["organization_name"] = json!(row.organization_name);
            shown["default"] = json!(row.is_default.then_some(true));
            shown["view_tickets"] = json!(false);
        }
        Kind::Group => {
            shown["group_id"] = json!(row.group_id);
            shown["default"] = json!(row.is_default);
        }
    }
    shown
}
