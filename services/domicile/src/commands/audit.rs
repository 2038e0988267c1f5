//! `domicile audit`: replay, look at, verify, prove and export a tenant's event history.

mod archive;
mod check;
mod consistency;
mod export;
mod proof;
mod replay;
mod report_file;
mod verify;

use clap::{Args, Subcommand};
use schemas::{Position, StreamName};

use crate::{
    cli::{Place, TenantOption},
    exit::Outcome,
    output::Format,
};

pub use verify::{Verify, print_report, verify_tenant};

/// `domicile audit`.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// The history as it happened, or the state it leads to, now or as of a moment.
    Replay(Replay),
    /// One event: its envelope, its hashes, its data.
    Show(Show),
    /// Check an archive: signatures, hashes, order, the Merkle tree. Exit code 1 names the first position that is wrong.
    Verify(Verify),
    /// Write the proof that an event is in the log: one small text file that anybody can check offline.
    Proof(proof::Proof),
    /// Check such a proof, with the published key and nothing else. Exit code 1 says why it does not hold.
    Check(check::Check),
    /// Prove that an older tree head is the beginning of the published one. Exit code 1 names a fork.
    Consistency(consistency::Consistency),
    /// Copy a tenant's archive into a folder, which verifies there with no network, database or keys.
    Export(export::Export),
}

/// `domicile audit replay`.
#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tenant: TenantOption,
    /// Show the state the events lead to instead of the events.
    #[arg(long)]
    pub state: bool,
    /// Up to this moment (RFC 3339, such as 2026-11-22T10:00:00Z) or position.
    #[arg(long, value_name = "TIME|POSITION")]
    pub as_of: Option<AsOf>,
    /// One stream only, such as ticket-42.
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<StreamName>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `domicile audit show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tenant: TenantOption,
    /// The event's position in the tenant's log.
    #[arg(long, value_name = "POSITION")]
    pub position: Position,
}

/// A moment or a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// Everything recorded at or before it.
    Time(jiff::Timestamp),
    /// Everything up to and including it.
    Position(Position),
}

impl std::str::FromStr for AsOf {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        text.parse().map(Self::Time).map_err(|_| "takes a time such as 2026-11-22T10:00:00Z, or a position")
    }
}

/// Runs it.
pub async fn run(place: &Place, command: &Audit) -> Outcome {
    match command {
        Audit::Replay(options) => replay::run(place, options).await,
        Audit::Show(options) => replay::show(place, options).await,
        Audit::Verify(options) => verify::run(place, options).await,
        Audit::Proof(options) => proof::run(place, options).await,
        Audit::Check(options) => check::run(options).await,
        Audit::Consistency(options) => consistency::run(place, options).await,
        Audit::Export(options) => export::run(place, options).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_of_takes_a_time_or_a_position() {
        assert_eq!("12".parse(), Ok(AsOf::Position(Position::new(12))));
        assert_eq!("2026-11-22T10:00:00Z".parse(), Ok(AsOf::Time("2026-11-22T10:00:00Z".parse().expect("a time"))));
        assert!("yesterday".parse::<AsOf>().is_err());
    }
}
