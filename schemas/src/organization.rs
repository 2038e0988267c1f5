//! Events of the streams `organization-<id>`: companies and the like, that people belong to. Who does is on the people's own streams.

use crate::{
    events,
    ids::{GroupId, OrganizationId},
    values::OrganizationDetail,
};

events! {
    /// What happens to an organization. All of it but the last is sealed under a key of the organization's own.
    pub enum OrganizationEvent {
        /// An organization became known to the tenant.
        "organization_added" @ 1 => OrganizationAdded {
            /// The organization.
            operational organization: OrganizationId,
            /// Its name.
            content name: String,
        },
        /// The name changed.
        "organization_renamed" @ 1 => OrganizationRenamed {
            /// Its name.
            content name: String,
        },
        /// Something else that is told of it changed. What agents note may be about people.
        "organization_detail_set" @ 1 => OrganizationDetailSet {
            /// Which.
            operational detail: OrganizationDetail,
            /// What it is now.
            personal value: Option<String>,
        },
        /// New people with an address of other domains become its members.
        "organization_domains_set" @ 1 => OrganizationDomainsSet {
            /// All of them now, lower case, sorted, each once.
            content domain_names: Vec<String>,
        },
        /// The tags changed.
        "organization_tags_set" @ 1 => OrganizationTagsSet {
            /// All tags now, sorted, each once.
            content tags: Vec<String>,
        },
        /// Another group works on its new tickets.
        "organization_group_set" @ 1 => OrganizationGroupSet {
            /// The group now.
            operational group: Option<GroupId>,
        },
        /// It is gone, and nobody belongs to it any more; its key is on the erasure list. Sealed under the general key, so that it can
        /// be read when nothing else of the stream can.
        "organization_deleted" @ 1 => OrganizationDeleted {},
    }
}
