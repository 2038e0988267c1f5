//! Gives decided events their envelopes and seals them.

use runtime::Ids;
use schemas::{
    Actor, AttachmentId, Envelope, EventId, OrganizationId, PersonId, Sealed, StreamName, TenantLogEvent, TicketId,
    Version,
    audit::AuditEvent,
    job::JobEvent,
    organization::OrganizationEvent,
    person::PersonEvent,
    rule::RuleEvent,
    session::SessionEvent,
    ticket::TicketEvent,
    values::{AuditAction, AuditSource},
};
use vault::{DataKey, Scope, Vault, seal_event};

use super::{Failure, Issuer};
use crate::state::Desk;

/// Events decided on one stream, and the version they begin after.
pub(crate) struct Decided<'a> {
    /// Which stream.
    pub(crate) stream: &'a StreamName,
    /// The version they follow.
    pub(crate) after: Version,
    /// The events, in order.
    pub(crate) events: &'a [TenantLogEvent],
}

/// Seals everything decided, with one request for keys. The result has one list a stream, in the same order.
pub(crate) async fn seal(desk: &Desk, by: &Issuer, decided: &[Decided<'_>]) -> Result<Vec<Vec<Sealed>>, Failure> {
    seal_with(&desk.vault, desk.ids.as_ref(), by, decided).await
}

/// The same, for those who have keys and no desk.
pub(crate) async fn seal_with(
    vault: &Vault,
    ids: &dyn Ids,
    by: &Issuer,
    decided: &[Decided<'_>],
) -> Result<Vec<Vec<Sealed>>, Failure> {
    let new_id = |_: &TenantLogEvent| EventId::new(ids.uuid());
    let ids: Vec<Vec<EventId>> = decided.iter().map(|decided| decided.events.iter().map(new_id).collect()).collect();
    let scopes: Vec<Scope> = decided
        .iter()
        .zip(&ids)
        .flat_map(|(decided, ids)| decided.events.iter().zip(ids).map(|(event, id)| scope(by, decided, (event, *id))))
        .collect();
    let keys = vault.data_keys(&by.resident, &scopes).await.map_err(Failure::Keys)?;
    let mut keys = keys.iter();
    let sealed = decided.iter().zip(&ids).map(|(decided, ids)| seal_stream(by, decided, ids, &mut keys)).collect();
    Ok(sealed)
}

fn seal_stream<'k>(
    by: &Issuer,
    decided: &Decided<'_>,
    ids: &[EventId],
    keys: &mut impl Iterator<Item = &'k DataKey>,
) -> Vec<Sealed> {
    let mut version = decided.after;
    let events = decided.events.iter().zip(ids).zip(keys);
    events
        .map(|((event, id), key)| {
            version = version.next();
            let envelope = Envelope {
                tenant_id: by.resident.tenant_id(),
                stream: decided.stream.clone(),
                version,
                event_id: *id,
                event_type: event.event_type().to_owned(),
                schema_version: event.schema_version(),
                recorded_at: by.at,
                actor: by.actor,
                command_id: by.command_id,
                causation_id: None,
                trace_parent: by.trace_parent.clone(),
                key_id: key.id(),
                blob: by.blob,
            };
            seal_event(key, envelope, event)
        })
        .collect()
}

/// What can be erased alone has a key of its own: a person's profile, a ticket, a comment, a file.
fn scope(by: &Issuer, decided: &Decided<'_>, (event, id): (&TenantLogEvent, EventId)) -> Scope {
    match (decided.stream, event) {
        // What is left to say of a person or a ticket when everything else of it is gone.
        (_, TenantLogEvent::Ticket(TicketEvent::TicketErased(_))) => Scope::General,
        (_, TenantLogEvent::Person(PersonEvent::PersonDeleted(_) | PersonEvent::PersonErased(_))) => Scope::General,
        (_, TenantLogEvent::Organization(OrganizationEvent::OrganizationDeleted(_))) => Scope::General,
        (_, TenantLogEvent::Ticket(TicketEvent::CommentAdded(_))) => Scope::Comment(id),
        (StreamName::Ticket(ticket), _) => Scope::Ticket(TicketId::new(ticket.get())),
        (StreamName::Person(person), _) => Scope::Person(PersonId::new(person.get())),
        (StreamName::Organization(organization), _) => Scope::Organization(OrganizationId::new(organization.get())),
        (StreamName::Upload(upload), _) => Scope::Attachment(AttachmentId::new(upload.get())),
        (StreamName::Access(day), _) => Scope::Access(*day),
        (StreamName::Audit(_), event) => of_audited(by, decided, event),
        (StreamName::Job(job), TenantLogEvent::Job(JobEvent::JobDescribed(_))) => Scope::Job(*job),
        (StreamName::Rule(_), TenantLogEvent::Rule(event)) => of_rule(event),
        (_, TenantLogEvent::Session(event)) => of_session(event),
        (
            StreamName::Job(_)
            | StreamName::TicketField(_)
            | StreamName::Rule(_)
            | StreamName::Webhook(_)
            | StreamName::Session(_)
            | StreamName::Tenant
            | StreamName::Email(_)
            | StreamName::Claim(_)
            | StreamName::Erasures
            | StreamName::Name(_),
            _,
        ) => Scope::General,
    }
}

/// Where somebody is signed in goes with them.
fn of_session(event: &SessionEvent) -> Scope {
    Scope::Person(match event {
        SessionEvent::SessionStarted(started) => started.person,
        SessionEvent::SessionEnded(ended) => ended.person,
    })
}

/// What somebody says for themselves goes with them; what is shared stays when they go.
fn of_rule(event: &RuleEvent) -> Scope {
    let audience = match event {
        RuleEvent::RuleMade(made) => Some(&made.audience),
        RuleEvent::RuleChanged(changed) => Some(&changed.audience),
        RuleEvent::RuleDeleted(_) => None,
    };
    audience.and_then(domain::rule::owner).map_or(Scope::General, Scope::Person)
}

/// What an event of the audit log is sealed under: the key of whom or what it is about. That an organization was deleted is said when
/// nothing else of it can be.
fn of_audited(by: &Issuer, decided: &Decided<'_>, event: &TenantLogEvent) -> Scope {
    match event {
        TenantLogEvent::Audit(AuditEvent::ChangeNoted(change))
            if change.source == AuditSource::Organization && change.action != AuditAction::Destroy =>
        {
            Scope::Organization(OrganizationId::new(change.source_id))
        }
        event => audited(by, decided, event).map_or(Scope::General, Scope::Person),
    }
}

/// Whom an event of the audit log is about: where a command comes from is about who gives it, and at a signup, where nobody is
/// there yet, about the first person.
fn audited(by: &Issuer, decided: &Decided<'_>, event: &TenantLogEvent) -> Option<PersonId> {
    let person_of = |event: &TenantLogEvent| match event {
        TenantLogEvent::Audit(AuditEvent::ChangeNoted(change)) => change.person,
        _ => None,
    };
    match (event, by.actor) {
        (TenantLogEvent::Audit(AuditEvent::OriginNoted(_)), Actor::Person(person)) => Some(person),
        (TenantLogEvent::Audit(AuditEvent::OriginNoted(_)), Actor::System) => decided.events.iter().find_map(person_of),
        (event, _) => person_of(event),
    }
}
