//! By what a user is reached and known.

use serde_json::{Value, json};

use super::moment;
use crate::{caller::Caller, read::identities::Identity};

/// The identity as the API shows it.
pub(crate) fn identity(caller: &Caller, row: &Identity) -> Value {
    let path = format!("/api/v2/users/{}/identities/{}.json", row.person_id, row.identity_id);
    json!({
        "id": row.identity_id,
        "url": caller.origin.url(&path),
        "user_id": row.person_id,
        "type": row.kind,
        "value": row.value,
        "verified": row.is_verified,
        "primary": row.is_primary,
        "deliverable_state": "deliverable",
        "undeliverable_count": 0,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    })
}
