//! Events of the stream `tenant`: what a signup decides, the groups of agents, and what the region's operator did to all of it.

use jiff::Timestamp;

use crate::{
    events,
    ids::{GroupId, PersonId, Position, RegionId, RestoreId, Slug},
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
        /// The region signs the tenant's history with another key.
        "signing_key_succeeded" @ 1 => SigningKeySucceeded {
            /// The succession's number in the region, from 1.
            operational number: u64,
            /// The verifier key of the key that is retired.
            operational old: String,
            /// The verifier key of the key that took over.
            operational new: String,
            /// When it took over.
            operational at: Timestamp,
        },
        /// The region works under a newer version of the hosting policy.
        "hosting_policy_replaced" @ 1 => HostingPolicyReplaced {
            /// The version that the tenant knew.
            operational old: u32,
            /// The version that took its place.
            operational new: u32,
        },
        /// The log was brought back from its archive: this event follows what came back.
        "log_restored" @ 1 => LogRestored {
            /// Which restore.
            operational restore: RestoreId,
            /// The backup that said what must be there, if there was one.
            operational backup: Option<String>,
            /// The last position of the archive.
            operational archived: Position,
            /// Where the log ended before.
            operational old_end: Position,
            /// Where it ended then.
            operational new_end: Position,
            /// How many events were taken out of the log, and kept elsewhere.
            operational set_aside: u64,
            /// When the tenant opened again.
            operational at: Timestamp,
        },
    }
}
