//! Turns plain events into an append, as the desk does.

use eventlog::{Append, Expected};
use regions::Resident;
use runtime::{Clock, Ids};
use schemas::{
    Actor, CommandId, Envelope, EventId, PersonId, StreamName, Version, event::TenantLogEvent, session::SessionEvent,
    upload::UploadEvent,
};
use vault::{Scope, Vault};

use crate::{StreamToAppend, TestRegion};

pub(crate) async fn append(
    test: &TestRegion,
    vault: &Vault,
    resident: &Resident,
    mut to_append: StreamToAppend,
) -> anyhow::Result<Append> {
    let command_id = CommandId::new(test.ids.uuid());
    let mut version = match to_append.expected {
        Expected::NoStream => Version::ZERO,
        Expected::Exact(version) => version,
    };
    let mut sealed = Vec::new();
    for event in std::mem::take(&mut to_append.events) {
        version = version.next();
        let event_id = EventId::new(test.ids.uuid());
        let scope = scope(&to_append.stream, &event, event_id);
        let key = vault.data_keys(resident, &[scope]).await?.remove(0);
        let envelope = Envelope {
            tenant_id: resident.tenant_id(),
            stream: to_append.stream.clone(),
            version,
            event_id,
            event_type: event.event_type().to_owned(),
            schema_version: event.schema_version(),
            recorded_at: test.clock.now(),
            actor: Actor::System,
            command_id,
            causation_id: None,
            trace_parent: None,
            key_id: key.id(),
            blob: matches!(event, TenantLogEvent::Upload(UploadEvent::UploadReceived(_)))
                .then(|| schemas::Hash::of(&[event_id.to_string().as_bytes()])),
        };
        sealed.push(vault::seal_event(&key, envelope, &event));
    }
    Ok(Append { resident: resident.clone(), command_id, idempotency: None, streams: vec![to_append.sealed(sealed)] })
}

fn scope(stream: &StreamName, event: &TenantLogEvent, event_id: EventId) -> Scope {
    match stream {
        _ if matches!(
            event.event_type(),
            "ticket_erased" | "person_deleted" | "person_erased" | "organization_deleted"
        ) =>
        {
            Scope::General
        }
        StreamName::Tenant
        | StreamName::Email(_)
        | StreamName::Claim(_)
        | StreamName::Erasures
        | StreamName::Name(_) => Scope::General,
        StreamName::Person(person) => Scope::Person(*person),
        StreamName::Organization(organization) => Scope::Organization(*organization),
        StreamName::Ticket(_) if event.event_type() == "comment_added" => Scope::Comment(event_id),
        StreamName::Ticket(ticket) => Scope::Ticket(*ticket),
        StreamName::Upload(attachment) => Scope::Attachment(*attachment),
        StreamName::Access(day) => Scope::Access(*day),
        StreamName::Session(_) => session_of(event).map_or(Scope::General, Scope::Person),
        StreamName::Audit(_)
        | StreamName::Job(_)
        | StreamName::TicketField(_)
        | StreamName::Rule(_)
        | StreamName::Webhook(_) => Scope::General,
    }
}

/// Whose a session is.
const fn session_of(event: &TenantLogEvent) -> Option<PersonId> {
    match event {
        TenantLogEvent::Session(SessionEvent::SessionStarted(started)) => Some(started.person),
        TenantLogEvent::Session(SessionEvent::SessionEnded(ended)) => Some(ended.person),
        _ => None,
    }
}
