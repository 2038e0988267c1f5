//! What the region's operator does to every tenant, or to one: each tenant's own log says it, once.
//!
//! Whoever tells a tenant knows what was done and not what was told. So a command may come any number of times, by any number of
//! processes and after any crash: what the stream says already is not said again.

use std::collections::BTreeSet;

use schemas::{
    RestoreId,
    audit::{ChangeNoted, FieldChange},
    tenant::{HostingPolicyReplaced, LogRestored, SigningKeySucceeded, TenantEvent},
    values::{AuditAction, AuditSource},
};

use crate::aggregate::changed;

/// Something that was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Another key signs.
    Succession(SigningKeySucceeded),
    /// The region works under this version of the hosting policy.
    Policy(u32),
    /// The log came back from its archive.
    Restore(LogRestored),
}

/// What a tenant was told so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operations {
    /// The newest succession of signing keys.
    pub succession: u64,
    /// The hosting policy: of the signup at first.
    pub policy_version: Option<u32>,
    /// The restores.
    pub restores: BTreeSet<RestoreId>,
}

impl Operations {
    /// The event that tells it, unless that was told. A policy only goes forward: while programs are replaced, some still work under the
    /// older one.
    pub(super) fn decide(&self, operation: &Operation) -> Option<TenantEvent> {
        match operation {
            Operation::Succession(done) => (done.number > self.succession).then(|| done.clone().into()),
            Operation::Policy(new) => {
                let old = self.policy_version.filter(|old| old < new)?;
                Some(HostingPolicyReplaced { old, new: *new }.into())
            }
            Operation::Restore(done) => (!self.restores.contains(&done.restore)).then(|| done.clone().into()),
        }
    }

    pub(super) fn evolve(&mut self, event: &TenantEvent) {
        match event {
            TenantEvent::SigningKeySucceeded(done) => self.succession = done.number,
            TenantEvent::HostingPolicyReplaced(done) => self.policy_version = Some(done.new),
            TenantEvent::LogRestored(done) => _ = self.restores.insert(done.restore),
            _ => {}
        }
    }
}

/// As the audit log has it.
pub(super) fn change(event: &TenantEvent) -> Option<ChangeNoted> {
    let (source, source_id, label, changes) = match event {
        TenantEvent::SigningKeySucceeded(done) => {
            let number = i64::try_from(done.number).unwrap_or(i64::MAX);
            (AuditSource::SigningKey, number, "Signing key of the region", succession(done))
        }
        TenantEvent::HostingPolicyReplaced(done) => {
            let version = changed("version", Some(done.old), Some(done.new));
            (AuditSource::HostingPolicy, i64::from(done.new), "Hosting policy", vec![version])
        }
        TenantEvent::LogRestored(done) => (AuditSource::History, 0, "Restore from the archive", restore(done)),
        _ => return None,
    };
    let (action, label) = (AuditAction::Update, label.to_owned().into());
    Some(ChangeNoted { action, source, source_id, person: None, label, changes: changes.into() })
}

fn succession(done: &SigningKeySucceeded) -> Vec<FieldChange> {
    vec![changed("verifier_key", Some(&done.old), Some(&done.new)), changed("at", None, Some(&done.at))]
}

fn restore(done: &LogRestored) -> Vec<FieldChange> {
    let backup = done.backup.as_ref().map(|backup| changed("backup", None, Some(backup)));
    let told = [
        changed("end_of_log", Some(done.old_end), Some(done.new_end)),
        changed("end_of_archive", None, Some(done.archived)),
        changed("events_set_aside", None, Some(done.set_aside)),
        changed("at", None, Some(done.at)),
    ];
    backup.into_iter().chain(told).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use schemas::{
        Position,
        tenant::{LocalityChosen, TenantRegistered},
    };
    use uuid::Uuid;

    use super::*;
    use crate::{Aggregate, scenario::given, tenant::Tenant};

    fn signed_up_under(policy_version: u32) -> Vec<TenantEvent> {
        let registered = TenantRegistered { slug: "acme".parse().expect("a slug"), company: "Acme".to_owned().into() };
        let granted = "eu".parse().expect("a region");
        let (entitled, selected, committed) = (false, false, false);
        let locality = LocalityChosen { requested: None, granted, policy_version, entitled, selected, committed };
        vec![registered.into(), locality.into()]
    }

    fn with(event: impl Into<TenantEvent>) -> Vec<TenantEvent> {
        signed_up_under(3).into_iter().chain([event.into()]).collect()
    }

    fn succession(number: u64) -> SigningKeySucceeded {
        let key = |number: u64| format!("domicile/eu+{number:08x}+AAAA");
        SigningKeySucceeded { number, old: key(number), new: key(number + 1), at: Timestamp::UNIX_EPOCH }
    }

    fn restored(id: u128) -> LogRestored {
        LogRestored {
            restore: RestoreId::new(Uuid::from_u128(id)),
            backup: Some("b-1".to_owned()),
            archived: Position::new(90),
            old_end: Position::new(100),
            new_end: Position::new(90),
            set_aside: 10,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn told(event: impl Into<TenantEvent>) -> Vec<String> {
        let change = Tenant::default().change(&event.into()).expect("it is audited");
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let told = |field: &FieldChange| format!("{}: {} > {}", field.field, text(&field.old), text(&field.new));
        change.changes.expose().iter().map(told).collect()
    }

    #[test]
    fn a_succession_is_told_once_and_one_from_before_the_last_not_at_all() {
        given::<Tenant>(signed_up_under(3)).when(Operation::Succession(succession(1))).then([succession(1).into()]);
        given::<Tenant>(with(succession(1))).when(Operation::Succession(succession(1))).then_nothing();
        given::<Tenant>(with(succession(2))).when(Operation::Succession(succession(1))).then_nothing();
        given::<Tenant>(with(succession(1))).when(Operation::Succession(succession(2))).then([succession(2).into()]);
    }

    #[test]
    fn a_policy_is_told_from_the_version_that_the_tenant_knew_and_only_forward() {
        let replaced = |old, new| TenantEvent::from(HostingPolicyReplaced { old, new });
        given::<Tenant>(signed_up_under(3)).when(Operation::Policy(3)).then_nothing();
        given::<Tenant>(signed_up_under(3)).when(Operation::Policy(5)).then([replaced(3, 5)]);
        given::<Tenant>(with(replaced(3, 5))).when(Operation::Policy(5)).then_nothing();
        given::<Tenant>(with(replaced(3, 5))).when(Operation::Policy(4)).then_nothing();
        given::<Tenant>(with(replaced(3, 5))).when(Operation::Policy(6)).then([replaced(5, 6)]);
    }

    #[test]
    fn each_restore_is_told_once() {
        given::<Tenant>(signed_up_under(3)).when(Operation::Restore(restored(1))).then([restored(1).into()]);
        given::<Tenant>(with(restored(1))).when(Operation::Restore(restored(1))).then_nothing();
        given::<Tenant>(with(restored(1))).when(Operation::Restore(restored(2))).then([restored(2).into()]);
    }

    #[test]
    fn the_audit_log_has_old_and_new_values() {
        let keys = "verifier_key: domicile/eu+00000001+AAAA > domicile/eu+00000002+AAAA";
        assert_eq!(told(succession(1)), [keys, "at:  > 1970-01-01T00:00:00Z"]);
        assert_eq!(told(HostingPolicyReplaced { old: 3, new: 4 }), ["version: 3 > 4"]);
        let restore = ["backup:  > b-1", "end_of_log: 100 > 90", "end_of_archive:  > 90", "events_set_aside:  > 10"];
        assert_eq!(told(restored(1))[..4], restore);
    }
}
