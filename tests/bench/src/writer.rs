//! One writer on a stream of its own: seals and appends as the desk does, and decides nothing.

use eventlog::{Append, Expected, StreamAppend};
use regions::Resident;
use schemas::{
    Actor, CommandId, Envelope, EventId, PersonId, Sealed, StreamName, TenantLogEvent, TicketId, Version,
    ticket::{CommentAdded, TicketEvent, TicketOpened},
    values::{Channel, Priority, Visibility},
};
use vault::{DataKey, Scope};

use crate::ground::Store;

/// Sealed, an event is about as long as this; the length that the limit's rows have too.
pub(crate) const PAYLOAD_BYTES: usize = 600;

/// What the event around the body adds.
const AROUND_BODY_BYTES: usize = 110;

/// As the desk passes on what a client sent.
const TRACE_PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// One writer.
pub(crate) struct Writer {
    store: Store,
    resident: Resident,
    stream: StreamName,
    key: DataKey,
    version: Version,
    body: String,
}

impl Writer {
    /// A writer on a ticket that has no events yet.
    pub(crate) async fn new(store: &Store, resident: &Resident, ticket: i64) -> anyhow::Result<Self> {
        let ticket = TicketId::new(ticket);
        let key = store.vault.data_keys(resident, &[Scope::Ticket(ticket)]).await?.remove(0);
        let (resident, stream) = (resident.clone(), StreamName::Ticket(ticket));
        Ok(Self { store: store.clone(), resident, stream, key, version: Version::ZERO, body: body() })
    }

    /// Appends so many comments in one command.
    pub(crate) async fn append(&mut self, count: usize) -> Result<(), eventlog::Error> {
        let comments = (0..count).map(|_| comment(self.body.clone())).collect();
        self.append_events(comments, None).await
    }

    /// Appends the event that opens the ticket.
    pub(crate) async fn open(&mut self) -> Result<(), eventlog::Error> {
        let opened = opened(&self.stream);
        self.append_events(vec![opened], None).await
    }

    /// Appends a comment under a key of its own, as the desk does, so that it can be erased alone.
    pub(crate) async fn comment(&mut self) -> anyhow::Result<()> {
        let event_id = EventId::new(self.store.ids.uuid());
        let keys = self.store.vault.data_keys(&self.resident, &[Scope::Comment(event_id)]).await?;
        Ok(self.append_events(vec![comment(self.body.clone())], Some((event_id, &keys[0]))).await?)
    }

    async fn append_events(
        &mut self,
        events: Vec<TenantLogEvent>,
        with: Option<(EventId, &DataKey)>,
    ) -> Result<(), eventlog::Error> {
        let expected = if self.version == Version::ZERO { Expected::NoStream } else { Expected::Exact(self.version) };
        let command_id = CommandId::new(self.store.ids.uuid());
        let mut version = self.version;
        let seal = |event| {
            version = version.next();
            let (event_id, key) = with.unwrap_or_else(|| (EventId::new(self.store.ids.uuid()), &self.key));
            let place = (&self.resident, &self.stream, version);
            seal(&self.store, place, (command_id, event_id, key), &event)
        };
        let events = events.into_iter().map(seal).collect();
        let streams = vec![StreamAppend { stream: self.stream.clone(), expected, events }];
        let append = Append { resident: self.resident.clone(), command_id, idempotency: None, streams };
        self.store.appender.append(append).await?;
        self.version = version;
        Ok(())
    }
}

/// Gives an event its envelope and seals it.
pub(crate) fn seal(
    store: &Store,
    (resident, stream, version): (&Resident, &StreamName, Version),
    (command_id, event_id, key): (CommandId, EventId, &DataKey),
    event: &TenantLogEvent,
) -> Sealed {
    let envelope = Envelope {
        tenant_id: resident.tenant_id(),
        stream: stream.clone(),
        version,
        event_id,
        event_type: event.event_type().to_owned(),
        schema_version: event.schema_version(),
        recorded_at: store.clock.now(),
        actor: Actor::Person(PersonId::new(1)),
        command_id,
        causation_id: None,
        trace_parent: Some(TRACE_PARENT.to_owned()),
        key_id: key.id(),
        blob: None,
    };
    vault::seal_event(key, envelope, event)
}

/// A comment's text.
pub(crate) fn body() -> String {
    "A sentence of the usual kind, as people write them. "
        .chars()
        .cycle()
        .take(PAYLOAD_BYTES - AROUND_BODY_BYTES)
        .collect()
}

pub(crate) fn comment(body: String) -> TenantLogEvent {
    let comment = CommentAdded {
        author: PersonId::new(1),
        visibility: Visibility::Public,
        body: body.into(),
        html_body: None.into(),
        attachments: Vec::new(),
        channel: Channel::Api,
    };
    TicketEvent::from(comment).into()
}

pub(crate) fn opened(stream: &StreamName) -> TenantLogEvent {
    let opened = TicketOpened {
        requester: PersonId::new(1),
        submitter: PersonId::new(1),
        subject: format!("About {stream}").into(),
        priority: Some(Priority::Normal),
        ticket_type: None,
        assignee: None,
        group: None,
        tags: vec!["bench".to_owned(), "sample".to_owned()].into(),
        channel: Channel::Api,
        external_id: None.into(),
    };
    TicketEvent::from(opened).into()
}
