//! Why a person's stream refuses a command.

use crate::text::Invalid;

/// Why a person's stream refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A field holds what it cannot take.
    #[error("{field}: takes {takes}")]
    Invalid {
        /// The field, as the API calls it.
        field: &'static str,
        /// What it takes.
        takes: String,
    },
    /// There is no such person.
    #[error("there is no such person")]
    Unknown,
    /// The person is an auditor.
    #[error("an auditor's grant is made and revoked, and not changed")]
    Auditor,
    /// The person belongs to it already.
    #[error("{field}: takes one that the user does not belong to yet")]
    MemberAlready {
        /// The field, as the API calls it.
        field: &'static str,
    },
    /// The person does not belong to it.
    #[error("{field}: takes one that the user belongs to")]
    NoMember {
        /// The field, as the API calls it.
        field: &'static str,
    },
    /// There is no such membership of the person, or not any more.
    #[error("there is no such membership")]
    UnknownMembership,
    /// The person is not known by this, or not any more.
    #[error("there is no such identity")]
    UnknownIdentity,
    /// The person is known by it already.
    #[error("value: takes one that the user does not have yet")]
    IdentityExists,
    /// The id is in use.
    #[error("the person is known already")]
    AlreadyExists,
    /// The person has no such token, or not any more.
    #[error("there is no such token")]
    UnknownToken,
    /// The token's id is in use.
    #[error("the token was issued already")]
    TokenExists,
}

impl From<Invalid> for Rejection {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        Self::Invalid { field, takes }
    }
}
