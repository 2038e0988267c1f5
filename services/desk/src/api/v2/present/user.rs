//! A person, whom the v2 API calls a user.

use domain::text;
use schemas::values::PersonDetail;
use serde_json::{Value, json};

use super::moment;
use crate::{caller::Caller, read::people::Person};

/// The language of whoever never said one.
const DEFAULT_LOCALE: &str = "en-US";

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
    only(user(caller, row), &OF_DELETED)
}

fn only(mut shown: Value, names: &[&str]) -> Value {
    if let Some(attributes) = shown.as_object_mut() {
        attributes.retain(|name, _| names.contains(&name.as_str()));
    }
    shown
}

/// The person as the API shows it.
pub(crate) fn user(caller: &Caller, row: &Person) -> Value {
    let shown = whole(caller, row);
    if caller.is_insider() { shown } else { only(shown, &END_USER_VIEW) }
}

/// What end users see, of themselves and of others: who somebody is, and nothing that agents write down.
const END_USER_VIEW: [&str; 16] = [
    "id",
    "url",
    "name",
    "email",
    "created_at",
    "updated_at",
    "time_zone",
    "iana_time_zone",
    "phone",
    "shared_phone_number",
    "photo",
    "locale_id",
    "locale",
    "organization_id",
    "role",
    "verified",
];

fn whole(caller: &Caller, row: &Person) -> Value {
    let is_end_user = row.role == "end-user";
    let time_zone = row.detail(PersonDetail::TimeZone).unwrap_or(text::DEFAULT_TIME_ZONE);
    let locale = row.detail(PersonDetail::Locale).unwrap_or(DEFAULT_LOCALE);
    json!({
        "id": row.person_id,
        "url": url(caller, row.person_id),
        "name": row.name,
        "email": row.email,
        "role": row.role,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "active": row.is_active,
        "verified": row.is_verified,
        "suspended": row.is_suspended,
        "shared": false,
        "shared_agent": false,
        "moderator": !is_end_user,
        "only_private_comments": false,
        "restricted_agent": is_end_user,
        "report_csv": false,
        "two_factor_auth_enabled": null,
        "shared_phone_number": null,
        "ticket_restriction": is_end_user.then_some("requested"),
        "time_zone": time_zone,
        "iana_time_zone": text::iana_name(time_zone),
        "locale": locale,
        "locale_id": text::locale_id(locale),
        "organization_id": row.organization_id,
        "default_group_id": row.default_group_id,
        "custom_role_id": null,
        "role_type": null,
        "phone": row.detail(PersonDetail::Phone),
        "external_id": row.detail(PersonDetail::ExternalId),
        "alias": row.detail(PersonDetail::Alias),
        "details": row.detail(PersonDetail::Details),
        "notes": row.detail(PersonDetail::Notes),
        "signature": row.detail(PersonDetail::Signature),
        "last_login_at": null,
        "photo": null,
        "tags": row.tags,
        "user_fields": {},
    })
}
