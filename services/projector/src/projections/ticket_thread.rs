//! The projection `ticket_thread`: the comments of tickets, uploaded files, and which comment claimed which file.

use std::collections::HashSet;

use jiff_sqlx::{Timestamp, ToSqlx};
use regions::Resident;
use schemas::{
    AttachmentId, StreamName, TenantId, TenantLogEvent, TicketId, ids,
    ticket::{CommentAdded, TicketEvent},
    upload::{UploadEvent, UploadReceived},
    values::{Channel, Visibility},
};
use sqlx::error::BoxDynError;

use crate::{
    batch::Applied,
    build::{Columns, OpenBuild, Row},
    error::ApplyError,
    projections::{ERASED, Projection, apply_span, column, on_tickets, person_of},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "ticket_thread",
    shape: 1,
    tables_sql: include_str!("../../sql/ticket_thread/tables.sql"),
    indexes_sql: include_str!("../../sql/ticket_thread/indexes.sql"),
    tables: &[Table { name: "comment", key: "comment_id" }, Table { name: "attachment", key: "attachment_id" }],
    reads: |stream| matches!(stream, StreamName::Ticket(_) | StreamName::Upload(_)),
    passes_over: &[
        "ticket_opened",
        "status_set",
        "priority_set",
        "type_set",
        "assignee_set",
        "group_set",
        "tags_set",
        "subject_set",
        "external_id_set",
        "requester_set",
        "due_set",
        "problem_set",
        "email_ccs_set",
        "followers_set",
        "recipient_noted",
        "custom_fields_set",
        "followup_linked",
        "ticket_deleted",
        "ticket_restored",
        // The comment itself says which files it brings along.
        "upload_claimed",
    ],
    span: || apply_span!("projection.ticket_thread.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

struct Comment<'event> {
    ticket: TicketId,
    applied: &'event Applied,
    /// Absent when it was erased.
    content: Option<&'event CommentAdded>,
    /// When it was said, if that was elsewhere.
    said_at: Option<jiff::Timestamp>,
}

struct Upload<'event> {
    attachment: AttachmentId,
    applied: &'event Applied,
    /// Absent when it was erased.
    content: Option<&'event UploadReceived>,
}

struct Claim {
    attachment: AttachmentId,
    comment_id: i64,
    ticket_id: i64,
    is_public: bool,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let tenant = resident.tenant_id();
    let comments = comments(events);
    build.add(&comments).await?;
    build.add(&uploads(events)).await?;
    store_claims(build, tenant, &claims(&comments)).await?;
    remove(build, tenant, &Erased::of(events)).await
}

/// Comments, each with the moment that an import names for it: the event that does follows in the same command.
fn comments(events: &[Applied]) -> Vec<Comment<'_>> {
    let mut comments: Vec<Comment<'_>> = Vec::new();
    for (ticket, applied) in on_tickets(events) {
        if applied.envelope.event_type == "comment_added" {
            comments.push(Comment { ticket, applied, content: comment_of(applied), said_at: None });
        } else if let Some(TenantLogEvent::Ticket(TicketEvent::TicketImported(imported))) = applied.event() {
            let is_of_command = |comment: &&mut Comment<'_>| comment.applied.command_first == applied.command_first;
            let said = comments.iter_mut().filter(is_of_command).zip(&imported.said_at);
            said.for_each(|(comment, said_at)| comment.said_at = Some(*said_at));
        }
    }
    comments
}

/// What erasures of tickets take along.
struct Erased {
    tickets: Vec<i64>,
    attachments: Vec<i64>,
}

impl Erased {
    fn of(events: &[Applied]) -> Self {
        let mut erased = Self { tickets: Vec::new(), attachments: Vec::new() };
        for (ticket, applied) in on_tickets(events) {
            if let Some(TenantLogEvent::Ticket(TicketEvent::TicketErased(event))) = applied.event() {
                erased.tickets.push(ticket.get());
                erased.attachments.extend(event.attachments.iter().map(|attachment| attachment.get()));
            }
        }
        erased
    }
}

async fn remove(build: &mut OpenBuild, tenant: TenantId, erased: &Erased) -> Result<(), ApplyError> {
    if erased.tickets.is_empty() {
        return Ok(());
    }
    sqlx::query!("delete from comment where tenant_id = $1 and ticket_id = any($2)", tenant.get(), &erased.tickets)
        .execute(&mut *build)
        .await?;
    // By their ids, not by their ticket: in a build that is filled after the erasure no comment has claimed them.
    let attachments = &erased.attachments;
    sqlx::query!("delete from attachment where tenant_id = $1 and attachment_id = any($2)", tenant.get(), attachments)
        .execute(build)
        .await?;
    Ok(())
}

const fn comment_of(applied: &Applied) -> Option<&CommentAdded> {
    match applied.event() {
        Some(TenantLogEvent::Ticket(TicketEvent::CommentAdded(comment))) => Some(comment),
        _ => None,
    }
}

fn uploads(events: &[Applied]) -> Vec<Upload<'_>> {
    let attachment_of = |applied: &Applied| match applied.envelope.stream {
        StreamName::Upload(attachment) => Some(attachment),
        _ => None,
    };
    events
        .iter()
        .filter(|applied| applied.envelope.event_type == "upload_received")
        .filter_map(|applied| {
            Some(Upload { attachment: attachment_of(applied)?, applied, content: received(applied.event()) })
        })
        .collect()
}

const fn received(event: Option<&TenantLogEvent>) -> Option<&UploadReceived> {
    match event {
        Some(TenantLogEvent::Upload(UploadEvent::UploadReceived(received))) => Some(received),
        _ => None,
    }
}

/// A file belongs to the first comment that brings it along.
fn claims(comments: &[Comment<'_>]) -> Vec<Claim> {
    let mut claimed = HashSet::new();
    let mut claims = Vec::new();
    for comment in comments {
        let Some(content) = comment.content else { continue };
        for attachment in content.attachments.iter().filter(|attachment| claimed.insert(**attachment)) {
            claims.push(Claim {
                attachment: *attachment,
                comment_id: ids::comment_id(comment.applied.position),
                ticket_id: comment.ticket.get(),
                is_public: content.visibility == Visibility::Public,
            });
        }
    }
    claims
}

impl Comment<'_> {
    fn author_id(&self) -> i64 {
        let actor = || person_of(self.applied.envelope.actor).unwrap_or_default();
        self.content.map_or_else(actor, |content| content.author.get())
    }

    /// What was erased is shown to agents only: nobody knows any more whether it was public.
    fn is_public(&self) -> bool {
        self.content.is_some_and(|content| content.visibility == Visibility::Public)
    }

    fn body(&self) -> &str {
        self.content.map_or(ERASED, |content| content.body.expose())
    }

    fn html_body(&self) -> Option<&str> {
        self.content.and_then(|content| content.html_body.expose().as_deref())
    }

    fn attachment_ids(&self) -> Vec<i64> {
        let attachments = self.content.map_or(&[][..], |content| &content.attachments);
        attachments.iter().map(|attachment| attachment.get()).collect()
    }

    fn channel(&self) -> &'static str {
        self.content.map_or(Channel::Api, |content| content.channel).as_str()
    }
}

impl Row for Comment<'_> {
    const TABLE: &'static str = "comment";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("comment_id", ids::comment_id(self.applied.position))?;
        to.value("ticket_id", self.ticket.get())?;
        to.value("audit_id", ids::audit_id(self.applied.command_first))?;
        to.value("author_id", self.author_id())?;
        to.value("is_public", self.is_public())?;
        to.value("body", self.body())?;
        to.value("html_body", self.html_body())?;
        to.list("attachment_ids", &self.attachment_ids())?;
        to.value("channel", self.channel())?;
        to.value("created_at", self.said_at.unwrap_or(self.applied.envelope.recorded_at).to_sqlx())
    }
}

impl Upload<'_> {
    fn file_name(&self) -> &str {
        self.content.map_or(ERASED, |content| content.file_name.expose())
    }

    fn content_type(&self) -> &str {
        self.content.map_or("application/octet-stream", |content| content.content_type.expose())
    }

    fn size_bytes(&self) -> i64 {
        self.content.map_or(0, |content| i64::try_from(content.size_bytes).unwrap_or(i64::MAX))
    }

    fn uploader_id(&self) -> i64 {
        let actor = || person_of(self.applied.envelope.actor).unwrap_or_default();
        self.content.map_or_else(actor, |content| content.uploader.get())
    }

    /// No token has the empty hash: an erased file cannot be claimed.
    fn token_sha256(&self) -> &str {
        self.content.map_or("", |content| content.token_sha256.as_str())
    }

    fn token_expires_at(&self) -> Timestamp {
        self.content.map_or(self.applied.envelope.recorded_at, |content| content.expires_at).to_sqlx()
    }

    fn blob(&self) -> &[u8] {
        self.applied.envelope.blob.as_ref().map_or(&[], |blob| blob.as_bytes())
    }
}

/// Who has claimed it is set when a comment does.
impl Row for Upload<'_> {
    const TABLE: &'static str = "attachment";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("attachment_id", self.attachment.get())?;
        to.value("file_name", self.file_name())?;
        to.value("content_type", self.content_type())?;
        to.value("size_bytes", self.size_bytes())?;
        to.value("uploader_id", self.uploader_id())?;
        to.value("token_sha256", self.token_sha256())?;
        to.value("token_expires_at", self.token_expires_at())?;
        to.value("blob", self.blob())?;
        to.value("key_id", self.applied.envelope.key_id.get())?;
        to.value("created_at", self.applied.envelope.recorded_at.to_sqlx())
    }
}

async fn store_claims(build: &mut OpenBuild, tenant: TenantId, claims: &[Claim]) -> Result<(), ApplyError> {
    if claims.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update attachment
         set comment_id = row.comment_id, ticket_id = row.ticket_id, is_public = row.is_public
         from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[])
              as row (attachment_id, comment_id, ticket_id, is_public)
         where attachment.tenant_id = $1 and attachment.attachment_id = row.attachment_id
               and attachment.comment_id is null",
        tenant.get(),
        &column(claims, |row| row.attachment.get()),
        &column(claims, |row| row.comment_id),
        &column(claims, |row| row.ticket_id),
        &column(claims, |row| row.is_public),
    )
    .execute(build)
    .await?;
    Ok(())
}
