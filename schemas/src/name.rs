//! Events of the streams `name-<slug>` in the directory's log. Every field is of class `routing`: the directory and the
//! router know nothing else about a tenant.

use crate::{
    events,
    ids::{Epoch, RegionId, Slug, TenantId},
};

events! {
    /// What happens to a tenant's name.
    pub enum NameEvent {
        /// A region took the name for a tenant that is signing up. Not routed yet.
        "name_claimed" @ 1 => NameClaimed {
            /// The name.
            routing slug: Slug,
            /// For which tenant.
            routing tenant: TenantId,
            /// Where that tenant will be at home.
            routing region: RegionId,
            /// The epoch of that home.
            routing epoch: Epoch,
        },
        /// The tenant exists in its region; the router may send people there.
        "name_confirmed" @ 1 => NameConfirmed {
            /// For which tenant.
            routing tenant: TenantId,
        },
        /// The signup never finished; the name is free again.
        "name_released" @ 1 => NameReleased {
            /// From which tenant.
            routing tenant: TenantId,
        },
    }
}
