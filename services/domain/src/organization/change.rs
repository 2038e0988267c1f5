//! What the audit log says of an organization's events.

use schemas::{
    audit::{ChangeNoted, FieldChange},
    organization::OrganizationEvent,
    values::{AuditAction, AuditSource},
};

use super::{Organization, Profile};
use crate::aggregate::{changed, said};

pub(super) fn change(organization: &Organization, event: &OrganizationEvent) -> Option<ChangeNoted> {
    if let OrganizationEvent::OrganizationAdded(added) = event {
        let name = added.name.expose().clone();
        let changes = vec![changed("name", None, Some(&name))];
        return Some(noted(AuditAction::Create, added.organization.get(), (name, changes)));
    }
    let profile = organization.profile()?;
    let id = profile.organization.get();
    // Sealed under the tenant's key: it is to be read when nothing else of the organization can.
    if let OrganizationEvent::OrganizationDeleted(_) = event {
        return Some(noted(AuditAction::Destroy, id, (String::new(), vec![said("deleted")])));
    }
    let name = profile.name.expose().clone();
    Some(noted(AuditAction::Update, id, (name, vec![field(profile, event)?])))
}

fn field(profile: &Profile, event: &OrganizationEvent) -> Option<FieldChange> {
    Some(match event {
        OrganizationEvent::OrganizationAdded(_) | OrganizationEvent::OrganizationDeleted(_) => return None,
        OrganizationEvent::OrganizationRenamed(event) => {
            changed("name", Some(profile.name.expose()), Some(event.name.expose()))
        }
        OrganizationEvent::OrganizationDetailSet(event) => {
            changed(event.detail.as_str(), profile.detail(event.detail), event.value.expose().as_deref())
        }
        OrganizationEvent::OrganizationDomainsSet(event) => {
            let joined = |names: &Vec<String>| Some(names.join(" "));
            changed("domain_names", joined(profile.domain_names.expose()), joined(event.domain_names.expose()))
        }
        OrganizationEvent::OrganizationTagsSet(event) => {
            let joined = |tags: &Vec<String>| Some(tags.join(" "));
            changed("tags", joined(profile.tags.expose()), joined(event.tags.expose()))
        }
        OrganizationEvent::OrganizationGroupSet(event) => changed("group_id", profile.group, event.group),
    })
}

fn noted(action: AuditAction, source_id: i64, (label, changes): (String, Vec<FieldChange>)) -> ChangeNoted {
    let (source, person) = (AuditSource::Organization, None);
    ChangeNoted { action, source, source_id, person, label: label.into(), changes: changes.into() }
}
