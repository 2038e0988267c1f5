//! The rules. Pure: a history, a dump of each tenant's log and what derives from it go in, findings come out.

mod derived;
mod operations;
mod tables;

use std::fmt;

use super::{Operation, evidence::Evidence};

/// Something that must not be. No finding at all is the proof that a run was sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule is broken.
    pub rule: Rule,
    /// Whose log, by the tenant's id; empty where it is the whole region.
    pub tenant: String,
    /// Where, and what was found instead.
    pub what: String,
}

/// What holds in every sound run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Positions go from 1 to the head, each once.
    PositionsAreDense,
    /// The head row says the last position.
    HeadIsLast,
    /// A stream's versions go from 1, each once, in the order of positions.
    VersionsAreDense,
    /// The events of a command stand side by side.
    CommandsAreWhole,
    /// What is remembered of a request names its command's events, and a command is remembered once.
    RequestsAreRemembered,
    /// An acknowledged operation is there.
    AcknowledgedIsThere,
    /// It is where the acknowledgement says.
    PositionIsAsAcknowledged,
    /// No operation is there twice, however often it was asked.
    NothingIsDoubled,
    /// A refused operation is not there.
    RefusedIsNotThere,
    /// What is there was asked for.
    NothingIsInvented,
    /// Of two operations, the one that was acknowledged before the other was asked stands before it.
    OrderIsKept,
    /// Read models equal a fresh replay.
    ReadModelsEqualReplay,
    /// The archive verifies, and its tree is over the log's leaves.
    ArchiveIsTheLog,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}: {}", self.rule, self.tenant, self.what)
    }
}

/// Everything that is wrong.
pub fn check(history: &[Operation], evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    for log in &evidence.logs {
        let mut found = |rule: Rule, what: String| {
            findings.push(Finding { rule, tenant: log.tenant.clone(), what });
        };
        tables::check(log, &mut found);
        let of_tenant: Vec<&Operation> = history.iter().filter(|operation| operation.tenant == log.tenant).collect();
        operations::check(&of_tenant, log, &mut found);
        derived::check_archive(log, evidence.archives.iter().find(|one| one.tenant == log.tenant), &mut found);
    }
    findings.extend(derived::check_read_models(evidence));
    findings
}

#[cfg(test)]
mod tests;
