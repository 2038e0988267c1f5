//! `PUT /api/v2/tickets/{id}`: changes a ticket, and perhaps says something, as one command and one audit.
//!
//! A client that must not overwrite what it has not seen sends `safe_update` with `updated_stamp`, or, more exactly,
//! `expected_version`; a ticket that has moved on since is answered 409 and left alone.

use axum::{Json, extract::State, response::IntoResponse};
use domain::ticket::{Changes, Update};
use jiff::Timestamp;
use schemas::{StreamName, TicketId, Version};

use super::{
    answer,
    changes::{Attributes, tags},
    incidents, requester,
};
use crate::{
    api::{
        comment::CommentRequest,
        named::{Named, Newcomers},
        settle,
        turn::{self, Along},
        v2::{ids::Id, present::moment},
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Done, Issuer, replayed},
    problem::{ApiError, ApiResult},
    read::{self, tickets},
    state::Desk,
};

/// An update as a client sent it.
struct Request {
    attributes: Attributes,
    requester: Option<Named>,
    added_tags: Vec<String>,
    removed_tags: Vec<String>,
    comment: Option<CommentRequest>,
    stamp: Stamp,
}

impl Request {
    async fn read(
        desk: &Desk,
        mut fields: Fields<'_>,
        caller: &Caller,
        row: &tickets::Ticket,
    ) -> Result<Self, ApiError> {
        let attributes = Attributes::read(&mut fields, caller);
        let comment = match fields.object("comment") {
            Some(mut inner) => {
                let comment = CommentRequest::read(desk, &mut inner).await?;
                fields.absorb(inner);
                comment
            }
            None => None,
        };
        let stamp = Stamp::read(&mut fields);
        let requester = requester::read(&mut fields);
        let added_tags = tags(&mut fields, "additional_tags").unwrap_or_default();
        let removed_tags = tags(&mut fields, "remove_tags").unwrap_or_default();
        let submitter = row.submitter_id;
        if fields.integer("submitter_id").is_some_and(|asked| asked != submitter) {
            fields.fault("submitter_id", format!("takes {submitter}, as it is: it does not change"), "InvalidValue");
        }
        fields.finish()?;
        Ok(Self { attributes, requester, added_tags, removed_tags, comment, stamp })
    }

    /// The command, and who is made known by it.
    async fn resolve(mut self, desk: &Desk, caller: &Caller, by: &Issuer) -> Result<(Update, Newcomers), ApiError> {
        let mut newcomers = Newcomers::default();
        let further = self.attributes.resolve(desk, caller, &mut newcomers).await?;
        let requester = match &self.requester {
            Some(Named::Known(person)) if *person == caller.person => Some(*person),
            Some(named) => Some(named.resolve(desk, &caller.resident, ("requester_id", &mut newcomers)).await?.person),
            None => None,
        };
        let comment = match self.comment {
            Some(comment) => Some(comment.resolve(desk, caller, by).await?),
            None => None,
        };
        let channel = self.attributes.channel;
        let changes = self.attributes.into_changes(further);
        let (added_tags, removed_tags) = (self.added_tags.into(), self.removed_tags.into());
        let changes = Changes { requester, added_tags, removed_tags, ..changes };
        Ok((Update { by: caller.by(), changes, comment, channel }, newcomers))
    }
}

/// What a client says about the ticket it saw.
pub(super) struct Stamp {
    updated_stamp: Option<Timestamp>,
    expected_version: Option<Version>,
}

impl Stamp {
    /// Reads `safe_update` with `updated_stamp`, and `expected_version`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let is_safe = fields.boolean("safe_update").unwrap_or(false);
        let updated_stamp = if is_safe { fields.required("updated_stamp", moment_of) } else { None };
        Self { updated_stamp, expected_version: fields.integer("expected_version").map(Version::new) }
    }

    /// The version the update is for, if the client cares; a conflict, if the ticket has moved on already.
    pub(super) fn expected(&self, row: &tickets::Ticket) -> Result<Option<Version>, ApiError> {
        match self.updated_stamp {
            Some(stamp) if moment(stamp) != moment(row.updated_at) => Err(ApiError::conflict()),
            Some(_) => Ok(Some(self.expected_version.unwrap_or(Version::new(row.version)))),
            None => Ok(self.expected_version),
        }
    }
}

fn moment_of(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "takes a moment such as 2026-11-22T10:00:00Z, as updated_at says it")
}

/// Answers the ticket as it is afterwards, and the audit.
#[tracing::instrument(
    name = "desk.update_ticket",
    skip_all,
    fields(tenant.id = %caller.resident.tenant_id(), stream = %StreamName::Ticket(ticket))
)]
pub(crate) async fn update(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            let row = in_sight(&desk, &caller, ticket).await?;
            change(&desk, &caller, &by, (&row, Fields::root(&body, "ticket")?)).await?
        }
    };
    let (written, version, body) =
        answer::written(&desk, &caller, ticket, &done).await.map_err(ApiError::after_done)?;
    Ok((written, version, Json(body)))
}

/// Changes a ticket as `fields` say.
pub(crate) async fn change(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    (row, fields): (&tickets::Ticket, Fields<'_>),
) -> Result<Done, ApiError> {
    let request = Request::read(desk, fields, caller, row).await?;
    let expected = request.stamp.expected(row)?;
    let (update, newcomers) = request.resolve(desk, caller, by).await?;
    let along = Along { newcomers, job: incidents::to_solve(desk, caller, row, &update).await? };
    turn::take(desk, by, (TicketId::new(row.ticket_id), expected), (&update.into(), &along)).await
}

/// The ticket, if the caller may see it; also one that was opened a moment ago.
pub(crate) async fn in_sight(desk: &Desk, caller: &Caller, ticket: TicketId) -> Result<tickets::Ticket, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    if let Some(row) = read::tickets::one(&mut transaction, &caller.resident, caller.sight(), ticket).await? {
        return Ok(row);
    }
    drop(transaction);
    settle::catch_up(desk, &caller.resident, settle::TICKET).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::tickets::one(&mut transaction, &caller.resident, caller.sight(), ticket).await?;
    row.ok_or_else(ApiError::not_found)
}

#[cfg(test)]
mod tests;
