//! What the events make of a person.

use std::collections::BTreeMap;

use schemas::{
    Personal,
    person::{ApiTokenIssued, PersonAdded, PersonEvent},
};

use super::{Affiliations, Grant, Person, Profile, Token, affiliation, identity};

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
        PersonEvent::PersonEmailChanged(_)
        | PersonEvent::IdentityAdded(_)
        | PersonEvent::IdentityChanged(_)
        | PersonEvent::IdentityVerified(_)
        | PersonEvent::IdentityRemoved(_)
        | PersonEvent::PrimaryIdentityChosen(_) => identity::evolve(profile, event),
        PersonEvent::OrganizationJoined(_)
        | PersonEvent::OrganizationLeft(_)
        | PersonEvent::DefaultOrganizationChosen(_)
        | PersonEvent::GroupJoined(_)
        | PersonEvent::GroupLeft(_)
        | PersonEvent::DefaultGroupChosen(_) => affiliation::evolve(profile, event),
        PersonEvent::PersonDetailSet(set) => match set.value.expose() {
            Some(value) => {
                profile.details.insert(set.detail, value.clone().into());
            }
            None => {
                profile.details.remove(&set.detail);
            }
        },
        PersonEvent::PersonTagsSet(set) => profile.tags = set.tags.clone(),
        PersonEvent::PersonSuspended(_) => profile.is_suspended = true,
        PersonEvent::PersonReinstated(_) => profile.is_suspended = false,
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
        identities: identity::first(added.email.expose())
            .map(|first| (identity::first_of(added.person), first))
            .into_iter()
            .collect(),
        role: added.role,
        password_phc: None.into(),
        tokens: BTreeMap::new(),
        grant: None,
        details: BTreeMap::new(),
        tags: Personal::default(),
        organizations: Affiliations::default(),
        groups: Affiliations::default(),
        is_suspended: false,
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
