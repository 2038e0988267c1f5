//! What the directory cannot do, or will not.

use domain::name::Rejection;
use schemas::Position;

use crate::write::ATTEMPTS_MAX;

/// What the directory cannot do, or will not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules refuse.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The name is one of our own hosts.
    #[error("subdomain: takes a name that is not reserved")]
    Reserved,
    /// No such region.
    #[error("region: takes a region of this deployment")]
    UnknownRegion,
    /// Others kept writing the same name.
    #[error("the name was changed by others {ATTEMPTS_MAX} times in a row")]
    Contended,
    /// The database did not answer.
    #[error("the directory's database cannot be read")]
    Read(#[source] sqlx::Error),
    /// The log could not be read or appended to.
    #[error("the directory's log cannot be used")]
    Log(#[from] eventlog::Error),
    /// The keys could not be used.
    #[error("the directory's keys cannot be used")]
    Keys(#[from] vault::Error),
    /// An event of the log makes no sense to this program.
    #[error("position {position} of the directory's log cannot be read as an event of a name")]
    Decode {
        /// Where.
        position: Position,
        /// Why, if it can be told.
        #[source]
        source: Option<schemas::DecodeError>,
    },
    /// The directory's own tenant is not there although it was made.
    #[error("the directory's own tenant is not at home in its database")]
    NotAtHome,
    /// The HTTP server failed.
    #[error("the directory cannot serve")]
    Serve(#[source] std::io::Error),
}
