//! A group of agents.

use serde_json::{Value, json};

use super::moment;
use crate::{caller::Caller, read::groups::Group};

/// The absolute address of a group.
pub(crate) fn url(caller: &Caller, group_id: i64) -> String {
    caller.origin.url(&format!("/api/v2/groups/{group_id}.json"))
}

/// The group as the API shows it.
pub(crate) fn group(caller: &Caller, row: &Group) -> Value {
    json!({
        "id": row.group_id,
        "url": url(caller, row.group_id),
        "name": row.name,
        "description": row.description,
        "is_public": row.is_public,
        "default": row.is_default,
        "deleted": row.is_deleted,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    })
}
