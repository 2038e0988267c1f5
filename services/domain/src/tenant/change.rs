//! What the audit log says of a tenant's events.

use schemas::{
    audit::{ChangeNoted, FieldChange},
    tenant::{LocalityChosen, TenantEvent},
    values::{AuditAction, AuditSource},
};

use super::Tenant;
use crate::aggregate::changed;

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
            let changes = vec![changed("name", None, Some(&label))].into();
            let (source, source_id) = (AuditSource::Group, added.group.get());
            return Some(ChangeNoted {
                action: AuditAction::Create,
                source,
                source_id,
                person: None,
                label: label.into(),
                changes,
            });
        }
    };
    let (source, source_id, person) = (AuditSource::Account, 0, None);
    Some(ChangeNoted { action, source, source_id, person, label: label.into(), changes: changes.into() })
}

fn locality(old: Option<&LocalityChosen>, new: &LocalityChosen) -> Vec<FieldChange> {
    vec![
        changed("locality_requested", old.and_then(|old| old.requested.as_ref()), new.requested.as_ref()),
        changed("locality_granted", old.map(|old| &old.granted), Some(&new.granted)),
        changed("locality_committed", old.map(|old| old.committed), Some(new.committed)),
        changed("policy_version", old.map(|old| old.policy_version), Some(new.policy_version)),
    ]
}
