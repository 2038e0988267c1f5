//! Presenters: rows of read models in the shapes of the v2 API, one module per resource.
//!
//! Every attribute of a shape is always there; what the product does not know yet is `null`, `[]` or `{}`.

pub(crate) mod attachment;
pub(crate) mod audit;
pub(crate) mod comment;
pub(crate) mod group;
pub(crate) mod identity;
pub(crate) mod job;
pub(crate) mod membership;
pub(crate) mod organization;
pub(crate) mod rule;
pub(crate) mod ticket;
pub(crate) mod ticket_field;
pub(crate) mod ticket_metric;
pub(crate) mod user;
pub(crate) mod webhook;

use jiff::Timestamp;
use serde_json::{Value, json};

/// A moment as the v2 API writes it: UTC, whole seconds.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A number that was counted now.
pub(crate) fn count(value: i64, now: Timestamp) -> Value {
    json!({"count": {"value": value, "refreshed_at": now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()}})
}

/// Where something came in.
pub(crate) fn via(channel: &str) -> Value {
    json!({"channel": channel, "source": {"from": {}, "to": {}, "rel": null}})
}

/// What is known about the sender's machine: nothing is kept.
pub(crate) fn metadata() -> Value {
    json!({
        "system": {"client": null, "ip_address": null, "location": null, "latitude": null, "longitude": null},
        "custom": {},
    })
}
