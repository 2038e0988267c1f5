//! `GET /api/v2/views/{id}/execute` and `/tickets`: the tickets of a view, as rows of its columns or as they are.
//!
//! Pages by offset have the view's order; by cursor its tickets go by their numbers, so that none is skipped while they change.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use domain::{rule::Column, ticket_field::Known};
use schemas::{RuleId, rule::RuleDefinition};
use serde_json::{Map, Value, json};

use super::tickets as tickets_of;
use crate::{
    api::v2::{
        ids::Id,
        include::{self, Include},
        page::{Page, PageQuery},
        present::{self, moment},
        rules::{self, View},
    },
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{self, Sight, tickets::Ticket},
    state::Desk,
};

/// Answers a page of tickets as rows.
pub(crate) async fn execute(
    State(desk): State<Desk>,
    caller: Caller,
    Id(view): Id<RuleId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let row = rules::one::<View>(&desk, &caller, view).await?;
    let page = query.offset_page(&caller)?;
    let mut answer = rows(&desk, &caller, (&row.definition.0, &page)).await?;
    answer["view"] = json!({"id": view, "url": present::rule::url(&caller, "views", view.get())});
    Ok(Json(answer))
}

/// Answers a page of tickets.
pub(crate) async fn tickets(
    State(desk): State<Desk>,
    caller: Caller,
    Id(view): Id<RuleId>,
    query: PageQuery,
) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let row = rules::one::<View>(&desk, &caller, view).await?;
    let include = Include::of(query.get("include"), &caller);
    let page = query.page(&caller)?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let list = tickets_of(&desk, &caller, &mut transaction, &row.definition.0).await?;
    let (slice, count) = page.read(&mut transaction, &list).await?;
    let rows = in_order(&mut transaction, &caller, &slice.ids).await?;
    drop(transaction);
    let shown = rows.iter().map(|row| present::ticket::ticket(&caller, row)).collect();
    let mut answer = page.answer("tickets", shown, &slice, count);
    include.beside_tickets(&desk, &caller, &mut answer).await?;
    Ok(Json(answer))
}

/// A page of rows, the columns, and beside them the people and groups that the rows name.
pub(super) async fn rows(
    desk: &Desk,
    caller: &Caller,
    (definition, page): (&RuleDefinition, &Page),
) -> Result<Value, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let known = read::ticket_fields::known(&mut transaction, &caller.resident).await?;
    let list = tickets_of(desk, caller, &mut transaction, definition).await?;
    let (slice, count) = page.read(&mut transaction, &list).await?;
    let tickets = in_order(&mut transaction, caller, &slice.ids).await?;
    let columns = definition.output.as_ref().map(|output| present::rule::columns(output, &known)).unwrap_or_default();
    let shown = tickets.iter().map(|ticket| row(caller, ticket, &columns)).collect();
    let mut answer = page.answer("rows", shown, &slice, count);
    answer["columns"] = columns.iter().map(|column| title(*column, &known)).collect();
    let people = named(&tickets, &columns, person);
    let people = read::people::many(&mut transaction, &caller.resident, &people).await?;
    answer["users"] = include::people(caller, &people);
    let groups = named(&tickets, &columns, |column, ticket| ticket.group_id.filter(|_| column == Column::Group));
    let groups = read::groups::many(&mut transaction, &caller.resident, &groups).await?;
    answer["groups"] = include::groups(caller, &groups);
    Ok(answer)
}

/// These tickets, in this order.
async fn in_order(conn: &mut sqlx::PgConnection, caller: &Caller, ids: &[i64]) -> Result<Vec<Ticket>, sqlx::Error> {
    let mut rows = read::tickets::many(conn, &caller.resident, Sight::Everything, ids).await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.ticket_id));
    Ok(rows)
}

fn row(caller: &Caller, ticket: &Ticket, columns: &[Column]) -> Value {
    let mut row = Map::new();
    row.insert(
        "ticket".to_owned(),
        json!({
            "id": ticket.ticket_id,
            "subject": ticket.subject,
            "description": ticket.description,
            "status": ticket.status,
            "type": ticket.ticket_type,
            "priority": ticket.priority,
            "url": present::ticket::url(caller, ticket.ticket_id),
        }),
    );
    row.extend(columns.iter().map(|column| (key(*column), cell(*column, ticket))));
    Value::Object(row)
}

/// What a cell goes by: the column's word; where it names somebody, that it holds an id.
fn key(column: Column) -> String {
    match column {
        Column::Requester | Column::Submitter | Column::Assignee | Column::Group => format!("{}_id", column.word()),
        _ => column.word(),
    }
}

fn cell(column: Column, ticket: &Ticket) -> Value {
    match column {
        Column::Number => json!(ticket.ticket_id),
        Column::Subject => json!(ticket.subject),
        Column::Status => json!(ticket.status),
        Column::Priority => json!(ticket.priority),
        Column::Type => json!(ticket.ticket_type),
        Column::Requester | Column::Submitter | Column::Assignee => json!(person(column, ticket)),
        Column::Group => json!(ticket.group_id),
        Column::Created => json!(moment(ticket.created_at)),
        Column::Updated => json!(moment(ticket.updated_at)),
        Column::Due => json!(ticket.due_at.map(|due_at| moment(due_at.to_jiff()))),
        Column::Field(field) => ticket.custom_fields[field.to_string()].clone(),
    }
}

fn person(column: Column, ticket: &Ticket) -> Option<i64> {
    match column {
        Column::Requester => Some(ticket.requester_id),
        Column::Submitter => Some(ticket.submitter_id),
        Column::Assignee => ticket.assignee_id,
        _ => None,
    }
}

fn title(column: Column, known: &[Known]) -> Value {
    let mut title = present::rule::column(column, known);
    if let Some(title) = title.as_object_mut() {
        title.retain(|name, _| matches!(name.as_str(), "id" | "title" | "type"));
    }
    title
}

/// Whom the columns name, each once.
fn named(tickets: &[Ticket], columns: &[Column], who: impl Fn(Column, &Ticket) -> Option<i64>) -> Vec<i64> {
    let who = &who;
    let named = tickets.iter().flat_map(|ticket| columns.iter().filter_map(move |column| who(*column, ticket)));
    BTreeSet::from_iter(named).into_iter().collect()
}

#[cfg(test)]
mod tests;
