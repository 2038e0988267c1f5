//! What may be asked of an organization.

use std::collections::BTreeMap;

use schemas::{GroupId, OrganizationId, Personal, values::OrganizationDetail};

/// What may be asked of an organization.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make it known.
    Add(Add),
    /// Change it.
    Change(Change),
    /// Delete it for good. Whoever does releases what it claimed and puts its key on the erasure list in the same append.
    Delete,
}

/// Makes an organization known.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    /// The organization.
    pub organization: OrganizationId,
    /// Its name. Whoever adds it claims it in the same append.
    pub name: Personal<String>,
}

/// Changes an organization. `None` leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Its name. Whoever changes it moves the claim in the same append.
    pub name: Option<Personal<String>>,
    /// What else is told of it; what is blank or nothing is told no longer.
    pub details: BTreeMap<OrganizationDetail, Personal<Option<String>>>,
    /// All its domains, in any order and case.
    pub domain_names: Option<Personal<Vec<String>>>,
    /// All its tags, in any order and case.
    pub tags: Option<Personal<Vec<String>>>,
    /// Which group works on its new tickets.
    pub group: Option<Option<GroupId>>,
}

impl From<Add> for Command {
    fn from(add: Add) -> Self {
        Self::Add(add)
    }
}

impl From<Change> for Command {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}
