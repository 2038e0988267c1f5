//! What the audit log says of a tenant's events.

use schemas::{
    GroupId,
    audit::{ChangeNoted, FieldChange},
    tenant::{LocalityChosen, TenantEvent},
    values::{AuditAction, AuditSource},
};

use super::{Account, Tenant, operation};
use crate::aggregate::{changed, said};

pub(super) fn change(tenant: &Tenant, event: &TenantEvent) -> Option<ChangeNoted> {
    let account = tenant.account();
    let name = account.map(|account| account.company.expose().clone()).unwrap_or_default();
    let (action, label, changes) = match event {
        TenantEvent::TenantRegistered(registered) => {
            let company = registered.company.expose();
            (AuditAction::Create, company.clone(), vec![changed("company", None, Some(company))])
        }
        TenantEvent::PlanChosen(chosen) => {
            let old = account.and_then(|account| account.plan);
            (AuditAction::Update, name, vec![changed("plan", old, Some(chosen.plan))])
        }
        TenantEvent::LocalityChosen(chosen) => {
            let old = account.and_then(|account| account.locality.as_ref());
            (AuditAction::Update, name, locality(old, chosen))
        }
        // What was done to the person is an entry of its own.
        TenantEvent::AdminWithdrawn(_) => return None,
        TenantEvent::GroupAdded(added) => {
            let label = added.name.expose().clone();
            let field = changed("name", None, Some(&label));
            return Some(of_group(AuditAction::Create, added.group, (label, field)));
        }
        TenantEvent::GroupRenamed(_)
        | TenantEvent::GroupDescribed(_)
        | TenantEvent::GroupMadePrivate(_)
        | TenantEvent::TenantGroupChosen(_)
        | TenantEvent::GroupDeleted(_) => return of_group_event(account?, event),
        TenantEvent::SigningKeySucceeded(_) | TenantEvent::HostingPolicyReplaced(_) | TenantEvent::LogRestored(_) => {
            return operation::change(event);
        }
    };
    let (source, source_id, person) = (AuditSource::Account, 0, None);
    Some(ChangeNoted { action, source, source_id, person, label: label.into(), changes: changes.into() })
}

fn of_group_event(account: &Account, event: &TenantEvent) -> Option<ChangeNoted> {
    let name_of = |group: &GroupId| account.groups.get(group).map(|known| known.name.expose().clone());
    let (action, group, field) = match event {
        TenantEvent::GroupRenamed(to) => {
            (AuditAction::Update, to.group, changed("name", name_of(&to.group), Some(to.name.expose().clone())))
        }
        TenantEvent::GroupDescribed(to) => {
            let old = account.groups.get(&to.group).map(|known| known.description.expose());
            (AuditAction::Update, to.group, changed("description", old, Some(to.description.expose())))
        }
        TenantEvent::GroupMadePrivate(of) => {
            (AuditAction::Update, of.group, changed("is_public", Some(true), Some(false)))
        }
        TenantEvent::TenantGroupChosen(of) => {
            (AuditAction::Update, of.group, changed("default", Some(false), Some(true)))
        }
        TenantEvent::GroupDeleted(of) => (AuditAction::Destroy, of.group, said("deleted")),
        _ => return None,
    };
    Some(of_group(action, group, (name_of(&group).unwrap_or_default(), field)))
}

fn of_group(action: AuditAction, group: GroupId, (label, field): (String, FieldChange)) -> ChangeNoted {
    let (source, source_id, person) = (AuditSource::Group, group.get(), None);
    ChangeNoted { action, source, source_id, person, label: label.into(), changes: vec![field].into() }
}

fn locality(old: Option<&LocalityChosen>, new: &LocalityChosen) -> Vec<FieldChange> {
    vec![
        changed("locality_requested", old.and_then(|old| old.requested.as_ref()), new.requested.as_ref()),
        changed("locality_granted", old.map(|old| &old.granted), Some(&new.granted)),
        changed("locality_committed", old.map(|old| old.committed), Some(new.committed)),
        changed("policy_version", old.map(|old| old.policy_version), Some(new.policy_version)),
    ]
}
