//! What may be asked of a person's profile and credentials.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemas::{
    PersonId, Personal, TicketId, TokenId,
    values::{PersonDetail, Role},
};

use super::{affiliation, identity};

/// What may be asked of a person's profile and credentials.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make the person known.
    Add(Add),
    /// Let somebody in as an auditor.
    GrantAuditor(GrantAuditor),
    /// Change the profile.
    Change(Box<Change>),
    /// Change by what the person is reached and known.
    Identity(identity::Command),
    /// Change where the person belongs.
    Affiliation(affiliation::Command),
    /// Let the person in no longer, or again.
    Suspend(bool),
    /// Set a password.
    SetPassword(SetPassword),
    /// Issue an API token.
    IssueToken(IssueToken),
    /// Revoke an API token.
    RevokeToken(RevokeToken),
    /// Put the person away. Whoever does releases the claim of the address in the same append.
    Delete,
    /// Erase a deleted person. Whoever does puts the profile's key on the erasure list in the same append.
    Erase,
}

/// Makes a person known.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    /// The person.
    pub person: PersonId,
    /// The full name.
    pub name: Personal<String>,
    /// The address, in any case. Whoever adds it claims it in the same append.
    pub email: Personal<Option<String>>,
    /// What the person may do.
    pub role: Role,
}

/// Lets somebody in as an auditor: a person of that role, and the one token they get.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantAuditor {
    /// The id the auditor gets.
    pub person: PersonId,
    /// The full name.
    pub name: Personal<String>,
    /// The address, in any case. It is told, not claimed: an auditor may be somebody whom the tenant knows otherwise.
    pub email: Personal<String>,
    /// The token's id.
    pub token: TokenId,
    /// SHA-256 of the token, in hex.
    pub token_sha256: Personal<String>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The tickets it is about; everything, when there are none.
    pub tickets: Vec<TicketId>,
}

/// Changes a profile. `None` leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// The full name.
    pub name: Option<Personal<String>>,
    /// The address. Whoever changes it moves the claim in the same append.
    pub email: Option<Personal<Option<String>>>,
    /// What the person may do.
    pub role: Option<Role>,
    /// What else is told; what is blank or nothing is told no longer. Whoever changes the id elsewhere moves its claim in the same append.
    pub details: BTreeMap<PersonDetail, Personal<Option<String>>>,
    /// All tags, in any order and case.
    pub tags: Option<Personal<Vec<String>>>,
}

/// Sets a password.
#[derive(Debug, Clone, PartialEq)]
pub struct SetPassword {
    /// Argon2id in PHC string format. The password itself never gets this far.
    pub phc: Personal<String>,
}

/// Issues an API token.
#[derive(Debug, Clone, PartialEq)]
pub struct IssueToken {
    /// The token's id.
    pub token: TokenId,
    /// SHA-256 of the token, in hex.
    pub token_sha256: Personal<String>,
    /// What it is for.
    pub description: Personal<String>,
    /// When it stops working; never, when absent.
    pub expires_at: Option<Timestamp>,
}

/// Revokes an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevokeToken {
    /// The token's id.
    pub token: TokenId,
}

impl From<Add> for Command {
    fn from(add: Add) -> Self {
        Self::Add(add)
    }
}

impl From<GrantAuditor> for Command {
    fn from(grant: GrantAuditor) -> Self {
        Self::GrantAuditor(grant)
    }
}

impl From<Change> for Command {
    fn from(change: Change) -> Self {
        Self::Change(Box::new(change))
    }
}

impl From<identity::Command> for Command {
    fn from(command: identity::Command) -> Self {
        Self::Identity(command)
    }
}

impl From<affiliation::Command> for Command {
    fn from(command: affiliation::Command) -> Self {
        Self::Affiliation(command)
    }
}

impl From<SetPassword> for Command {
    fn from(set: SetPassword) -> Self {
        Self::SetPassword(set)
    }
}

impl From<IssueToken> for Command {
    fn from(issue: IssueToken) -> Self {
        Self::IssueToken(issue)
    }
}

impl From<RevokeToken> for Command {
    fn from(revoke: RevokeToken) -> Self {
        Self::RevokeToken(revoke)
    }
}
