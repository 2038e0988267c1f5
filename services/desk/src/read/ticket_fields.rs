//! Fields that a tenant made for its tickets, from the projection `ticket_fields`.

use domain::ticket_field::Known;
use jiff::Timestamp;
use regions::Resident;
use schemas::{TicketFieldId, ticket_field::FieldDefinition};
use sqlx::{PgConnection, types::Json};

use super::List;

/// One field.
#[derive(Clone)]
pub(crate) struct TicketField {
    pub(crate) field_id: i64,
    pub(crate) kind: String,
    pub(crate) definition: Json<FieldDefinition>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The fields, by id.
pub(crate) fn list() -> List {
    List::new(("ticket_field", "field_id"), |_| {})
}

/// Those of these fields that there are, by id.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<TicketField>, sqlx::Error> {
    sqlx::query_as!(
        TicketField,
        r#"select field_id, kind, definition as "definition: Json<FieldDefinition>",
                  created_at as "created_at: jiff_sqlx::Timestamp", updated_at as "updated_at: jiff_sqlx::Timestamp"
           from ticket_field where tenant_id = $1 and field_id = any($2) order by field_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// The fields that take values, as the rules of tickets know them.
pub(crate) async fn known(conn: &mut PgConnection, resident: &Resident) -> Result<Vec<Known>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select field_id, kind, definition as "definition: Json<FieldDefinition>"
           from ticket_field where tenant_id = $1 and is_active order by position, field_id"#,
        resident.tenant_id().get(),
    )
    .fetch_all(conn)
    .await?;
    let known = rows.into_iter().filter_map(|row| {
        // A kind that this program does not know was written by a newer one.
        let kind = row.kind.parse().ok()?;
        Some(Known { field: TicketFieldId::new(row.field_id), kind, definition: row.definition.0.into() })
    });
    Ok(known.collect())
}
