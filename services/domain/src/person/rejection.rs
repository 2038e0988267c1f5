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
