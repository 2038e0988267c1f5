//! The projection `audit_log`: who changed what of the tenant's settings, people and keys, and from where.

use std::collections::HashMap;

use jiff_sqlx::{Timestamp, ToSqlx};
use regions::Resident;
use schemas::{
    CommandId, StreamName, TenantLogEvent,
    audit::{AuditEvent, ChangeNoted, OriginNoted},
    erasure::ErasureEvent,
};
use serde_json::{Value, json};
use sqlx::{Postgres, QueryBuilder, error::BoxDynError};
use uuid::Uuid;

use crate::{
    batch::{Applied, Payload},
    build::{Columns, OpenBuild, Row},
    error::ApplyError,
    projections::{ERASED, Projection, apply_span, person_of},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "audit_log",
    shape: 1,
    tables_sql: include_str!("../../sql/audit_log/tables.sql"),
    indexes_sql: include_str!("../../sql/audit_log/indexes.sql"),
    tables: &[Table { name: "audit_log", key: "audit_log_id" }],
    reads: |stream| matches!(stream, StreamName::Audit(_) | StreamName::Erasures),
    passes_over: &[],
    span: || apply_span!("projection.audit_log.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

struct Entry {
    id: i64,
    action: &'static str,
    source_type: &'static str,
    source_id: i64,
    source_label: String,
    changes: Value,
    actor_id: Option<i64>,
    origin: From,
    change_key_id: Uuid,
    created_at: Timestamp,
}

/// Where a command came from.
#[derive(Clone, Default)]
struct From {
    means: Option<&'static str>,
    token_id: Option<i64>,
    ip_address: Option<String>,
    client: Option<String>,
    key_id: Option<Uuid>,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let mut origins: HashMap<CommandId, From> = HashMap::new();
    let (mut entries, mut destroyed) = (Vec::new(), Vec::new());
    for applied in events.iter().filter(|event| PROJECTION.wants(&event.envelope)) {
        match &applied.payload {
            Payload::Event(TenantLogEvent::Audit(AuditEvent::OriginNoted(origin))) => {
                origins.insert(applied.envelope.command_id, From::of(origin, applied));
            }
            Payload::Event(TenantLogEvent::Audit(AuditEvent::ChangeNoted(change))) => {
                entries.push(Entry::changed(change, applied, origin_of(&origins, applied)));
            }
            Payload::Event(TenantLogEvent::Erasure(ErasureEvent::KeysDestroyed(gone))) => {
                destroyed.extend(gone.keys.iter().map(|key| key.key_id.get()));
            }
            Payload::Erased if applied.envelope.event_type == "change_noted" => {
                entries.push(Entry::erased(applied, origin_of(&origins, applied)));
            }
            _ => {}
        }
    }
    build.add(&entries).await?;
    forget(build, resident, &destroyed).await
}

fn origin_of(origins: &HashMap<CommandId, From>, applied: &Applied) -> From {
    origins.get(&applied.envelope.command_id).cloned().unwrap_or_default()
}

/// What was sealed under a destroyed key is taken out of the rows that were made before: all of it, so that they are the rows of a build
/// that never saw it. What remains is that somebody did something, and when.
async fn forget(build: &mut OpenBuild, resident: &Resident, keys: &[Uuid]) -> Result<(), ApplyError> {
    if keys.is_empty() {
        return Ok(());
    }
    let gone = [
        (
            "update audit_log set means = null, token_id = null, ip_address = null, client = null, origin_key_id = null
             where tenant_id = ",
            " and origin_key_id = any(",
        ),
        (
            "update audit_log set action = 'update', source_type = 'user', source_id = 0, source_label = '[erased]',
             changes = '[]' where tenant_id = ",
            " and change_key_id = any(",
        ),
    ];
    for (update, under) in gone {
        let mut update = QueryBuilder::<Postgres>::new(update);
        update.push_bind(resident.tenant_id().get()).push(under).push_bind(keys).push(")");
        update.build().execute(&mut *build).await?;
    }
    Ok(())
}

impl From {
    fn of(origin: &OriginNoted, applied: &Applied) -> Self {
        Self {
            means: Some(origin.means.as_str()),
            token_id: origin.token.map(schemas::TokenId::get),
            ip_address: origin.address.expose().clone(),
            client: origin.client.expose().clone(),
            key_id: Some(applied.envelope.key_id.get()),
        }
    }
}

impl Entry {
    fn changed(change: &ChangeNoted, applied: &Applied, origin: From) -> Self {
        Self {
            action: change.action.as_str(),
            source_type: change.source.as_str(),
            source_id: change.source_id,
            source_label: change.label.expose().clone(),
            changes: json!(change.changes.expose()),
            ..Self::erased(applied, origin)
        }
    }

    /// That somebody did something is known; what, no longer is.
    fn erased(applied: &Applied, origin: From) -> Self {
        Self {
            id: applied.position.get(),
            action: "update",
            source_type: "user",
            source_id: 0,
            source_label: ERASED.to_owned(),
            changes: json!([]),
            actor_id: person_of(applied.envelope.actor),
            origin,
            change_key_id: applied.envelope.key_id.get(),
            created_at: applied.envelope.recorded_at.to_sqlx(),
        }
    }
}

impl Row for Entry {
    const TABLE: &'static str = "audit_log";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("audit_log_id", self.id)?;
        to.value("action", self.action)?;
        to.value("source_type", self.source_type)?;
        to.value("source_id", self.source_id)?;
        to.value("source_label", self.source_label.as_str())?;
        to.value("changes", &self.changes)?;
        to.value("actor_id", self.actor_id)?;
        to.value("means", self.origin.means)?;
        to.value("token_id", self.origin.token_id)?;
        to.value("ip_address", self.origin.ip_address.as_deref())?;
        to.value("client", self.origin.client.as_deref())?;
        to.value("origin_key_id", self.origin.key_id)?;
        to.value("change_key_id", self.change_key_id)?;
        to.value("created_at", self.created_at)
    }
}
