//! A turn in the life of a ticket, together with the files its comment brings along: one command.

use domain::ticket::{AddComment, Command, Ticket, Update};
use futures::FutureExt;
use schemas::{AttachmentId, JobId, StreamName, TicketId, Version};

use super::{claim, named::Newcomers};
use crate::{
    execute::{Batch, Done, Issuer, retried},
    jobs::{self, Asked},
    problem::ApiError,
    state::Desk,
    triggers,
};

/// What a command on a ticket brings along.
#[derive(Default)]
pub(crate) struct Along {
    /// People it names who are made known by it.
    pub(crate) newcomers: Newcomers,
    /// What is to be done with other tickets because of it.
    pub(crate) job: Option<Asked>,
}

/// Carries out a command on a ticket, claims its files, makes newcomers known and queues what follows, in one append. `expected` is
/// the version the client saw, if it said one: another version is a conflict, and so is an address that somebody took meanwhile.
pub(crate) async fn take(
    desk: &Desk,
    by: &Issuer,
    (ticket, expected): (TicketId, Option<Version>),
    (command, along): (&Command, &Along),
) -> Result<Done, ApiError> {
    let (person, files) = files_of(command);
    let command = &triggers::watched(desk, &by.resident, command.clone()).await?;
    let attempt = || async move {
        let batch = Batch::new(desk, by).decide::<Ticket>(StreamName::Ticket(ticket), expected, command).await?;
        let batch = claim::decide(batch, by, (ticket, person), files).await?;
        let mut batch = along.newcomers.add_to(batch, desk, by).await??;
        if let Some(job) = &along.job {
            batch = jobs::queue(batch, by, person, job.clone()).await?;
        }
        Ok::<_, ApiError>(batch.commit().await)
    };
    let done = retried(|| attempt().boxed()).await?;
    if along.job.is_some() {
        desk.jobs().take_on(&by.resident, JobId::new(by.command_id.get()));
    }
    Ok(done)
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
        Command::Automated(_) | Command::CloseSolved => (command.by().person, &[]),
        Command::Watched(command, _) => files_of(command),
    }
}
