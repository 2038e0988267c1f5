//! Why an organization's stream refuses a command.

use crate::text::Invalid;

/// Why an organization's stream refuses a command.
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
    /// There is no such organization, or not any more.
    #[error("there is no such organization")]
    Unknown,
    /// The id is in use.
    #[error("the organization is known already")]
    AlreadyExists,
}

impl From<Invalid> for Rejection {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        Self::Invalid { field, takes }
    }
}
