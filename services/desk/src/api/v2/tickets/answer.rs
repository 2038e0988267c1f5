//! What a write to a ticket answers: the ticket and the audit of the command.

use axum::http::{HeaderName, HeaderValue};
use schemas::{StreamName, TicketId, Version};
use serde_json::{Value, json};

use crate::{
    api::{fold::Fold, settle, v2::present},
    caller::Caller,
    execute::Done,
    problem::ApiError,
    read::{self, audits::Audit, tickets::Ticket},
    state::Desk,
    visible::{Visible, Written},
};

/// The ticket's version, for agents: what `expected_version` of an update names.
pub(crate) type VersionHeader = Option<[(HeaderName, HeaderValue); 1]>;

/// The header that tells the ticket's version. It counts notes too, so that end users do not get it.
pub(crate) fn version(caller: &Caller, row: &Ticket) -> VersionHeader {
    let header = || [(HeaderName::from_static("x-domicile-version"), HeaderValue::from(row.version))];
    caller.is_agent().then(header)
}

/// Waits until the write can be read, and shows it; what cannot be read in time is folded from the log.
pub(crate) async fn written(
    desk: &Desk,
    caller: &Caller,
    ticket: TicketId,
    done: &Done,
) -> Result<(Written, VersionHeader, Value), ApiError> {
    let written = settle::settled(desk, &caller.resident, done, settle::TICKET).await;
    let (row, audit) = match written.visible {
        Visible::Yes => projected(desk, caller, ticket, done).await?,
        Visible::NotYet => folded(desk, caller, ticket, done).await?,
    };
    let row = row.ok_or_else(ApiError::not_found)?;
    caller.reading.of([row.ticket_id]);
    let mut audit = audit.unwrap_or_else(|| nothing_changed(&row, caller, desk));
    if !caller.is_insider() {
        keep_to_themselves(&mut audit);
    }
    let body = json!({
        "ticket": present::ticket::ticket(caller, &row),
        "audit": present::audit::one(desk, caller, &audit).await?,
    });
    Ok((written, version(caller, &row), body))
}

/// What rules did because of an end user is among those who work on tickets: what the rules are called, and fields that are for agents.
fn keep_to_themselves(audit: &mut Audit) {
    if let Some(entries) = audit.events.as_array_mut() {
        entries.retain(|entry| entry["via"]["channel"] != "rule");
    }
}

type Rows = (Option<Ticket>, Option<Audit>);

async fn projected(desk: &Desk, caller: &Caller, ticket: TicketId, done: &Done) -> Result<Rows, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::tickets::one(&mut transaction, &caller.resident, caller.sight(), ticket).await?;
    let audit = match done.nothing_changed {
        true => None,
        false => read::audits::at(&mut transaction, &caller.resident, ticket, done.first).await?,
    };
    Ok((row, audit))
}

async fn folded(desk: &Desk, caller: &Caller, ticket: TicketId, done: &Done) -> Result<Rows, ApiError> {
    let stream = StreamName::Ticket(ticket);
    let logged = read::log::whole_stream(desk, &caller.resident, &stream, Version::ZERO).await?;
    let fold = Fold::of(ticket, &logged);
    Ok((fold.row(ticket, caller.sight()), fold.audit(done.first).cloned()))
}

/// The audit of a command that found everything as asked already: there is none in the log, so it has no entries.
fn nothing_changed(row: &Ticket, caller: &Caller, desk: &Desk) -> Audit {
    Audit {
        audit_id: 0,
        ticket_id: row.ticket_id,
        author_id: Some(caller.person.get()),
        channel: row.channel.clone(),
        events: json!([]),
        created_at: desk.clock.now(),
    }
}
