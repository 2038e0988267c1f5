//! Events of the streams `person-<id>` and `email-<index>`: profiles, credentials, and who holds an address.

use jiff::Timestamp;

use crate::{
    events,
    ids::{GroupId, IdentityId, MembershipId, OrganizationId, PersonId, TicketId, TokenId},
    values::{IdentityKind, PersonDetail, Role},
};

events! {
    /// What happens to a person's profile and credentials.
    pub enum PersonEvent {
        /// A person became known to the tenant.
        "person_added" @ 1 => PersonAdded {
            /// The person.
            operational person: PersonId,
            /// The full name.
            personal name: String,
            /// The address, lower case; a person may have none.
            personal email: Option<String>,
            /// What the person may do.
            operational role: Role,
        },
        /// The name changed.
        "person_renamed" @ 1 => PersonRenamed {
            /// The full name.
            personal name: String,
        },
        /// The address changed.
        "person_email_changed" @ 1 => PersonEmailChanged {
            /// The address, lower case.
            personal email: Option<String>,
        },
        /// The person may do more or less than before.
        "role_changed" @ 1 => RoleChanged {
            /// What the person may do now.
            operational role: Role,
        },
        /// A password was set. Only its salted one-way hash exists.
        "password_set" @ 1 => PasswordSet {
            /// Argon2id in PHC string format.
            personal phc: String,
        },
        /// An API token was issued. The token itself is shown once and never stored.
        "api_token_issued" @ 1 => ApiTokenIssued {
            /// The token's id.
            operational token: TokenId,
            /// SHA-256 of the token, in hex.
            personal token_sha256: String,
            /// What it is for.
            content description: String,
            /// When it stops working; never, when absent.
            operational expires_at: Option<Timestamp>,
        },
        /// An API token stopped working.
        "api_token_revoked" @ 1 => ApiTokenRevoked {
            /// The token's id.
            operational token: TokenId,
        },
        /// The person was let in as an auditor. Follows the adding of somebody whose role it is, with the one token they get.
        "auditor_granted" @ 1 => AuditorGranted {
            /// When it ends.
            operational expires_at: Timestamp,
            /// The tickets it is about; everything, when there are none.
            operational tickets: Vec<TicketId>,
        },
        /// Something that the profile tells changed.
        "person_detail_set" @ 1 => PersonDetailSet {
            /// Which.
            operational detail: PersonDetail,
            /// What it is now.
            personal value: Option<String>,
        },
        /// The tags changed.
        "person_tags_set" @ 1 => PersonTagsSet {
            /// All tags now, sorted, each once.
            content tags: Vec<String>,
        },
        /// The person may not come in.
        "person_suspended" @ 1 => PersonSuspended {},
        /// The person may come in again.
        "person_reinstated" @ 1 => PersonReinstated {},
        /// The person is reached and known by one thing more.
        "identity_added" @ 1 => IdentityAdded {
            /// The identity.
            operational identity: IdentityId,
            /// What kind.
            operational kind: IdentityKind,
            /// The address, lower case, or the number.
            personal value: String,
        },
        /// An identity is another address or number now, and not known to be the person's.
        "identity_changed" @ 1 => IdentityChanged {
            /// The identity.
            operational identity: IdentityId,
            /// The address, lower case, or the number.
            personal value: String,
        },
        /// An identity is known to be the person's.
        "identity_verified" @ 1 => IdentityVerified {
            /// The identity.
            operational identity: IdentityId,
        },
        /// An identity is not the person's any more.
        "identity_removed" @ 1 => IdentityRemoved {
            /// The identity.
            operational identity: IdentityId,
        },
        /// Another address of the person is the one that is shown and written to.
        "primary_identity_chosen" @ 1 => PrimaryIdentityChosen {
            /// The identity.
            operational identity: IdentityId,
        },
        /// The person belongs to an organization.
        "organization_joined" @ 1 => OrganizationJoined {
            /// The membership.
            operational membership: MembershipId,
            /// The organization.
            operational organization: OrganizationId,
        },
        /// The person belongs to it no longer.
        "organization_left" @ 1 => OrganizationLeft {
            /// The membership.
            operational membership: MembershipId,
        },
        /// New tickets of the person are of this organization.
        "default_organization_chosen" @ 1 => DefaultOrganizationChosen {
            /// The organization.
            operational organization: OrganizationId,
        },
        /// The agent belongs to a group.
        "group_joined" @ 1 => GroupJoined {
            /// The membership.
            operational membership: MembershipId,
            /// The group.
            operational group: GroupId,
        },
        /// The agent belongs to it no longer.
        "group_left" @ 1 => GroupLeft {
            /// The membership.
            operational membership: MembershipId,
        },
        /// Tickets that are given to the agent alone are of this group.
        "default_group_chosen" @ 1 => DefaultGroupChosen {
            /// The group.
            operational group: GroupId,
        },
        /// The person may do nothing any more, and the address is free. Sealed under the general key.
        "person_deleted" @ 1 => PersonDeleted {},
        /// The profile and the credentials are gone for good; their key is on the erasure list. Sealed under the general key, so that
        /// it can be read when nothing else of the stream can.
        "person_erased" @ 1 => PersonErased {},
    }
}

events! {
    /// Who holds an address within a tenant. The stream's name is a blind index, so the address stays out of it.
    pub enum EmailEvent {
        /// A person took the address.
        "email_claimed" @ 1 => EmailClaimed {
            /// The person.
            operational person: PersonId,
        },
        /// The person gave the address up.
        "email_released" @ 1 => EmailReleased {
            /// The person.
            operational person: PersonId,
        },
    }
}
