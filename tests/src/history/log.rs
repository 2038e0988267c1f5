//! A dump of one tenant's log: what the tables hold, and the markers of the payloads.

use std::collections::HashMap;

use regions::{DatabaseRole, Region};
use schemas::Hash;
use serde::Serialize;
use serde_json::Value;
use sqlx::Connection;

use super::MARKER;
use crate::tenant::Tenant;

/// Everything the log says of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Log {
    /// The tenant's id.
    pub tenant: String,
    /// The position in its head row.
    pub head: i64,
    /// Its events, by position.
    pub events: Vec<Event>,
    /// What it remembers of requests that carried an idempotency key.
    pub requests: Vec<Request>,
}

/// An event, as far as the check asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its place in the log.
    pub position: i64,
    /// Its aggregate.
    pub stream: String,
    /// Its place in the stream.
    pub version: i64,
    /// The command that caused it.
    pub command: String,
    /// The markers its payload holds.
    pub markers: Vec<String>,
    /// Its leaf in the tree.
    pub leaf: Hash,
}

/// A row of `log.idempotency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The command that did the work.
    pub command: String,
    /// Of its first event.
    pub position: i64,
    /// How many events it has.
    pub event_count: i64,
}

/// The markers of every event that has one, by the event's id.
#[derive(Debug, Clone)]
pub struct Markers(HashMap<String, Vec<String>>);

impl Markers {
    /// Reads the payloads of a tenant's events through a desk, which alone can open them. That is recorded in the log a moment later.
    pub async fn read(tenant: &Tenant) -> anyhow::Result<Self> {
        let events = tenant.events().await?;
        let marked = events.iter().filter_map(|event| {
            let mut markers = Vec::new();
            find(&event["data"], &mut markers);
            let id = event["event_id"].as_str()?.to_owned();
            (!markers.is_empty()).then_some((id, markers))
        });
        Ok(Self(marked.collect()))
    }
}

impl Log {
    /// Reads the tables with SQL, past everything that is tested.
    pub async fn dump(region: &Region, tenant: &Tenant, markers: &Markers) -> anyhow::Result<Self> {
        let mut owner = regions::connection(region, DatabaseRole::Owner).await?;
        let mut snapshot = owner.begin().await?;
        let head =
            sqlx::query!("select tenant_id, position from log.tenant where tenant_id::text = $1", &tenant.id as &str)
                .fetch_one(&mut *snapshot)
                .await?;
        let events = sqlx::query!(
            "select position, stream, version, event_id, command_id, leaf from log.event where tenant_id = $1
            order by position, stream, version",
            head.tenant_id
        )
        .fetch_all(&mut *snapshot)
        .await?;
        let requests = sqlx::query!(
            "select command_id, position, event_count from log.idempotency where tenant_id = $1 order by position",
            head.tenant_id
        )
        .fetch_all(&mut *snapshot)
        .await?;
        let events = events.into_iter().map(|row| {
            Ok(Event {
                position: row.position,
                stream: row.stream,
                version: row.version,
                command: row.command_id.to_string(),
                markers: markers.0.get(&row.event_id.to_string()).cloned().unwrap_or_default(),
                leaf: Hash::try_from(row.leaf.as_slice())?,
            })
        });
        let requests = requests.into_iter().map(|row| Request {
            command: row.command_id.to_string(),
            position: row.position,
            event_count: row.event_count.into(),
        });
        Ok(Self {
            tenant: tenant.id.clone(),
            head: head.position,
            events: events.collect::<anyhow::Result<_>>()?,
            requests: requests.collect(),
        })
    }
}

/// Texts that are markers as a whole, however deep they lie. In which field an event keeps its text is not asked.
fn find(data: &Value, found: &mut Vec<String>) {
    match data {
        Value::String(text) if text.starts_with(MARKER) && !found.contains(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| find(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| find(field, found)),
        _ => {}
    }
}
