//! A turn in the life of a ticket, together with the files its comment brings along: one command.

use domain::ticket::{AddComment, Command, Ticket, Update};
use schemas::{AttachmentId, StreamName, TicketId, Version};

use super::claim;
use crate::{
    execute::{Batch, Done, Failure, Issuer},
    problem::ApiError,
    state::Desk,
};

/// How often a turn is decided anew because somebody else wrote the ticket, or claimed a file, first.
const ATTEMPTS_MAX: u32 = 5;

/// Carries out a command on a ticket and claims its files, in one append. `expected` is the version the client saw, if it
/// said one: another version is a conflict.
pub(crate) async fn take(
    desk: &Desk,
    by: &Issuer,
    (ticket, expected): (TicketId, Option<Version>),
    command: &Command,
) -> Result<Done, ApiError> {
    let stream = StreamName::Ticket(ticket);
    let mut attempt = 1;
    loop {
        let batch = Batch::new(desk, by).decide::<Ticket>(stream.clone(), expected, command).await?;
        let (person, files) = files_of(command);
        let batch = claim::decide(batch, by, (ticket, person), files).await?;
        match batch.commit().await {
            // That the ticket moved on is for a client that named a version; that a file did is for nobody.
            Err(Failure::Conflict { stream: moved })
                if attempt < ATTEMPTS_MAX && (expected.is_none() || moved != stream) =>
            {
                attempt += 1;
            }
            done => return Ok(done?),
        }
    }
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
