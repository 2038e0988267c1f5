//! People of a tenant: end users, agents and admins, with their credentials.
//!
//! Who may add or change whom is not decided here: the desk knows the caller, the person's stream does not.

pub mod affiliation;
mod change;
mod command;
mod decide;
mod evolve;
pub mod identity;
mod rejection;

use std::collections::BTreeMap;

pub use affiliation::Affiliations;
pub use command::{Add, Change, Command, GrantAuditor, IssueToken, RevokeToken, SetPassword};
pub use identity::Identity;
use jiff::Timestamp;
pub use rejection::Rejection;
use schemas::{
    GroupId, IdentityId, OrganizationId, PersonId, Personal, TenantLogEvent, TicketId, TokenId,
    audit::ChangeNoted,
    person::PersonEvent,
    values::{PersonDetail, Role},
};

use crate::aggregate::Aggregate;

/// How many working API tokens a person has at most.
pub const TOKENS_MAX: usize = 100;

/// How many tickets an auditor's grant names at most.
pub const GRANTED_TICKETS_MAX: usize = 1000;

/// A person, or the id of one that is not added yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Person {
    profile: Option<Profile>,
    is_erased: bool,
}

/// What is known about a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The person.
    pub person: PersonId,
    /// The full name.
    pub name: Personal<String>,
    /// The primary address, lower case; a person may have none.
    pub email: Personal<Option<String>>,
    /// By what the person is reached and known: the primary address, and all others.
    pub identities: BTreeMap<IdentityId, Identity>,
    /// What the person may do.
    pub role: Role,
    /// Argon2id in PHC string format, once a password was set.
    pub password_phc: Personal<Option<String>>,
    /// The API tokens that were not revoked. Whether one has expired is for whoever knows the time.
    pub tokens: BTreeMap<TokenId, Token>,
    /// What an auditor may read, and until when; nothing, if the person is none.
    pub grant: Option<Grant>,
    /// What else the profile tells.
    pub details: BTreeMap<PersonDetail, Personal<String>>,
    /// Words to find the person by, which new tickets of theirs get.
    pub tags: Personal<Vec<String>>,
    /// The organizations the person belongs to. One that was deleted since may be among them.
    pub organizations: Affiliations<OrganizationId>,
    /// The groups the agent belongs to. One that was deleted since may be among them.
    pub groups: Affiliations<GroupId>,
    /// Whether the person may not come in.
    pub is_suspended: bool,
    /// Whether the person was put away: there is no way back, only on to erasure.
    pub is_deleted: bool,
}

/// An API token that was not revoked.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// SHA-256 of the token, in hex.
    pub token_sha256: Personal<String>,
    /// What it is for.
    pub description: Personal<String>,
    /// When it stops working; never, when absent.
    pub expires_at: Option<Timestamp>,
}

/// What an auditor was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// When it ends.
    pub expires_at: Timestamp,
    /// The tickets it is about; everything, when there are none.
    pub tickets: Vec<TicketId>,
}

impl Profile {
    /// Whether the person may administer the tenant.
    pub fn is_active_admin(&self) -> bool {
        self.role == Role::Admin && !self.is_deleted
    }

    /// Something that the profile tells.
    pub fn detail(&self, detail: PersonDetail) -> Option<&str> {
        self.details.get(&detail).map(|value| value.expose().as_str())
    }
}

impl Person {
    /// What is known about the person, once added.
    pub const fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }
}

impl Aggregate for Person {
    type Command = Command;
    type Event = PersonEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<PersonEvent>, Rejection> {
        decide::decide(self, command)
    }

    fn evolve(&mut self, event: &PersonEvent) {
        evolve::evolve(self, event);
    }

    fn change(&self, event: &PersonEvent) -> Option<ChangeNoted> {
        change::change(self, event)
    }

    fn pick(event: TenantLogEvent) -> Option<PersonEvent> {
        match event {
            TenantLogEvent::Person(event) => Some(event),
            _ => None,
        }
    }
}
