//! `GET /api/domicile/v1/audit_logs.csv`: what the filters of the list leave, as a file (RFC 4180), for admins. That it was taken is
//! itself an entry.

use axum::{extract::State, http::header, response::IntoResponse};
use schemas::{
    audit::{ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource},
};

use super::{filter, present};
use crate::{
    api::v2::page::PageQuery,
    body::RequestPrint,
    caller::Caller,
    execute::note,
    problem::{ApiError, ApiResult},
    read::{self, Window, audit_log::AuditLog},
    state::Desk,
};

/// The most entries of a file. More are asked for in parts, by `filter[created_at]`.
const ROWS_MAX: i64 = 50_000;
/// Entries read at a time.
const PAGE_LENGTH: usize = 1000;
const HEADINGS: &str = "id,created_at,action,actor_id,actor_name,source_type,source_id,source_label,change_description,ip_address,means\r\n";

/// Answers the file.
pub(crate) async fn export(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_overseer()?;
    let filter = filter::read(&query)?;
    let window = Window { after: 0, before: None, limit: ROWS_MAX + 1, offset: 0, is_by_offset: false };
    let mut transaction = desk.reading(&caller.resident).await?;
    let keys = read::audit_log::keys(&mut transaction, &caller.resident, &filter, window).await?;
    if i64::try_from(keys.len()).is_ok_and(|found| found > ROWS_MAX) {
        let takes = format!("a range with at most {ROWS_MAX} entries in it");
        return Err(ApiError::invalid_parameter("filter[created_at]", &takes));
    }
    let mut file = HEADINGS.to_owned();
    for part in keys.chunks(PAGE_LENGTH) {
        let rows = read::audit_log::many(&mut transaction, &caller.resident, part).await?;
        let names = present::names(&mut transaction, &caller.resident, &rows).await?;
        rows.iter().for_each(|row| file.push_str(&line(row, present::name_of(row, &names))));
    }
    drop(transaction);
    let entries = FieldChange { field: "entries".to_owned(), old: None, new: Some(keys.len().to_string()) };
    let taken = ChangeNoted {
        action: AuditAction::Exported,
        source: AuditSource::AuditLog,
        source_id: 0,
        person: None,
        label: "Audit log".to_owned().into(),
        changes: vec![entries].into(),
    };
    // Recorded before it leaves: what cannot be recorded is not given.
    note(&desk, &caller.issuer(&desk, &print), &taken).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit_logs.csv\""),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, file))
}

fn line(row: &AuditLog, actor: &str) -> String {
    let changes: Vec<FieldChange> = serde_json::from_value(row.changes.clone()).unwrap_or_default();
    let fields = [
        row.audit_log_id.to_string(),
        row.created_at.to_jiff().to_string(),
        row.action.clone(),
        row.actor_id.map(|id| id.to_string()).unwrap_or_default(),
        actor.to_owned(),
        row.source_type.clone(),
        row.source_id.to_string(),
        row.source_label.clone(),
        present::described(&row.action, &changes),
        row.ip_address.clone().unwrap_or_default(),
        row.means.clone().unwrap_or_default(),
    ];
    let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    format!("{}\r\n", fields.join(","))
}

/// In quotes where need be; and a text that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(field: &str) -> String {
    let field =
        if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}
