//! What the events make of a person.

use std::collections::BTreeMap;

use schemas::person::{ApiTokenIssued, PersonAdded, PersonEvent};

use super::{Grant, Person, Profile, Token};

pub(super) fn evolve(person: &mut Person, event: &PersonEvent) {
    if let PersonEvent::PersonAdded(added) = event {
        person.profile = Some(profile(added));
        return;
    }
    // Also before the key is destroyed: nobody acts for what is about to be gone.
    if let PersonEvent::PersonErased(_) = event {
        (person.profile, person.is_erased) = (None, true);
        return;
    }
    // The stream's expected version lets nothing precede the adding.
    let Some(profile) = &mut person.profile else { return };
    match event {
        PersonEvent::PersonAdded(_) | PersonEvent::PersonErased(_) => {}
        PersonEvent::AuditorGranted(granted) => {
            profile.grant = Some(Grant { expires_at: granted.expires_at, tickets: granted.tickets.clone() });
        }
        PersonEvent::PersonDeleted(_) => profile.is_deleted = true,
        PersonEvent::PersonRenamed(renamed) => profile.name = renamed.name.clone(),
        PersonEvent::PersonEmailChanged(changed) => profile.email = changed.email.clone(),
        PersonEvent::RoleChanged(changed) => profile.role = changed.role,
        PersonEvent::PasswordSet(set) => profile.password_phc = Some(set.phc.expose().clone()).into(),
        PersonEvent::ApiTokenIssued(issued) => {
            profile.tokens.insert(issued.token, token(issued));
        }
        PersonEvent::ApiTokenRevoked(revoked) => {
            profile.tokens.remove(&revoked.token);
        }
    }
}

fn profile(added: &PersonAdded) -> Profile {
    Profile {
        person: added.person,
        name: added.name.clone(),
        email: added.email.clone(),
        role: added.role,
        password_phc: None.into(),
        tokens: BTreeMap::new(),
        grant: None,
        is_deleted: false,
    }
}

fn token(issued: &ApiTokenIssued) -> Token {
    Token {
        token_sha256: issued.token_sha256.clone(),
        description: issued.description.clone(),
        expires_at: issued.expires_at,
    }
}
