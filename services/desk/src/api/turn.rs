//! A turn in the life of a ticket, together with the files its comment brings along: one command.

use domain::ticket::{AddComment, Command, Ticket, Update};
use futures::FutureExt;
use schemas::{AttachmentId, StreamName, TicketId, Version};

use super::claim;
use crate::{
    execute::{Batch, Done, Issuer, retried},
    problem::ApiError,
    state::Desk,
};

/// Carries out a command on a ticket and claims its files, in one append. `expected` is the version the client saw, if it
/// said one: another version is a conflict.
pub(crate) async fn take(
    desk: &Desk,
    by: &Issuer,
    (ticket, expected): (TicketId, Option<Version>),
    command: &Command,
) -> Result<Done, ApiError> {
    let (person, files) = files_of(command);
    let attempt = || async move {
        let batch = Batch::new(desk, by).decide::<Ticket>(StreamName::Ticket(ticket), expected, command).await?;
        Ok(claim::decide(batch, by, (ticket, person), files).await?.commit().await)
    };
    retried(|| attempt().boxed()).await
}

fn files_of(command: &Command) -> (schemas::PersonId, &[AttachmentId]) {
    match command {
        Command::Open(open) => (open.by.person, &open.comment.attachments),
        Command::Update(update) => {
            let Update { by, comment, .. } = &**update;
            (by.person, comment.as_ref().map_or(&[][..], |comment| &comment.attachments))
        }
        Command::AddComment(AddComment { by, comment, .. }) => (by.person, &comment.attachments),
        Command::Delete(by) | Command::Restore(by) => (by.person, &[]),
        Command::Erase(erase) => (erase.by.person, &[]),
    }
}
