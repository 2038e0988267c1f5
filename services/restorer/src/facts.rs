//! What follows from a tenant's events: what its head row holds, and which of its keys were destroyed.

use jiff::Timestamp;
use schemas::{Recorded, Slug, StreamName, TenantId, TenantLogEvent, person::PersonEvent, tenant::TenantEvent};
use vault::Keyring;

use crate::error::Error;

/// Ids that a database which is gone may have handed out after its last archived event: they are never handed out again. Ids are
/// unique, not dense, so a gap costs nothing.
const IDS_SKIPPED: i64 = 1_000;

/// What the events say, gathered one by one.
#[derive(Debug)]
pub(crate) struct Facts {
    tenant_id: TenantId,
    /// The name it registered.
    pub(crate) slug: Option<Slug>,
    /// When its first event was recorded.
    pub(crate) created_at: Option<Timestamp>,
    /// When its newest event was recorded.
    pub(crate) newest_at: Option<Timestamp>,
    highest_ticket: i64,
    highest_id: i64,
}

impl Facts {
    pub(crate) const fn new(tenant_id: TenantId) -> Self {
        Self { tenant_id, slug: None, created_at: None, newest_at: None, highest_ticket: 0, highest_id: 0 }
    }

    /// Takes events, in order. Few are opened: those that say a name, an id that no stream is called after, or an erasure, which
    /// takes keys off the ring.
    ///
    /// # Errors
    /// If a payload was changed, or an event of the erasure list cannot be opened.
    pub(crate) fn take(&mut self, ring: &mut Keyring, events: &[Recorded]) -> Result<(), Error> {
        for event in events {
            let envelope = &event.sealed.envelope;
            ring.need(event);
            self.created_at.get_or_insert(envelope.recorded_at);
            self.newest_at = self.newest_at.max(Some(envelope.recorded_at));
            self.take_stream(&envelope.stream);
            match envelope.event_type.as_str() {
                _ if envelope.stream == StreamName::Erasures => self.take_erasure(ring, event)?,
                "tenant_registered"
                | "group_added"
                | "api_token_issued"
                | "identity_added"
                | "organization_joined"
                | "group_joined" => self.take_payload(ring, event)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The first ticket number that was never given, as far as the log tells.
    pub(crate) const fn next_ticket(&self) -> i64 {
        self.highest_ticket + 1
    }

    /// The first small id that was certainly never given. A counter that is still there may be an old one; a higher one stays.
    pub(crate) const fn next_id(&self) -> i64 {
        self.highest_id + 1 + IDS_SKIPPED
    }

    fn take_stream(&mut self, stream: &StreamName) {
        match stream {
            StreamName::Ticket(ticket) => self.highest_ticket = self.highest_ticket.max(ticket.get()),
            StreamName::Person(person) => self.highest_id = self.highest_id.max(person.get()),
            StreamName::Organization(organization) => self.highest_id = self.highest_id.max(organization.get()),
            StreamName::Upload(attachment) => self.highest_id = self.highest_id.max(attachment.get()),
            StreamName::TicketField(field) => self.highest_id = self.highest_id.max(field.get()),
            StreamName::Rule(rule) => self.highest_id = self.highest_id.max(rule.get()),
            StreamName::Webhook(webhook) => self.highest_id = self.highest_id.max(webhook.get()),
            StreamName::Session(session) => self.highest_id = self.highest_id.max(session.get()),
            // Each by name: a new kind of stream that takes an id of the counter must not be forgotten here.
            StreamName::Tenant
            | StreamName::Email(_)
            | StreamName::Claim(_)
            | StreamName::Erasures
            | StreamName::Name(_)
            | StreamName::Access(_)
            | StreamName::Audit(_)
            | StreamName::Job(_) => {}
        }
    }

    fn take_payload(&mut self, ring: &Keyring, event: &Recorded) -> Result<(), Error> {
        let envelope = &event.sealed.envelope;
        let Some(plaintext) = ring.open(event)? else { return Ok(()) };
        match TenantLogEvent::decode(&envelope.event_type, envelope.schema_version, &plaintext) {
            Ok(TenantLogEvent::Tenant(TenantEvent::TenantRegistered(registered))) => self.slug = Some(registered.slug),
            Ok(TenantLogEvent::Tenant(TenantEvent::GroupAdded(added))) => {
                self.highest_id = self.highest_id.max(added.group.get());
            }
            Ok(TenantLogEvent::Person(event)) => {
                let id = match event {
                    PersonEvent::ApiTokenIssued(issued) => issued.token.get(),
                    PersonEvent::IdentityAdded(added) => added.identity.get(),
                    PersonEvent::OrganizationJoined(joined) => joined.membership.get(),
                    PersonEvent::GroupJoined(joined) => joined.membership.get(),
                    _ => return Ok(()),
                };
                self.highest_id = self.highest_id.max(id);
            }
            // One that this program cannot read says nothing here; what it is worth, a projection says.
            _ => {}
        }
        Ok(())
    }

    fn take_erasure(&mut self, ring: &mut Keyring, event: &Recorded) -> Result<(), Error> {
        match ring.destroy(event)? {
            true => Ok(()),
            false => Err(Error::UnreadableErasure { tenant_id: self.tenant_id, position: event.position }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_that_a_stream_is_called_after_is_handed_out_again() {
        for stream in ["person-7", "organization-7", "upload-7", "ticket-field-7", "rule-7"] {
            let mut facts = Facts::new(TenantId::new(Default::default()));
            facts.take_stream(&stream.parse().expect("a stream"));
            assert_eq!(facts.next_id(), 8 + IDS_SKIPPED, "{stream}");
        }
    }
}
