//! A ticket's content: everything its events are sealed under, and the files of its comments.

use domain::ticket::{By, Erase, Ticket};
use futures::FutureExt;
use schemas::{
    AttachmentId, KeyId, StreamName, TenantLogEvent, TicketId, Version, ticket::TicketEvent, values::ErasureReason,
};
use vault::Scope;

use super::{Erased, finish, list};
use crate::{
    execute::{Batch, Done, Failure, Issuer, replayed, retried},
    problem::ApiError,
    read::log,
    state::Desk,
};

/// Erases a deleted ticket for good.
pub(crate) async fn ticket(desk: &Desk, by: &Issuer, who: By, ticket: TicketId) -> Result<Erased, ApiError> {
    let done = match replayed(desk, by).await? {
        Some(done) => done,
        None => retried(|| record(desk, by, (who, ticket)).boxed()).await?,
    };
    Ok(finish(desk, &by.resident, done).await)
}

async fn record(desk: &Desk, by: &Issuer, (who, ticket): (By, TicketId)) -> Result<Result<Done, Failure>, ApiError> {
    let stream = StreamName::Ticket(ticket);
    let content = Content::of(desk, by, &stream).await?;
    let erase = Erase { by: who, attachments: content.attachments.clone() };
    // At the version that was read: a comment more would be a key more.
    let batch = Batch::new(desk, by).decide::<Ticket>(stream, Some(content.version), &erase.into()).await;
    let batch = match batch {
        Err(refusal) => return Ok(Err(refusal.conflict()?)),
        Ok(batch) => batch,
    };
    let files: Vec<Scope> = content.attachments.iter().copied().map(Scope::Attachment).collect();
    let mut keys = desk.vault.living_of(&by.resident, &content.keys).await.map_err(Failure::Keys)?;
    keys.extend(desk.vault.living(&by.resident, &files).await.map_err(Failure::Keys)?);
    Ok(list(batch, ErasureReason::TicketErased, keys).await?.commit().await)
}

/// What a ticket's stream is sealed under, and which files it names.
struct Content {
    version: Version,
    keys: Vec<KeyId>,
    attachments: Vec<AttachmentId>,
}

impl Content {
    async fn of(desk: &Desk, by: &Issuer, stream: &StreamName) -> Result<Self, log::Error> {
        let logged = log::whole_stream(desk, &by.resident, stream, Version::ZERO).await?;
        let mut content = Self { version: Version::ZERO, keys: Vec::new(), attachments: Vec::new() };
        for event in logged {
            content.version = event.envelope.version;
            content.keys.push(event.envelope.key_id);
            if let Some(TenantLogEvent::Ticket(TicketEvent::CommentAdded(comment))) = event.event {
                content.attachments.extend(comment.attachments);
            }
        }
        content.keys.sort_unstable();
        content.keys.dedup();
        Ok(content)
    }
}
