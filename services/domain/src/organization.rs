//! Organizations: companies and the like, that people belong to. Who does is on the people's own streams.
//!
//! A name and an id elsewhere are each one organization's only; whoever sets one claims it in the same append ([`crate::claim`]).
//! Deleting is final: the key of the organization goes with it.

mod change;
mod command;
mod decide;
mod rejection;

use std::collections::BTreeMap;

pub use command::{Add, Change, Command};
pub use rejection::Rejection;
use schemas::{
    GroupId, OrganizationId, Personal, TenantLogEvent, audit::ChangeNoted, organization::OrganizationEvent,
    values::OrganizationDetail,
};

use crate::aggregate::Aggregate;

/// An organization, or the id of one that is not added yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Organization {
    profile: Option<Profile>,
    is_deleted: bool,
}

/// What is known about an organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The organization.
    pub organization: OrganizationId,
    /// Its name.
    pub name: Personal<String>,
    /// What else is told of it.
    pub details: BTreeMap<OrganizationDetail, Personal<String>>,
    /// New people with an address of these domains become its members.
    pub domain_names: Personal<Vec<String>>,
    /// Words to find it by.
    pub tags: Personal<Vec<String>>,
    /// Which group works on its new tickets.
    pub group: Option<GroupId>,
}

impl Profile {
    /// Something that is told of it.
    pub fn detail(&self, detail: OrganizationDetail) -> Option<&str> {
        self.details.get(&detail).map(|value| value.expose().as_str())
    }
}

impl Organization {
    /// What is known about it, once added and until deleted.
    pub const fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }
}

impl Aggregate for Organization {
    type Command = Command;
    type Event = OrganizationEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<OrganizationEvent>, Rejection> {
        decide::decide(self, command)
    }

    fn evolve(&mut self, event: &OrganizationEvent) {
        match event {
            OrganizationEvent::OrganizationAdded(added) => {
                self.profile = Some(Profile {
                    organization: added.organization,
                    name: added.name.clone(),
                    details: BTreeMap::new(),
                    domain_names: Personal::default(),
                    tags: Personal::default(),
                    group: None,
                });
            }
            // Also before the key is destroyed: nobody changes what is about to be gone.
            OrganizationEvent::OrganizationDeleted(_) => (self.profile, self.is_deleted) = (None, true),
            // The stream's expected version lets nothing precede the adding.
            change => {
                if let Some(profile) = &mut self.profile {
                    evolve(profile, change);
                }
            }
        }
    }

    fn change(&self, event: &OrganizationEvent) -> Option<ChangeNoted> {
        change::change(self, event)
    }

    fn pick(event: TenantLogEvent) -> Option<OrganizationEvent> {
        match event {
            TenantLogEvent::Organization(event) => Some(event),
            _ => None,
        }
    }
}

fn evolve(profile: &mut Profile, event: &OrganizationEvent) {
    match event {
        OrganizationEvent::OrganizationAdded(_) | OrganizationEvent::OrganizationDeleted(_) => {}
        OrganizationEvent::OrganizationRenamed(renamed) => profile.name = renamed.name.clone(),
        OrganizationEvent::OrganizationDetailSet(set) => match set.value.expose() {
            Some(value) => {
                profile.details.insert(set.detail, value.clone().into());
            }
            None => {
                profile.details.remove(&set.detail);
            }
        },
        OrganizationEvent::OrganizationDomainsSet(set) => profile.domain_names = set.domain_names.clone(),
        OrganizationEvent::OrganizationTagsSet(set) => profile.tags = set.tags.clone(),
        OrganizationEvent::OrganizationGroupSet(set) => profile.group = set.group,
    }
}
