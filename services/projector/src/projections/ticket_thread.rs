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

use crate::{
    batch::Applied,
    build::OpenBuild,
    error::ApplyError,
    projections::{ERASED, Projection, apply_span, array_literal, column, on_tickets, person_of},
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
    let comments: Vec<_> = on_tickets(events)
        .into_iter()
        .filter(|(_, event)| event.envelope.event_type == "comment_added")
        .map(|(ticket, applied)| Comment { ticket, applied, content: comment_of(applied) })
        .collect();
    store_comments(build, tenant, &comments).await?;
    store_uploads(build, resident, &uploads(events)).await?;
    store_claims(build, tenant, &claims(&comments)).await
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

    fn attachment_ids(&self) -> String {
        array_literal(self.content.map_or(&[][..], |content| &content.attachments))
    }

    fn channel(&self) -> &'static str {
        self.content.map_or(Channel::Api, |content| content.channel).as_str()
    }
}

async fn store_comments(build: &mut OpenBuild, tenant: TenantId, comments: &[Comment<'_>]) -> Result<(), ApplyError> {
    if comments.is_empty() {
        return Ok(());
    }
    let rows: Vec<&Comment<'_>> = comments.iter().collect();
    sqlx::query!(
        "insert into comment
             (tenant_id, comment_id, ticket_id, audit_id, author_id, is_public, body, html_body, attachment_ids, channel,
              created_at)
         select $1, comment_id, ticket_id, audit_id, author_id, is_public, body, html_body, attachment_ids::bigint[],
                channel, created_at
         from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::timestamptz[])
              as row (comment_id, ticket_id, audit_id, author_id, is_public, body, html_body, attachment_ids, channel,
                      created_at)",
        tenant.get(),
        &column(&rows, |row| ids::comment_id(row.applied.position)),
        &column(&rows, |row| row.ticket.get()),
        &column(&rows, |row| ids::audit_id(row.applied.command_first)),
        &column(&rows, |row| row.author_id()),
        &column(&rows, |row| row.is_public()),
        &column(&rows, |row| row.body()) as _,
        &column(&rows, |row| row.html_body()) as _,
        &column(&rows, |row| row.attachment_ids()),
        &column(&rows, |row| row.channel()) as _,
        &column(&rows, |row| row.applied.envelope.recorded_at.to_sqlx()) as _,
    )
    .execute(build)
    .await?;
    Ok(())
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

async fn store_uploads(build: &mut OpenBuild, resident: &Resident, uploads: &[Upload<'_>]) -> Result<(), ApplyError> {
    if uploads.is_empty() {
        return Ok(());
    }
    let rows: Vec<&Upload<'_>> = uploads.iter().collect();
    sqlx::query!(
        "insert into attachment
             (tenant_id, attachment_id, file_name, content_type, size_bytes, uploader_id, token_sha256, token_expires_at,
              blob, key_id, created_at)
         select $1, attachment_id, file_name, content_type, size_bytes, uploader_id, token_sha256, token_expires_at,
                blob, key_id, created_at
         from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::timestamptz[],
                     $9::bytea[], $10::uuid[], $11::timestamptz[])
              as row (attachment_id, file_name, content_type, size_bytes, uploader_id, token_sha256, token_expires_at,
                      blob, key_id, created_at)",
        resident.tenant_id().get(),
        &column(&rows, |row| row.attachment.get()),
        &column(&rows, |row| row.file_name()) as _,
        &column(&rows, |row| row.content_type()) as _,
        &column(&rows, |row| row.size_bytes()),
        &column(&rows, |row| row.uploader_id()),
        &column(&rows, |row| row.token_sha256()) as _,
        &column(&rows, |row| row.token_expires_at()) as _,
        &column(&rows, |row| row.blob()) as _,
        &column(&rows, |row| row.applied.envelope.key_id.get()),
        &column(&rows, |row| row.applied.envelope.recorded_at.to_sqlx()) as _,
    )
    .execute(build)
    .await?;
    Ok(())
}

async fn store_claims(build: &mut OpenBuild, tenant: TenantId, claims: &[Claim]) -> Result<(), ApplyError> {
    if claims.is_empty() {
        return Ok(());
    }
    let rows: Vec<&Claim> = claims.iter().collect();
    sqlx::query!(
        "update attachment
         set comment_id = row.comment_id, ticket_id = row.ticket_id, is_public = row.is_public
         from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[])
              as row (attachment_id, comment_id, ticket_id, is_public)
         where attachment.tenant_id = $1 and attachment.attachment_id = row.attachment_id
               and attachment.comment_id is null",
        tenant.get(),
        &column(&rows, |row| row.attachment.get()),
        &column(&rows, |row| row.comment_id),
        &column(&rows, |row| row.ticket_id),
        &column(&rows, |row| row.is_public),
    )
    .execute(build)
    .await?;
    Ok(())
}
