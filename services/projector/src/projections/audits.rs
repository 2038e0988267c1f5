//! The projection `audits`: one row a command on a ticket, with what it changed, in the API's shape.
//!
//! Commands arrive whole, so an audit is written once and never touched again.

mod entries;

use std::collections::BTreeMap;

use jiff_sqlx::{Timestamp, ToSqlx};
use regions::Resident;
use schemas::{StreamName, TenantId, TicketId, ids, values::Channel};
use serde_json::{Map, Value};

use crate::{
    batch::Applied,
    build::OpenBuild,
    error::{ApplyError, Missing},
    projections::{Projection, apply_span, column, existing, on_tickets, person_of},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "audits",
    shape: 1,
    tables_sql: include_str!("../../sql/audits/tables.sql"),
    indexes_sql: include_str!("../../sql/audits/indexes.sql"),
    tables: &[Table { name: "audit", key: "audit_id" }, Table { name: "audit_ticket", key: "ticket_id" }],
    reads: |stream| matches!(stream, StreamName::Ticket(_)),
    passes_over: &[],
    span: || apply_span!("projection.audits.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

/// A ticket's attributes as the API writes them, by field name. Absent means null.
type Attributes = Map<String, Value>;

struct Audit {
    audit_id: i64,
    ticket_id: i64,
    author_id: Option<i64>,
    channel: Channel,
    entries: Vec<Value>,
    created_at: Timestamp,
}

#[derive(Default)]
struct Fold {
    attributes: BTreeMap<TicketId, Attributes>,
    audits: Vec<Audit>,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    let wanted = on_tickets(events);
    let mut fold = Fold { attributes: load(build, tenant, &existing(&wanted)).await?, audits: Vec::new() };
    for (ticket, event) in wanted {
        fold.take(ticket, event)?;
    }
    store_audits(build, tenant, &fold.audits).await?;
    store_attributes(build, tenant, &fold.attributes).await
}

impl Fold {
    fn take(&mut self, ticket: TicketId, applied: &Applied) -> Result<(), Missing> {
        if applied.envelope.event_type == "ticket_opened" {
            self.attributes.insert(ticket, Attributes::new());
        }
        let attributes = self.attributes.get_mut(&ticket).ok_or(Missing::Ticket(ticket))?;
        if applied.position == applied.command_first {
            self.audits.push(Audit::begin(ticket, applied));
        }
        let audit = self.audits.last_mut().expect("a command's first event begins its audit");
        audit.take(applied, attributes);
        Ok(())
    }
}

impl Audit {
    fn begin(ticket: TicketId, applied: &Applied) -> Self {
        Self {
            audit_id: ids::audit_id(applied.command_first),
            ticket_id: ticket.get(),
            author_id: person_of(applied.envelope.actor),
            channel: Channel::Api,
            entries: Vec::new(),
            created_at: applied.envelope.recorded_at.to_sqlx(),
        }
    }

    fn take(&mut self, applied: &Applied, attributes: &mut Attributes) {
        if let Some(channel) = entries::channel(applied) {
            self.channel = channel;
        }
        if applied.envelope.event_type == "comment_added" {
            self.entries.push(entries::comment(applied, self.audit_id));
            return;
        }
        for (ordinal, (field, value)) in entries::fields(applied).into_iter().enumerate() {
            let ordinal = u8::try_from(ordinal).expect("an event sets a handful of fields");
            let id = ids::audit_event_id(applied.position, ordinal);
            let previous = match &value {
                Value::Null => attributes.remove(field),
                value => attributes.insert(field.to_owned(), value.clone()),
            };
            if applied.is_of_opening_command() {
                self.create(id, field, value);
            } else {
                let previous = previous.unwrap_or_else(|| entries::nothing(field));
                self.entries.push(entries::change(id, field, value, previous));
            }
        }
    }

    /// What the opening command sets after opening is part of what it creates: the API knows no change in a create.
    fn create(&mut self, id: i64, field: &str, value: Value) {
        let same = |entry: &&mut Value| entry["type"] == "Create" && entry["field_name"] == field;
        match self.entries.iter_mut().find(same) {
            Some(entry) => entry["value"] = value,
            None => self.entries.push(entries::create(id, field, value)),
        }
    }
}

async fn load(
    build: &mut OpenBuild,
    tenant: TenantId,
    tickets: &[i64],
) -> Result<BTreeMap<TicketId, Attributes>, sqlx::Error> {
    if tickets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        r#"select ticket_id, attributes as "attributes: sqlx::types::Json<Attributes>"
           from audit_ticket where tenant_id = $1 and ticket_id = any($2)"#,
        tenant.get(),
        tickets,
    )
    .fetch_all(build)
    .await?;
    Ok(rows.into_iter().map(|row| (TicketId::new(row.ticket_id), row.attributes.0)).collect())
}

async fn store_audits(build: &mut OpenBuild, tenant: TenantId, audits: &[Audit]) -> Result<(), ApplyError> {
    let rows: Vec<&Audit> = audits.iter().collect();
    sqlx::query!(
        "insert into audit (tenant_id, audit_id, ticket_id, author_id, channel, events, created_at)
         select $1, audit_id, ticket_id, author_id, channel, events, created_at
         from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::jsonb[], $7::timestamptz[])
              as row (audit_id, ticket_id, author_id, channel, events, created_at)",
        tenant.get(),
        &column(&rows, |row| row.audit_id),
        &column(&rows, |row| row.ticket_id),
        &column(&rows, |row| row.author_id) as _,
        &column(&rows, |row| row.channel.as_str()) as _,
        &column(&rows, |row| sqlx::types::Json(&row.entries)) as _,
        &column(&rows, |row| row.created_at) as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn store_attributes(
    build: &mut OpenBuild,
    tenant: TenantId,
    attributes: &BTreeMap<TicketId, Attributes>,
) -> Result<(), ApplyError> {
    let rows: Vec<_> = attributes.iter().collect();
    let rows: Vec<_> = rows.iter().collect();
    sqlx::query!(
        "insert into audit_ticket (tenant_id, ticket_id, attributes)
         select $1, ticket_id, attributes from unnest($2::bigint[], $3::jsonb[]) as row (ticket_id, attributes)
         on conflict (tenant_id, ticket_id) do update set attributes = excluded.attributes",
        tenant.get(),
        &column(&rows, |(ticket, _)| ticket.get()),
        &column(&rows, |(_, attributes)| sqlx::types::Json(*attributes)) as _,
    )
    .execute(build)
    .await?;
    Ok(())
}
