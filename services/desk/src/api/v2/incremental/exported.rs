//! What is exported: where its changes are, and how it is shown.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    api::v2::{
        include::Include,
        present::{self, moment, via},
    },
    caller::Caller,
    problem::ApiError,
    read::{
        self,
        audits::Audit,
        changes::{self, Change, Span},
    },
    state::Desk,
};

/// One kind of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Exported {
    Tickets,
    Users,
    TicketEvents,
}

impl Exported {
    /// What stands over them in an answer.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Users => "users",
            Self::TicketEvents => "ticket_events",
        }
    }

    /// The projections that an answer is made of.
    pub(super) const fn projections(self) -> &'static [&'static str] {
        match self {
            Self::Tickets => &["changes", "ticket_list", "ticket_thread"],
            Self::Users => &["changes", "people"],
            Self::TicketEvents => &["changes", "audits"],
        }
    }

    pub(super) async fn changes(
        self,
        conn: &mut PgConnection,
        caller: &Caller,
        span: Span,
        limit: i64,
    ) -> Result<Vec<Change>, sqlx::Error> {
        match self {
            Self::Tickets => changes::tickets(conn, &caller.resident, span, limit).await,
            Self::Users => changes::people(conn, &caller.resident, span, limit).await,
            Self::TicketEvents => changes::audits(conn, &caller.resident, span, limit).await,
        }
    }

    /// The answer's list, in the order of the changes, and what was asked to stand beside it.
    pub(super) async fn shown(
        self,
        desk: &Desk,
        caller: &Caller,
        changes: &[Change],
        include: Option<&str>,
    ) -> Result<Value, ApiError> {
        match self {
            Self::Tickets => tickets(desk, caller, changes, include).await,
            Self::Users => users(desk, caller, changes).await,
            Self::TicketEvents => ticket_events(desk, caller, changes, include).await,
        }
    }
}

async fn tickets(desk: &Desk, caller: &Caller, changes: &[Change], include: Option<&str>) -> Result<Value, ApiError> {
    let ids: Vec<i64> = changes.iter().map(|change| change.id).collect();
    let mut transaction = desk.reading(&caller.resident).await?;
    caller.reading.of(ids.iter().copied());
    let (rows, deleted) = read::tickets::with_deleted(&mut transaction, &caller.resident, &ids).await?;
    drop(transaction);
    let mut shown: HashMap<i64, Value> =
        rows.iter().map(|row| (row.ticket_id, present::ticket::ticket(caller, row))).collect();
    for id in deleted {
        shown.entry(id).and_modify(|ticket| ticket["status"] = json!("deleted"));
    }
    let tickets = changes.iter().map(|change| {
        let gone = || present::ticket::erased(caller, change.id, change.at());
        let mut ticket = shown.remove(&change.id).unwrap_or_else(gone);
        ticket["generated_timestamp"] = json!(change.second);
        ticket
    });
    let mut answer = json!({"tickets": tickets.collect::<Vec<_>>()});
    Include::of(include, caller).beside_tickets(desk, caller, &mut answer).await?;
    Ok(answer)
}

async fn users(desk: &Desk, caller: &Caller, changes: &[Change]) -> Result<Value, ApiError> {
    let ids: Vec<i64> = changes.iter().map(|change| change.id).collect();
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::people::many(&mut transaction, &caller.resident, &ids).await?;
    drop(transaction);
    // Auditors are no users.
    let rows = rows.iter().filter(|row| row.role != "auditor");
    caller.reading.of(rows.clone().map(|row| row.person_id));
    let mut shown: HashMap<i64, Value> = rows.map(|row| (row.person_id, present::user::user(caller, row))).collect();
    Ok(json!({"users": changes.iter().filter_map(|change| shown.remove(&change.id)).collect::<Vec<_>>()}))
}

async fn ticket_events(
    desk: &Desk,
    caller: &Caller,
    changes: &[Change],
    include: Option<&str>,
) -> Result<Value, ApiError> {
    let ids: Vec<i64> = changes.iter().map(|change| change.id).collect();
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::audits::of_any_ticket(&mut transaction, &caller.resident, &ids).await?;
    drop(transaction);
    let tickets: BTreeSet<i64> = rows.iter().map(|row| row.ticket_id).collect();
    caller.reading.of(tickets);
    let with_comments = include.is_some_and(|names| names.split(',').any(|name| name.trim() == "comment_events"));
    let audits = present::audit::audits(desk, caller, &rows).await?;
    let seconds: HashMap<i64, i64> = changes.iter().map(|change| (change.id, change.second)).collect();
    let events = rows.iter().zip(audits).map(|(row, audit)| {
        let children = audit["events"].as_array().into_iter().flatten();
        let children: Vec<Value> = children.map(|entry| child(row, entry, with_comments)).collect();
        json!({
            "id": row.audit_id,
            "ticket_id": row.ticket_id,
            "timestamp": seconds[&row.audit_id],
            "created_at": moment(row.created_at),
            "updater_id": audit["author_id"],
            "via": via(&row.channel)["channel"],
            "system": audit["metadata"]["system"],
            "metadata": {},
            "event_type": "Audit",
            "child_events": children,
        })
    });
    Ok(json!({"ticket_events": events.collect::<Vec<_>>()}))
}

/// An entry of an audit: a field stands under its own name, a comment is told and not shown, unless that was asked for. What a rule did
/// came by that rule.
fn child(row: &Audit, entry: &Value, with_comments: bool) -> Value {
    let (channel, rule) = match &entry["via"] {
        Value::Null => (json!(row.channel), Value::Null),
        by_rule => (by_rule["channel"].clone(), by_rule["source"]["from"]["id"].clone()),
    };
    let mut child = json!({"id": entry["id"], "via": channel, "via_reference_id": rule, "event_type": entry["type"]});
    match entry["type"].as_str() {
        Some("Comment") if with_comments => {
            let comment = entry.as_object().into_iter().flatten();
            comment.for_each(|(name, value)| child[name] = value.clone());
        }
        Some("Comment") => {
            child["comment_present"] = json!(true);
            child["comment_public"] = entry["public"].clone();
        }
        kind => {
            if let Some(field) = entry["field_name"].as_str() {
                child[field] = entry["value"].clone();
            }
            if kind == Some("Change") {
                child["previous_value"] = entry["previous_value"].clone();
            }
        }
    }
    child
}
