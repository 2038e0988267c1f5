//! An import from beginning to end: read, thread, post, count.

use std::path::PathBuf;

use runtime::Shutdown;
use serde::Serialize;

use super::{client::Error, journal::Journal, post::Poster};
use crate::{
    mail::{self, Thread, scan},
    output::Row,
    progress::Progress,
};

/// What to import, and where to.
#[derive(Debug)]
pub struct Source {
    /// The tenant's name, for the counts.
    pub tenant: String,
    /// Files to read.
    pub files: Vec<PathBuf>,
}

/// What an import did. `files = messages + copies + unreadable`, always, and `messages = posted + already there + refused`
/// unless it was interrupted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Into which tenant.
    pub tenant: String,
    /// Files found.
    pub files: usize,
    /// Messages in them, each once.
    pub messages: usize,
    /// Files that hold a message already seen.
    pub copies: usize,
    /// Files that are no message; each was named.
    pub unreadable: usize,
    /// Tickets the messages are in.
    pub tickets: usize,
    /// Messages this run posted.
    pub posted: usize,
    /// Messages an earlier run had posted.
    pub already_there: usize,
    /// Messages the API refused; each was named.
    pub refused: usize,
    /// Files that came along with the posted messages.
    pub attachments: usize,
    /// Whether the import was interrupted.
    pub interrupted: bool,
}

impl Row for Counts {
    const HEADINGS: &'static [&'static str] = &[
        "tenant",
        "files",
        "messages",
        "copies",
        "unreadable",
        "tickets",
        "posted",
        "already there",
        "refused",
        "attachments",
    ];

    fn cells(&self) -> Vec<String> {
        let numbers = [
            self.files,
            self.messages,
            self.copies,
            self.unreadable,
            self.tickets,
            self.posted,
            self.already_there,
            self.refused,
            self.attachments,
        ];
        std::iter::once(self.tenant.clone()).chain(numbers.map(|number| number.to_string())).collect()
    }
}

/// Imports mail into one tenant. Stops between two messages when asked to.
pub async fn import(
    source: &Source,
    poster: &Poster,
    journal: &Journal,
    shutdown: &Shutdown,
) -> anyhow::Result<Counts> {
    let files = source.files.clone();
    let scanned = tokio::task::spawn_blocking(move || scan::read(&files)).await?;
    let mut counts = Counts {
        tenant: source.tenant.clone(),
        files: source.files.len(),
        messages: scanned.mails.len(),
        copies: scanned.copies.len(),
        unreadable: scanned.unreadable.len(),
        ..Counts::default()
    };
    let progress = Progress::new(&format!("import into {}", source.tenant), scanned.mails.len() as u64);
    for (copy, first) in &scanned.copies {
        progress.say(&format!("copy: {} holds the message of {}", copy.display(), first.display()));
    }
    for (path, reason) in &scanned.unreadable {
        progress.say(&format!("unreadable: {}: {reason}", path.display()));
    }
    for thread in mail::threads(scanned.mails) {
        import_thread(&thread, poster, journal, &mut counts, &progress, shutdown).await?;
        if shutdown.is_requested() {
            counts.interrupted = true;
            break;
        }
    }
    progress.finish();
    Ok(counts)
}

async fn import_thread(
    thread: &Thread,
    poster: &Poster,
    journal: &Journal,
    counts: &mut Counts,
    progress: &Progress,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let mut ticket = None;
    for mail in &thread.mails {
        if shutdown.is_requested() {
            return Ok(());
        }
        let key = mail.key();
        if let Some(known) = journal.ticket_of(&key) {
            ticket = Some(known);
            counts.already_there += 1;
            progress.advance(1);
            continue;
        }
        let posted = match ticket {
            None => poster.open(mail).await,
            Some(ticket) => poster.answer(ticket, mail).await,
        };
        match posted {
            Ok(posted) => {
                journal.record(&key, posted.ticket)?;
                ticket = Some(posted.ticket);
                *(if posted.is_new { &mut counts.posted } else { &mut counts.already_there }) += 1;
                counts.attachments += if posted.is_new { mail.attachments.len() } else { 0 };
            }
            Err(error @ Error::Refused { .. }) => {
                progress.say(&format!("refused: {}: {error}", mail.path.display()));
                counts.refused += 1;
            }
            Err(error) => return Err(error.into()),
        }
        progress.advance(1);
    }
    counts.tickets += usize::from(ticket.is_some());
    Ok(())
}
