//! Events of the stream `tenant`: what a signup decides, and the groups of agents.

use crate::{
    events,
    ids::{GroupId, PersonId, RegionId, Slug},
    values::Plan,
};

events! {
    /// What happens to a tenant.
    pub enum TenantEvent {
        /// Somebody signed up.
        "tenant_registered" @ 1 => TenantRegistered {
            /// The name in the tenant's address.
            routing slug: Slug,
            /// The company's name.
            content company: String,
        },
        /// The plan was chosen, or changed.
        "plan_chosen" @ 1 => PlanChosen {
            /// The plan.
            operational plan: Plan,
        },
        /// The home region was decided under a version of the hosting policy.
        "locality_chosen" @ 1 => LocalityChosen {
            /// What the tenant asked for; nothing when it left the choice to us.
            operational requested: Option<RegionId>,
            /// Where it is at home.
            routing granted: RegionId,
            /// The hosting policy's version the decision was made under.
            operational policy_version: u32,
            /// Whether the plan may choose.
            operational entitled: bool,
            /// Whether the tenant did choose.
            operational selected: bool,
            /// Whether the place is promised: entitled and selected.
            operational committed: bool,
        },
        /// A group of agents was added.
        "group_added" @ 1 => GroupAdded {
            /// The group.
            operational group: GroupId,
            /// Its name.
            content name: String,
        },
        /// The name of a group changed.
        "group_renamed" @ 1 => GroupRenamed {
            /// The group.
            operational group: GroupId,
            /// Its name.
            content name: String,
        },
        /// What a group is for changed.
        "group_described" @ 1 => GroupDescribed {
            /// The group.
            operational group: GroupId,
            /// What it is for; empty, if nobody says.
            content description: String,
        },
        /// A group became private, for ever.
        "group_made_private" @ 1 => GroupMadePrivate {
            /// The group.
            operational group: GroupId,
        },
        /// A group is the one that stands first in the tenant.
        "tenant_group_chosen" @ 1 => TenantGroupChosen {
            /// The group.
            operational group: GroupId,
        },
        /// A group was put away: nobody belongs to it, and it gets no tickets.
        "group_deleted" @ 1 => GroupDeleted {
            /// The group.
            operational group: GroupId,
        },
        /// An admin is one no longer. Recorded here, besides on the person's own stream, so that admins who withdraw one another at the
        /// same time meet: the second is decided on what the first left.
        "admin_withdrawn" @ 1 => AdminWithdrawn {
            /// The person.
            operational person: PersonId,
        },
    }
}
