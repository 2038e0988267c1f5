//! `POST /api/v2/tickets`: opens a ticket with its first comment.
//!
//! An agent may open it for somebody else: for a known `requester_id`, or for a `requester` with name and address, who is
//! made known in the same command if nobody has that address.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use domain::ticket::{Comment, Details, Open, Ticket};
use schemas::{PersonId, StreamName, TicketId};

use super::{answer, changes::Attributes, followup, import::Past, requester};
use crate::{
    api::{
        claim,
        comment::{CommentRequest, takes},
        named::{Named, Newcomers},
        v2::present,
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Batch, Done, Failure, Issuer, replayed},
    problem::{ApiError, ApiResult},
    state::Desk,
    triggers,
};

/// When what is brought in happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    /// Now.
    Now,
    /// In the past, elsewhere: an import says when.
    Past,
}

/// The longest subject made from a comment's first line, in characters.
const MADE_SUBJECT_LENGTH: usize = 150;
/// How often a command is decided anew when somebody takes the requester's address, or one of the files, meanwhile.
const ATTEMPTS_MAX: usize = 3;

/// A new ticket as a client sent it.
struct Request {
    requester: Option<Named>,
    attributes: Attributes,
    recipient: Option<String>,
    followup_of: Option<TicketId>,
    comment: CommentRequest,
    past: Option<Past>,
}

impl Request {
    async fn read(desk: &Desk, (mut fields, intake): (Fields<'_>, Intake), caller: &Caller) -> Result<Self, ApiError> {
        let attributes = Attributes::read(&mut fields, caller);
        let requester = requester::read(&mut fields);
        let submitter = fields.integer("submitter_id").map(PersonId::new);
        let recipient = fields.checked("recipient", domain::text::recipient);
        let followup_of = fields.integer("via_followup_source_id").map(TicketId::new);
        let (comment, past) = match intake {
            Intake::Now => (first_comment(desk, &mut fields).await?, None),
            Intake::Past => Past::read(desk, &mut fields).await?,
        };
        fields.finish()?;
        let comment = comment.ok_or_else(|| ApiError::invalid("comment", "comment: takes a text", "BlankValue"))?;
        let comment = comment.with_author_or(submitter);
        Ok(Self { requester, attributes, recipient, followup_of, comment, past })
    }
}

/// The comment, or the description of older clients.
pub(super) async fn first_comment(desk: &Desk, fields: &mut Fields<'_>) -> Result<Option<CommentRequest>, ApiError> {
    if let Some(mut inner) = fields.object("comment") {
        let comment = CommentRequest::read(desk, &mut inner).await?;
        fields.absorb(inner);
        return Ok(comment);
    }
    if fields.has("description") {
        return Ok(fields.required("description", |sent| takes(domain::text::body(sent))).map(CommentRequest::plain));
    }
    if fields.value("comment").is_none() {
        fields.fault("comment", "comment: takes an object with body or html_body", "BlankValue");
    }
    Ok(None)
}

/// Answers the ticket and the audit, and where the ticket is.
#[tracing::instrument(
    name = "desk.open_ticket",
    skip_all,
    fields(tenant.id = %caller.resident.tenant_id())
)]
pub(crate) async fn create(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => open(&desk, &caller, &by, (Fields::root(&body, "ticket")?, Intake::Now)).await?,
    };
    let Some(StreamName::Ticket(ticket)) = done.stream else { return Err(ApiError::idempotency_key_reused()) };
    let (written, version, body) =
        answer::written(&desk, &caller, ticket, &done).await.map_err(ApiError::after_done)?;
    let location = [(LOCATION, present::ticket::url(&caller, ticket.get()))];
    Ok((StatusCode::CREATED, location, version, written, Json(body)))
}

/// Opens the ticket that `fields` describe.
pub(crate) async fn open(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    fields: (Fields<'_>, Intake),
) -> Result<Done, ApiError> {
    let Request { requester, mut attributes, recipient, followup_of, comment, past } =
        Request::read(desk, fields, caller).await?;
    requester::check(requester.as_ref(), caller)?;
    let source = match followup_of {
        Some(source) => Some(followup::source(desk, caller, source).await?),
        None => None,
    };
    let text = comment.body().to_owned();
    let comment = comment.resolve(desk, caller, by).await?;
    let imported = match past {
        Some(past) => Some(past.resolve(desk, caller, by).await?),
        None => None,
    };
    let ticket = allocate(desk, caller).await?;
    let mut attempt = 1;
    loop {
        let mut newcomers = Newcomers::default();
        let further = attributes.resolve(desk, caller, &mut newcomers).await?;
        let mut command = plain(caller, &attributes, (&text, comment.clone()));
        (command.further, command.recipient, command.followup_of) = (further, recipient.clone().into(), followup_of);
        command.imported = imported.clone();
        if let Some(source) = &source {
            followup::copy(source, &attributes, &mut command);
        }
        command.requester = match &requester {
            Some(named) => named.resolve(desk, &caller.resident, ("requester_id", &mut newcomers)).await?.person,
            None => requester_of(caller, source.as_ref()),
        };
        match append(desk, by, (ticket, command), &newcomers).await? {
            Err(Failure::Conflict { .. }) if attempt < ATTEMPTS_MAX => attempt += 1,
            outcome => return Ok(outcome?),
        }
    }
}

/// What the attributes say by themselves.
fn plain(caller: &Caller, attributes: &Attributes, (text, comment): (&str, Comment)) -> Open {
    let subject = attributes.subject.clone().unwrap_or_else(|| subject_of(text));
    Open {
        status: attributes.status,
        priority: attributes.priority.flatten(),
        ticket_type: attributes.ticket_type.flatten(),
        assignee: attributes.assignee.flatten(),
        group: attributes.group.flatten(),
        tags: attributes.tags.clone().unwrap_or_default().into(),
        channel: attributes.channel,
        external_id: attributes.external_id.clone().flatten().into(),
        ..Open::new(caller.by(), caller.person, subject, comment)
    }
}

/// Whoever asks; where an agent follows up a ticket, whoever asked then.
fn requester_of(caller: &Caller, source: Option<&Details>) -> PersonId {
    source.filter(|_| caller.is_agent()).map_or(caller.person, |source| source.requester)
}

/// One attempt.
async fn append(
    desk: &Desk,
    by: &Issuer,
    (ticket, command): (TicketId, Open),
    newcomers: &Newcomers,
) -> Result<Result<Done, Failure>, ApiError> {
    let person = command.by.person;
    let more = command.imported.iter().flat_map(|imported| &imported.comments);
    let files = std::iter::once(&command.comment).chain(more).flat_map(|comment| comment.attachments.clone());
    let files: Vec<_> = files.collect();
    let command = triggers::watched(desk, &by.resident, command.into()).await?;
    let batch = Batch::new(desk, by).decide::<Ticket>(StreamName::Ticket(ticket), None, &command).await?;
    let batch = claim::decide(batch, by, (ticket, person), &files).await?;
    match newcomers.add_to(batch, desk, by).await? {
        Ok(batch) => Ok(batch.commit().await),
        Err(failure) => Ok(Err(failure)),
    }
}

async fn allocate(desk: &Desk, caller: &Caller) -> Result<TicketId, ApiError> {
    let mut transaction = regions::begin(&desk.pool, &caller.resident).await?;
    let ticket = eventlog::allocate_ticket(&mut transaction, &caller.resident).await?;
    transaction.commit().await?;
    Ok(ticket)
}

/// A subject for a ticket that came without: the first line of what was said.
fn subject_of(body: &str) -> String {
    let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let is_shown = |character: &char| !character.is_control() && !domain::text::is_bidi_control(*character);
    let subject: String = line.chars().filter(is_shown).take(MADE_SUBJECT_LENGTH).collect();
    domain::text::subject(&subject).unwrap_or_else(|_| "(no subject)".to_owned())
}

#[cfg(test)]
mod tests;
