//! The one field that most of a person's events change.

use schemas::{IdentityId, audit::FieldChange, person::PersonEvent};

use super::super::Profile;
use crate::aggregate::changed;

pub(super) fn of(profile: &Profile, event: &PersonEvent) -> Option<FieldChange> {
    Some(match event {
        PersonEvent::PersonDetailSet(set) => {
            changed(set.detail.as_str(), profile.detail(set.detail), set.value.expose().as_deref())
        }
        PersonEvent::PersonTagsSet(set) => {
            let joined = |tags: &Vec<String>| Some(tags.join(" "));
            changed("tags", joined(profile.tags.expose()), joined(set.tags.expose()))
        }
        PersonEvent::PersonSuspended(_) => changed("suspended", Some(false), Some(true)),
        PersonEvent::PersonReinstated(_) => changed("suspended", Some(true), Some(false)),
        PersonEvent::IdentityAdded(added) => changed(added.kind.as_str(), None, Some(added.value.expose())),
        PersonEvent::IdentityChanged(to) => {
            let kind = profile.identities.get(&to.identity)?.kind;
            changed(kind.as_str(), known(profile, to.identity), Some(to.value.expose()))
        }
        PersonEvent::IdentityVerified(verified) => changed("verified", None, known(profile, verified.identity)),
        PersonEvent::IdentityRemoved(removed) => {
            let kind = profile.identities.get(&removed.identity)?.kind;
            changed(kind.as_str(), known(profile, removed.identity), None)
        }
        PersonEvent::PrimaryIdentityChosen(set) => {
            changed("primary_email", profile.email.expose().as_ref(), known(profile, set.identity))
        }
        PersonEvent::OrganizationJoined(joined) => changed("organization_id", None, Some(joined.organization)),
        PersonEvent::OrganizationLeft(left) => {
            changed("organization_id", profile.organizations.memberships.get(&left.membership), None)
        }
        PersonEvent::DefaultOrganizationChosen(set) => {
            changed("default_organization_id", profile.organizations.chosen, Some(set.organization))
        }
        PersonEvent::GroupJoined(joined) => changed("group_id", None, Some(joined.group)),
        PersonEvent::GroupLeft(left) => changed("group_id", profile.groups.memberships.get(&left.membership), None),
        PersonEvent::DefaultGroupChosen(set) => changed("default_group_id", profile.groups.chosen, Some(set.group)),
        _ => return None,
    })
}

fn known(profile: &Profile, identity: IdentityId) -> Option<&String> {
    profile.identities.get(&identity).map(|known| known.value.expose())
}
