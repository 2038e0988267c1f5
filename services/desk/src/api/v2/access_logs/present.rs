//! An entry as the API shows it, its id, and its cursor.
//!
//! The id is a ULID (48 bits of milliseconds, then 80 bits) whose last 80 bits say where the entry is: the version of the event
//! in the stream of the day (56 bits), and the index in it (24 bits). So ids sort by time, and nothing need be kept for them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use regions::Resident;
use schemas::{
    access::Access,
    values::{Means, ReadKind},
};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    read::accesses::{Entry, Place},
};

/// Crockford's base 32, as ULIDs are written.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_LENGTH: usize = 26;

/// The entry. What is left of an erased one is its time.
pub(super) fn entry(caller: &Caller, entry: &Entry) -> Value {
    let Some(access) = &entry.access else {
        return json!({
            "id": id(entry), "timestamp": entry.at, "user_id": null, "authorization_type": null, "ip_address": null,
            "client": null, "referer": null, "url": null, "method": null, "status": null, "bytes_sent": null,
            "category": "erased", "summary": "[erased]", "graphql": null, "read_ids": [], "actor": null, "reason": null,
        });
    };
    json!({
        "id": id(entry),
        "timestamp": access.at,
        "user_id": access.actor,
        "authorization_type": authorization(access.means),
        "ip_address": access.address,
        "client": access.client,
        "referer": access.referer,
        "url": url(caller, access),
        "method": access.method,
        "status": access.status,
        "bytes_sent": access.bytes_sent,
        "category": access.kind,
        "summary": summary(access),
        "graphql": null,
        "means": access.means,
        "token_id": access.token,
        "read_ids": access.ids,
        "actor": actor(access),
        "reason": access.reason,
    })
}

/// What was asked for: an address; of the command line, the command.
fn url(caller: &Caller, access: &Access) -> String {
    match access.means {
        Means::CommandLine => access.url.clone(),
        _ => caller.origin.url(&access.url),
    }
}

/// What kind of reader it was.
const fn actor(access: &Access) -> &'static str {
    match access.means {
        Means::CommandLine => "operator",
        Means::Link => "link",
        _ => "person",
    }
}

const fn authorization(means: Means) -> Option<&'static str> {
    match means {
        Means::Password | Means::BasicToken => Some("basic"),
        Means::BearerToken => Some("bearer"),
        Means::Session => Some("session"),
        Means::Link | Means::CommandLine | Means::Configuration | Means::Page | Means::System => None,
    }
}

/// What was read, in a few words.
fn summary(access: &Access) -> String {
    let what = match access.kind {
        ReadKind::Ticket => "ticket",
        ReadKind::User => "user",
        ReadKind::Group => "group",
        ReadKind::Organization => "organization",
        ReadKind::Membership => "membership",
        ReadKind::Attachment => "attachment",
        ReadKind::Rule => "rule",
        ReadKind::Webhook => "webhook",
        ReadKind::ApiToken => "API token",
        ReadKind::Session => "session",
        ReadKind::AuditorGrant => "grant",
        ReadKind::Event if access.ids.is_empty() => "the event log",
        ReadKind::Event => "event",
        ReadKind::AccessLog => "the access log",
        ReadKind::AuditLog => "the audit log",
        ReadKind::Archive => "the archive",
        ReadKind::Other => "something else",
    };
    let verb = if access.status < 400 { "Read" } else { "Was refused" };
    match access.ids.as_slice() {
        [] => format!("{verb} {what}"),
        [one] => format!("{verb} {what} {one}"),
        many => format!("{verb} {} {what}s", many.len()),
    }
}

fn id(entry: &Entry) -> String {
    let milliseconds = u128::try_from(entry.at.as_millisecond()).unwrap_or_default();
    let version = u128::try_from(entry.place.version).unwrap_or_default();
    let bits = (milliseconds << 80) | (version << 24) | u128::from(entry.place.index);
    let digit = |index: usize| DIGITS[((bits >> (5 * index)) & 31) as usize] as char;
    (0..ULID_LENGTH).rev().map(digit).collect()
}

/// A cursor that stands at a place of a tenant's log, and at none of another's.
pub(super) fn cursor(place: Place, resident: &Resident) -> String {
    let mut bytes = resident.tenant_id().get().as_bytes().to_vec();
    bytes.extend_from_slice(&place.version.to_be_bytes());
    bytes.extend_from_slice(&place.index.to_be_bytes());
    bytes.extend_from_slice(place.day.to_string().as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place of a cursor, if it is one of this tenant's.
pub(super) fn place(cursor: &str, resident: &Resident) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let rest = bytes.strip_prefix(resident.tenant_id().get().as_bytes())?;
    let (version, rest) = rest.split_first_chunk::<8>()?;
    let (index, day) = rest.split_first_chunk::<4>()?;
    Some(Place {
        day: std::str::from_utf8(day).ok()?.parse().ok()?,
        version: i64::from_be_bytes(*version),
        index: u32::from_be_bytes(*index),
    })
    .filter(|place| place.version > 0)
}
