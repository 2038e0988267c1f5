//! The projection `ticket_fields`: one row a field that a tenant made for its tickets and did not delete.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{
    StreamName, TenantId, TenantLogEvent, TicketFieldId,
    ticket_field::{FieldDefinition, TicketFieldEvent, TicketFieldMade},
};
use serde_json::json;

use crate::{
    batch::Applied,
    build::OpenBuild,
    error::ApplyError,
    projections::{Projection, apply_span},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "ticket_fields",
    shape: 1,
    tables_sql: include_str!("../../sql/ticket_fields/tables.sql"),
    indexes_sql: include_str!("../../sql/ticket_fields/indexes.sql"),
    tables: &[Table { name: "ticket_field", key: "field_id" }],
    reads: |stream| matches!(stream, StreamName::TicketField(_)),
    passes_over: &[],
    span: || apply_span!("projection.ticket_fields.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

/// A tenant has a handful of these events in its life: one statement each.
async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    for applied in events {
        let (StreamName::TicketField(field), Some(TenantLogEvent::TicketField(event))) =
            (&applied.envelope.stream, applied.event())
        else {
            continue;
        };
        let at = applied.envelope.recorded_at;
        match event {
            TicketFieldEvent::TicketFieldMade(made) => make(build, tenant, made, at).await?,
            TicketFieldEvent::TicketFieldChanged(changed) => {
                change(build, (tenant, *field), changed.definition.expose(), at).await?;
            }
            TicketFieldEvent::TicketFieldDeleted(_) => delete(build, (tenant, *field)).await?,
        }
    }
    Ok(())
}

async fn make(
    build: &mut OpenBuild,
    tenant: TenantId,
    made: &TicketFieldMade,
    at: Timestamp,
) -> Result<(), ApplyError> {
    let definition = made.definition.expose();
    sqlx::query!(
        "insert into ticket_field
             (tenant_id, field_id, kind, definition, position, is_active, is_visible_in_portal, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        tenant.get(),
        made.field.get(),
        made.kind.as_str(),
        json!(definition),
        definition.position,
        definition.is_active,
        definition.is_visible_in_portal,
        at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn change(
    build: &mut OpenBuild,
    (tenant, field): (TenantId, TicketFieldId),
    definition: &FieldDefinition,
    at: Timestamp,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "update ticket_field
         set definition = $3, position = $4, is_active = $5, is_visible_in_portal = $6, updated_at = $7
         where tenant_id = $1 and field_id = $2",
        tenant.get(),
        field.get(),
        json!(definition),
        definition.position,
        definition.is_active,
        definition.is_visible_in_portal,
        at.to_sqlx() as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn delete(build: &mut OpenBuild, (tenant, field): (TenantId, TicketFieldId)) -> Result<(), ApplyError> {
    sqlx::query!("delete from ticket_field where tenant_id = $1 and field_id = $2", tenant.get(), field.get())
        .execute(build)
        .await?;
    Ok(())
}
