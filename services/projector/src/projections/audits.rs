//! The projection `audits`: one row a command on a ticket, with what it changed, in the API's shape.
//!
//! Commands arrive whole, so an audit is written once and never touched again, until its ticket is erased.

mod entries;

use std::collections::{BTreeMap, HashSet};

use jiff_sqlx::{Timestamp, ToSqlx};
use regions::Resident;
use schemas::{StreamName, TenantId, TicketId, ids, values::Channel};
use serde_json::{Map, Value};
use sqlx::{error::BoxDynError, types::Json};

use entries::{Deed, Entry, FieldName, Via};

use crate::{
    batch::Applied,
    build::{Columns, OpenBuild, Row},
    error::{ApplyError, Missing},
    projections::{Projection, apply_span, existing, on_tickets, person_of},
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

struct Audit<'event> {
    audit_id: i64,
    ticket_id: i64,
    author_id: Option<i64>,
    channel: Channel,
    entries: Vec<Entry<'event>>,
    /// The rule whose doing the next events are, and how many of them.
    rule: Option<(Via<'event>, u32)>,
    created_at: Timestamp,
}

/// What a ticket is like after its last audit, for the next one.
struct Ticket {
    ticket_id: TicketId,
    attributes: Attributes,
}

struct Fold<'event> {
    attributes: BTreeMap<TicketId, Attributes>,
    audits: Vec<Audit<'event>>,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    let wanted = on_tickets(events);
    // Most commands only comment, which changes no attribute.
    let changing: Vec<_> = wanted.iter().copied().filter(|(_, event)| !is_comment(event)).collect();
    let mut fold = Fold { attributes: load(build, tenant, &existing(&changing)).await?, audits: Vec::new() };
    let known: HashSet<TicketId> = fold.attributes.keys().copied().collect();
    let mut erased = Vec::new();
    for (ticket, event) in wanted {
        if event.envelope.event_type == "ticket_erased" {
            fold.attributes.remove(&ticket);
            erased.push(ticket.get());
            continue;
        }
        fold.take(ticket, event)?;
    }
    build.add(&fold.audits).await?;
    let tickets = fold.attributes.into_iter().map(|(ticket_id, attributes)| Ticket { ticket_id, attributes });
    let (changed, new): (Vec<_>, Vec<_>) = tickets.partition(|ticket| known.contains(&ticket.ticket_id));
    build.put(&changed).await?;
    build.add(&new).await?;
    remove(build, tenant, &erased).await
}

async fn remove(build: &mut OpenBuild, tenant: TenantId, erased: &[i64]) -> Result<(), ApplyError> {
    if erased.is_empty() {
        return Ok(());
    }
    sqlx::query!("delete from audit where tenant_id = $1 and ticket_id = any($2)", tenant.get(), erased)
        .execute(&mut *build)
        .await?;
    sqlx::query!("delete from audit_ticket where tenant_id = $1 and ticket_id = any($2)", tenant.get(), erased)
        .execute(build)
        .await?;
    Ok(())
}

impl<'event> Fold<'event> {
    fn take(&mut self, ticket: TicketId, applied: &'event Applied) -> Result<(), Missing> {
        if applied.position == applied.command_first {
            self.audits.push(Audit::begin(ticket, applied));
        }
        let audit = self.audits.last_mut().expect("a command's first event begins its audit");
        if let Some(channel) = entries::channel(applied) {
            audit.channel = channel;
        }
        if let Some(rule) = entries::rule(applied) {
            audit.rule = Some(rule);
            return Ok(());
        }
        // Whether its ticket was ever opened is found out by the ticket list.
        if is_comment(applied) {
            audit.add(entries::comment(applied, audit.audit_id), None);
            return Ok(());
        }
        if applied.envelope.event_type == "ticket_opened" {
            self.attributes.insert(ticket, Attributes::new());
        }
        audit.change(applied, self.attributes.get_mut(&ticket).ok_or(Missing::Ticket(ticket))?);
        Ok(())
    }
}

impl<'event> Audit<'event> {
    fn begin(ticket: TicketId, applied: &Applied) -> Self {
        Self {
            audit_id: ids::audit_id(applied.command_first),
            ticket_id: ticket.get(),
            author_id: person_of(applied.envelope.actor),
            channel: Channel::Api,
            entries: Vec::new(),
            rule: None,
            created_at: applied.envelope.recorded_at.to_sqlx(),
        }
    }

    fn add(&mut self, deed: Deed<'event>, via: Option<Via<'event>>) {
        self.entries.push(Entry { deed, via });
    }

    fn change(&mut self, applied: &'event Applied, attributes: &mut Attributes) {
        let via = self.by_rule();
        for (ordinal, (field, value)) in entries::fields(applied).into_iter().enumerate() {
            let ordinal = u8::try_from(ordinal).unwrap_or(u8::MAX);
            let id = ids::audit_event_id(applied.position, ordinal);
            let previous = match &value {
                Value::Null => attributes.remove(&*field),
                value => attributes.insert(field.to_string(), value.clone()),
            };
            let previous = previous.unwrap_or_else(|| entries::nothing(&field));
            // What a rule does after a ticket was opened is a change, since it says by which rule.
            let is_opening = applied.is_of_opening_command() && via.is_none();
            let deed = match &*field {
                entries::EMAIL_CCS if is_opening => Deed::Cc { id, recipients: value },
                entries::EMAIL_CCS => {
                    Deed::EmailCcChange { id, previous_email_ccs: previous, current_email_ccs: value }
                }
                entries::FOLLOWERS => {
                    Deed::FollowersChange { id, previous_followers: previous, current_followers: value }
                }
                _ if is_opening => {
                    self.create(id, field, value);
                    continue;
                }
                _ => Deed::Change { id, field_name: field, value, previous_value: previous },
            };
            self.add(deed, via);
        }
    }

    /// The rule whose doing the next event is, which is one less then.
    fn by_rule(&mut self) -> Option<Via<'event>> {
        let (via, left) = self.rule.take().filter(|(_, left)| *left > 0)?;
        self.rule = Some((via, left - 1));
        Some(via)
    }

    /// What the opening command sets after opening is part of what it creates: the API knows no change in a create.
    fn create(&mut self, id: i64, field: FieldName, value: Value) {
        let created = self.entries.iter_mut().find_map(|entry| match &mut entry.deed {
            Deed::Create { field_name, value, .. } if *field_name == field => Some(value),
            _ => None,
        });
        match created {
            Some(created) => *created = value,
            None => self.add(Deed::Create { id, field_name: field, value }, None),
        }
    }
}

fn is_comment(applied: &Applied) -> bool {
    applied.envelope.event_type == "comment_added"
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

impl Row for Audit<'_> {
    const TABLE: &'static str = "audit";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("audit_id", self.audit_id)?;
        to.value("ticket_id", self.ticket_id)?;
        to.value("author_id", self.author_id)?;
        to.value("channel", self.channel.as_str())?;
        to.value("events", Json(&self.entries))?;
        to.value("created_at", self.created_at)
    }
}

impl Row for Ticket {
    const TABLE: &'static str = "audit_ticket";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("ticket_id", self.ticket_id.get())?;
        to.value("attributes", Json(&self.attributes))
    }
}
