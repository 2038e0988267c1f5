//! A person, whom the v2 API calls a user.

use serde_json::{Value, json};

use super::moment;
use crate::{caller::Caller, read::people::Person};

/// The absolute address of a user.
pub(crate) fn url(caller: &Caller, person_id: i64) -> String {
    caller.origin.url(&format!("/api/v2/users/{person_id}.json"))
}

/// What is shown of a deleted person: fewer attributes than of others.
const OF_DELETED: [&str; 15] = [
    "id",
    "url",
    "name",
    "email",
    "created_at",
    "updated_at",
    "time_zone",
    "phone",
    "shared_phone_number",
    "photo",
    "locale_id",
    "locale",
    "organization_id",
    "role",
    "active",
];

/// The person as the API shows those who were deleted.
pub(crate) fn deleted_user(caller: &Caller, row: &Person) -> Value {
    let mut shown = user(caller, row);
    if let Some(attributes) = shown.as_object_mut() {
        attributes.retain(|name, _| OF_DELETED.contains(&name.as_str()));
    }
    shown
}

/// The person as the API shows it.
pub(crate) fn user(caller: &Caller, row: &Person) -> Value {
    let is_end_user = row.role == "end-user";
    json!({
        "id": row.person_id,
        "url": url(caller, row.person_id),
        "name": row.name,
        "email": row.email,
        "role": row.role,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "active": row.is_active,
        "verified": false,
        "suspended": false,
        "shared": false,
        "shared_agent": false,
        "moderator": !is_end_user,
        "only_private_comments": false,
        "restricted_agent": is_end_user,
        "report_csv": false,
        "two_factor_auth_enabled": null,
        "shared_phone_number": null,
        "ticket_restriction": is_end_user.then_some("requested"),
        "time_zone": "UTC",
        "iana_time_zone": "Etc/UTC",
        "locale": "en-US",
        "locale_id": 1,
        "organization_id": null,
        "default_group_id": null,
        "custom_role_id": null,
        "role_type": null,
        "phone": null,
        "external_id": null,
        "alias": null,
        "details": null,
        "notes": null,
        "signature": null,
        "last_login_at": null,
        "photo": null,
        "tags": [],
        "user_fields": {},
    })
}
