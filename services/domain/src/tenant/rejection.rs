//! Why a tenant refuses a command.

use crate::text::Invalid;

/// Why a tenant refuses a command.
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
    /// Nobody signed up under this id.
    #[error("there is no such tenant")]
    Unknown,
    /// Somebody did already.
    #[error("the tenant is registered already")]
    AlreadyExists,
    /// The policy's decision contradicts itself.
    #[error("locality: a place is committed exactly when the tenant was entitled to choose it and did")]
    DishonestDecision,
    /// Another group has the name.
    #[error("name: takes a name that no other group has")]
    GroupNameTaken,
    /// There is no such group, or not any more.
    #[error("there is no such group")]
    UnknownGroup,
    /// The group's id is in use.
    #[error("the group exists already")]
    GroupExists,
}

impl From<Invalid> for Rejection {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        Self::Invalid { field, takes }
    }
}
