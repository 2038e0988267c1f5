//! `domicile audit`: replay, look at, verify, prove and export a tenant's event history.

mod archive;
mod check;
mod consistency;
mod difference;
mod export;
mod granted;
mod history;
mod proof;
mod replay;
mod report_file;
mod show;
mod step;
mod verify;
pub(in crate::commands) mod visit;
mod witnesses;

use auditor::replay::AsOf;
use clap::Subcommand;
use schemas::Position;

use crate::{cli::Place, exit::Outcome};

pub(super) use difference::in_words;
pub use verify::{Verify, print_report, verify_tenant};

/// `domicile audit`.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// The history as it happened, or the state it leads to. On a terminal it steps from event to event.
    Replay(replay::Replay),
    /// One event, or the state as of a moment: of the tenant in counts, or of one ticket, person or stream.
    Show(show::Show),
    /// What changed between two moments, by which events and by whom.
    Diff(difference::Diff),
    /// Check an archive: signatures, hashes, order, the Merkle tree. Exit code 1 names the first position that is wrong.
    Verify(Verify),
    /// Write the proof that an event is in the log: one small text file that anybody can check offline.
    Proof(proof::Proof),
    /// Check such a proof, with the published key and nothing else. Exit code 1 says why it does not hold.
    Check(check::Check),
    /// Ask the other regions what they have seen of a tenant's log. Exit code 1 if one has seen another history.
    Witnesses(witnesses::Witnesses),
    /// Prove that an older tree head is the beginning of the published one. Exit code 1 names a fork.
    Consistency(consistency::Consistency),
    /// Copy a tenant's archive into a folder, which verifies there with no network, database or keys.
    Export(export::Export),
}

/// A moment or a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Everything recorded at or before it.
    Time(jiff::Timestamp),
    /// Everything up to and including it.
    Position(Position),
}

impl From<Moment> for AsOf {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Time(time) => Self::Time(time),
            Moment::Position(position) => Self::Position(position),
        }
    }
}

impl std::str::FromStr for Moment {
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
        Audit::Show(options) => show::run(place, options).await,
        Audit::Diff(options) => difference::run(place, options).await,
        Audit::Verify(options) => verify::run(place, options).await,
        Audit::Proof(options) => proof::run(place, options).await,
        Audit::Check(options) => check::run(options).await,
        Audit::Consistency(options) => consistency::run(place, options).await,
        Audit::Witnesses(options) => witnesses::run(place, options).await,
        Audit::Export(options) => export::run(place, options).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_takes_a_time_or_a_position() {
        assert_eq!("12".parse(), Ok(Moment::Position(Position::new(12))));
        assert_eq!("2026-11-22T10:00:00Z".parse(), Ok(Moment::Time("2026-11-22T10:00:00Z".parse().expect("a time"))));
        assert!("yesterday".parse::<Moment>().is_err());
    }
}
