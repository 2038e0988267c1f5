//! Tickets as rows of a table: of a view, of a search, of a person.

use std::collections::BTreeSet;

use domain::{rule::Column, ticket_field::Known};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{names::Names, terms};
use crate::{
    caller::Caller,
    pages::words::Words,
    read::{self, Sight, tickets::Ticket},
};

/// A row. The subject, which leads to the ticket, is no cell.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) subject: String,
    pub(super) subject_label: String,
    pub(super) cells: Vec<Cell>,
}

/// A cell.
pub(super) struct Cell {
    /// What its column is called, for where the table is narrow.
    pub(super) label: String,
    pub(super) text: String,
    /// The moment, if it is one, as `datetime` has it.
    pub(super) moment: Option<String>,
    /// The word of a status, which has a colour besides.
    pub(super) status: Option<String>,
}

/// These tickets, in this order. Reading them, and whom they name, is noted.
pub(super) async fn rows(
    conn: &mut PgConnection,
    (caller, words): (&Caller, &Words),
    ids: &[i64],
    (columns, known): (&[Column], &[Known]),
) -> Result<Vec<Row>, sqlx::Error> {
    let mut tickets = read::tickets::many(conn, &caller.resident, Sight::Everything, ids).await?;
    tickets.sort_by_key(|ticket| ids.iter().position(|id| *id == ticket.ticket_id));
    caller.reading.of(tickets.iter().map(|ticket| ticket.ticket_id));
    let named = |who: fn(Column, &Ticket) -> Option<i64>| -> BTreeSet<i64> {
        tickets.iter().flat_map(|ticket| columns.iter().filter_map(move |column| who(*column, ticket))).collect()
    };
    let names = Names::load(conn, caller, &named(person), &named(group)).await?;
    let row = |ticket: &Ticket| Row {
        id: ticket.ticket_id,
        subject: ticket.subject.clone(),
        subject_label: terms::column(words, Column::Subject, known),
        cells: columns
            .iter()
            .filter(|column| **column != Column::Subject)
            .map(|column| Cell { label: terms::column(words, *column, known), ..cell(words, *column, ticket, &names) })
            .collect(),
    };
    Ok(tickets.iter().map(row).collect())
}

fn person(column: Column, ticket: &Ticket) -> Option<i64> {
    match column {
        Column::Requester => Some(ticket.requester_id),
        Column::Submitter => Some(ticket.submitter_id),
        Column::Assignee => ticket.assignee_id,
        _ => None,
    }
}

fn group(column: Column, ticket: &Ticket) -> Option<i64> {
    ticket.group_id.filter(|_| column == Column::Group)
}

fn cell(words: &Words, column: Column, ticket: &Ticket, names: &Names) -> Cell {
    let text = |text: String| Cell { label: String::new(), text, moment: None, status: None };
    let at = |at: Timestamp| Cell { moment: Some(at.to_string()), ..text(words.moment(at)) };
    match column {
        Column::Number => text(ticket.ticket_id.to_string()),
        Column::Subject => text(ticket.subject.clone()),
        Column::Status => Cell { status: Some(ticket.status.clone()), ..text(terms::status(words, &ticket.status)) },
        Column::Priority => {
            text(ticket.priority.as_ref().map_or_else(String::new, |word| terms::priority(words, word)))
        }
        Column::Type => {
            text(ticket.ticket_type.as_ref().map_or_else(String::new, |word| terms::ticket_type(words, word)))
        }
        Column::Requester | Column::Submitter | Column::Assignee => {
            text(person(column, ticket).map_or_else(String::new, |id| names.person(id).to_owned()))
        }
        Column::Group => text(ticket.group_id.map_or_else(String::new, |id| names.group(id).to_owned())),
        Column::Created => at(ticket.created_at),
        Column::Updated => at(ticket.updated_at),
        Column::Due => ticket.due_at.map_or_else(|| text(String::new()), |due_at| at(due_at.to_jiff())),
        Column::Field(field) => text(written(&ticket.custom_fields[field.to_string()])),
    }
}

/// What a field of the tenant's holds, as a text.
pub(super) fn written(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => values.iter().map(written).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
