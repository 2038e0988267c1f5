//! What the audit log says of a person's events.

mod field;

use schemas::{
    PersonId, TokenId,
    audit::{ChangeNoted, FieldChange},
    person::{ApiTokenIssued, AuditorGranted, PersonAdded, PersonEvent},
    values::{AuditAction, AuditSource, Role},
};

use super::Person;
use crate::aggregate::{changed, said};

pub(super) fn change(person: &Person, event: &PersonEvent) -> Option<ChangeNoted> {
    if let PersonEvent::PersonAdded(added) = event {
        return Some(of_added(added));
    }
    let profile = person.profile()?;
    let email = |email: &Option<String>| email.clone();
    let field = match event {
        PersonEvent::PersonRenamed(event) => changed("name", Some(profile.name.expose()), Some(event.name.expose())),
        PersonEvent::PersonEmailChanged(event) => {
            changed("email", email(profile.email.expose()), email(event.email.expose()))
        }
        PersonEvent::RoleChanged(event) => changed("role", Some(profile.role), Some(event.role)),
        // That it changed is told; neither one is.
        PersonEvent::PasswordSet(_) => said("password"),
        PersonEvent::AuditorGranted(granted) => {
            let label = profile.name.expose().clone();
            return Some(ChangeNoted {
                source: AuditSource::AuditorGrant,
                ..of_user(AuditAction::Create, profile.person, label, of_granted(granted))
            });
        }
        PersonEvent::ApiTokenIssued(issued) => return Some(of_issued(profile.person, issued)),
        PersonEvent::ApiTokenRevoked(revoked) => {
            let label = profile.tokens.get(&revoked.token).map(|token| token.description.expose().clone());
            let label = label.unwrap_or_default();
            return Some(of_token(AuditAction::Destroy, (profile.person, revoked.token), label, Vec::new()));
        }
        // Sealed under the tenant's key: it is to be read when nothing else of the person can.
        PersonEvent::PersonErased(_) => {
            let erased = of_user(AuditAction::Destroy, profile.person, String::new(), vec![said("erased")]);
            return Some(ChangeNoted { person: None, ..erased });
        }
        PersonEvent::PersonDeleted(_) => {
            let (name, is_auditor) = (profile.name.expose().clone(), profile.role == Role::Auditor);
            let (source, what) =
                if is_auditor { (AuditSource::AuditorGrant, "revoked") } else { (AuditSource::User, "deleted") };
            let deleted = of_user(AuditAction::Destroy, profile.person, name, vec![said(what)]);
            return Some(ChangeNoted { source, ..deleted });
        }
        PersonEvent::PersonAdded(_) => return None,
        other => field::of(profile, other)?,
    };
    Some(of_user(AuditAction::Update, profile.person, profile.name.expose().clone(), vec![field]))
}

fn of_added(added: &PersonAdded) -> ChangeNoted {
    let changes = vec![
        changed("name", None, Some(added.name.expose())),
        changed("email", None, added.email.expose().clone()),
        changed("role", None, Some(added.role)),
    ];
    let source = if added.role == Role::Auditor { AuditSource::AuditorGrant } else { AuditSource::User };
    ChangeNoted { source, ..of_user(AuditAction::Create, added.person, added.name.expose().clone(), changes) }
}

fn of_granted(granted: &AuditorGranted) -> Vec<FieldChange> {
    let tickets: Vec<String> = granted.tickets.iter().map(ToString::to_string).collect();
    let tickets = if tickets.is_empty() { "all".to_owned() } else { tickets.join(" ") };
    vec![changed("expires_at", None, Some(granted.expires_at)), changed("tickets", None, Some(tickets))]
}

fn of_issued(holder: PersonId, issued: &ApiTokenIssued) -> ChangeNoted {
    let changes = vec![changed("user_id", None, Some(holder)), changed("expires_at", None, issued.expires_at)];
    of_token(AuditAction::Create, (holder, issued.token), issued.description.expose().clone(), changes)
}

fn of_user(action: AuditAction, person: PersonId, label: String, changes: Vec<FieldChange>) -> ChangeNoted {
    let (source, source_id, person) = (AuditSource::User, person.get(), Some(person));
    ChangeNoted { action, source, source_id, person, label: label.into(), changes: changes.into() }
}

fn of_token(
    action: AuditAction,
    (holder, token): (PersonId, TokenId),
    label: String,
    changes: Vec<FieldChange>,
) -> ChangeNoted {
    let (source, source_id, person) = (AuditSource::ApiToken, token.get(), Some(holder));
    ChangeNoted { action, source, source_id, person, label: label.into(), changes: changes.into() }
}

#[cfg(test)]
mod tests {
    use schemas::{person::RoleChanged, values::Role};

    use super::*;
    use crate::aggregate::Aggregate;

    #[test]
    fn a_change_tells_what_was_and_what_is() {
        let added = PersonAdded {
            person: PersonId::new(7),
            name: "Ada".to_owned().into(),
            email: Some("ada@acme.example".to_owned()).into(),
            role: Role::Agent,
        };
        let person = Person::after([&PersonEvent::from(added)]);
        let change = person.change(&RoleChanged { role: Role::Admin }.into()).expect("a role is audited");
        assert_eq!((change.action, change.source, change.source_id), (AuditAction::Update, AuditSource::User, 7));
        assert_eq!(change.label.expose(), "Ada");
        assert_eq!(*change.changes.expose(), [changed("role", Some("agent"), Some("admin"))]);
    }
}
