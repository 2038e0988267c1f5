//! Who belongs to which organization or group: both kinds of memberships have the same operations.

mod answer;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod make_default;
pub(crate) mod show;

#[cfg(test)]
mod tests;

use domain::person::affiliation::Command;
use schemas::{GroupId, MembershipId, OrganizationId};

use crate::read::memberships::Kind;

/// Which kind a route is about.
pub(crate) trait Side: Send + Sync + 'static {
    /// The kind.
    const KIND: Kind;
}

/// Memberships in organizations.
pub(crate) struct Organizations;

/// Memberships in groups.
pub(crate) struct Groups;

impl Side for Organizations {
    const KIND: Kind = Kind::Organization;
}

impl Side for Groups {
    const KIND: Kind = Kind::Group;
}

/// The field that says to what a membership leads.
const fn field(kind: Kind) -> &'static str {
    match kind {
        Kind::Organization => "organization_id",
        Kind::Group => "group_id",
    }
}

fn join(kind: Kind, membership: MembershipId, id: i64) -> Command {
    match kind {
        Kind::Organization => Command::JoinOrganization(membership, OrganizationId::new(id)),
        Kind::Group => Command::JoinGroup(membership, GroupId::new(id)),
    }
}

const fn leave(kind: Kind, membership: MembershipId) -> Command {
    match kind {
        Kind::Organization => Command::LeaveOrganization(membership),
        Kind::Group => Command::LeaveGroup(membership),
    }
}

fn choose(kind: Kind, id: i64) -> Command {
    match kind {
        Kind::Organization => Command::ChooseOrganization(OrganizationId::new(id)),
        Kind::Group => Command::ChooseGroup(GroupId::new(id)),
    }
}
