//! What clients asked for and were answered, and what the stores hold afterwards: a history, and the check that both agree.
//!
//! Every operation carries a text of its own, its *marker*, into the log: as the body of a comment or the subject of a ticket. So
//! the events that it caused are found in the log without asking the tables that the check is about.
//!
//! Reading order: this file (an operation and its outcome), [`recorder`] (who writes histories), [`log`] (a dump of the log),
//! [`check`] (the rules, pure), [`evidence`] (how dump, read models and archive are had from a running region), [`root`].

pub mod check;
pub mod evidence;
pub mod log;
pub mod recorder;
pub mod root;

use serde::Serialize;

pub use self::{
    check::{Finding, check},
    evidence::Evidence,
    log::Log,
    recorder::Recorder,
};

/// What every marker begins with.
pub const MARKER: &str = "torture-";

/// Something a client wanted done once: asked perhaps several times, always with the same idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// The tenant's id.
    pub tenant: String,
    /// The text that its events carry; also its idempotency key.
    pub marker: String,
    /// What was asked, in words, for whoever reads the history.
    pub what: String,
    /// Each time it was asked.
    pub attempts: Vec<Attempt>,
}

/// One request and its answer. Times are microseconds of the test's own clock, which nobody steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// Before the request was sent.
    pub asked_at: u64,
    /// After its answer was there, or was not waited for any more.
    pub answered_at: u64,
    /// What the answer says.
    pub outcome: Outcome,
}

/// What a client knows after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done; its last event is at this position.
    Acknowledged {
        /// Of the operation's last event.
        position: i64,
    },
    /// It was not done, and will not be.
    Refused {
        /// The status of the answer.
        status: u16,
    },
    /// There was no answer, or one that says that nobody knows.
    Unknown,
}

impl Operation {
    /// The positions it was acknowledged at, one for each acknowledgement.
    pub fn acknowledged(&self) -> impl Iterator<Item = i64> {
        self.attempts.iter().filter_map(|attempt| match attempt.outcome {
            Outcome::Acknowledged { position } => Some(position),
            _ => None,
        })
    }

    /// What all its attempts together say. One that is unknown may still happen after another was refused.
    pub fn outcome(&self) -> Outcome {
        let is_unknown = self.attempts.iter().any(|attempt| attempt.outcome == Outcome::Unknown);
        match (self.acknowledged().next(), self.attempts.last()) {
            (Some(position), _) => Outcome::Acknowledged { position },
            (None, Some(refused)) if !is_unknown => refused.outcome,
            _ => Outcome::Unknown,
        }
    }

    pub(crate) fn first_asked_at(&self) -> u64 {
        self.attempts.first().map_or(u64::MAX, |attempt| attempt.asked_at)
    }

    pub(crate) fn first_acknowledged_at(&self) -> Option<u64> {
        let acknowledged = self.attempts.iter().find(|attempt| matches!(attempt.outcome, Outcome::Acknowledged { .. }));
        acknowledged.map(|attempt| attempt.answered_at)
    }
}
