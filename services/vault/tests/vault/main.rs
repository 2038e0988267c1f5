//! The vault over a real database.

mod destroying;
mod key_files;
mod keys;
mod payloads;

use runtime::{Clock as _, Ids as _};
use schemas::{
    Actor, CommandId, Envelope, EventId, GroupId, Personal, Position, Recorded, Sealed, StreamName, TenantLogEvent,
    Version, tenant::GroupAdded, tenant::TenantEvent,
};
use testkit::TestRegion;
use vault::{DataKey, seal_event};

/// An event with content.
fn event(name: &str) -> TenantLogEvent {
    TenantEvent::from(GroupAdded { group: GroupId::new(1), name: Personal::new(name.to_owned()) }).into()
}

fn envelope(test: &TestRegion, resident: &regions::Resident, key: &DataKey) -> Envelope {
    Envelope {
        tenant_id: resident.tenant_id(),
        stream: StreamName::Tenant,
        version: Version::new(1),
        event_id: EventId::new(test.ids.uuid()),
        event_type: "group_added".to_owned(),
        schema_version: 1,
        recorded_at: test.clock.now(),
        actor: Actor::System,
        command_id: CommandId::new(test.ids.uuid()),
        causation_id: None,
        trace_parent: None,
        key_id: key.id(),
        blob: None,
    }
}

fn sealed(test: &TestRegion, resident: &regions::Resident, key: &DataKey, name: &str) -> Sealed {
    seal_event(key, envelope(test, resident, key), &event(name))
}

fn recorded(position: i64, sealed: Sealed) -> Recorded {
    Recorded { position: Position::new(position), sealed }
}
