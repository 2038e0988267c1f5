//! A command as the desk carries it out, between its HTTP and its rules: read the stream, open it, make the comment's key,
//! seal, append.

use eventlog::{Append, Appended, Expected, StreamAppend};
use regions::Resident;
use schemas::{CommandId, EventId, StreamName, TenantLogEvent, TicketId, Version};
use vault::Scope;

use crate::{ground::Store, writer};

/// As the desk reads a stream.
const PAGE_LENGTH: i64 = 500;

/// A ticket that is commented on.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) resident: Resident,
    pub(crate) number: i64,
}

impl Ticket {
    /// Adds a comment. Returns the version it got.
    pub(crate) async fn add_comment(&self, store: &Store) -> anyhow::Result<(Version, Appended)> {
        let (resident, stream) = (&self.resident, StreamName::Ticket(TicketId::new(self.number)));
        let read_at = load(store, resident, &stream).await?;
        let (command_id, event_id) = (CommandId::new(store.ids.uuid()), EventId::new(store.ids.uuid()));
        let key = store.vault.data_keys(resident, &[Scope::Comment(event_id)]).await?.remove(0);
        let (version, comment) = (read_at.next(), writer::comment(writer::body()));
        let sealed = writer::seal(store, (resident, &stream, version), (command_id, event_id, &key), &comment);
        let expected = if read_at == Version::ZERO { Expected::NoStream } else { Expected::Exact(read_at) };
        let streams = vec![StreamAppend { stream, expected, events: vec![sealed] }];
        let append = Append { resident: resident.clone(), command_id, idempotency: None, streams };
        Ok((version, store.appender.append(append).await?))
    }
}

/// Reads a stream as the desk does before it decides, and returns its version.
async fn load(store: &Store, resident: &Resident, stream: &StreamName) -> anyhow::Result<Version> {
    let mut version = Version::ZERO;
    loop {
        let mut transaction = regions::begin(&store.desk, resident).await?;
        let page = eventlog::read_stream(&mut transaction, resident, stream, version, PAGE_LENGTH).await?;
        drop(transaction);
        let opened = store.vault.open_all(resident, &page).await?;
        for (recorded, plaintext) in page.iter().zip(opened) {
            let envelope = &recorded.sealed.envelope;
            version = envelope.version;
            if let Some(plaintext) = plaintext {
                TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, &plaintext)?;
            }
        }
        if i64::try_from(page.len()).is_ok_and(|length| length < PAGE_LENGTH) {
            return Ok(version);
        }
    }
}
