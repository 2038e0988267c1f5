//! What is derived from the log, held against the log.

use schemas::Hash;

use super::{Finding, Rule};
use crate::history::{
    Log,
    evidence::{Archive, Evidence},
    root::root,
};

pub(super) fn check_read_models(evidence: &Evidence) -> Option<Finding> {
    let what = evidence.read_models.as_ref().err()?.clone();
    Some(Finding { rule: Rule::ReadModelsEqualReplay, tenant: String::new(), what })
}

/// The leaves are taken in the order of positions: a tree over other leaves, or over fewer, has another root.
pub(super) fn check_archive(log: &Log, archive: Option<&Archive>, found: &mut impl FnMut(Rule, String)) {
    let Some(archive) = archive else {
        return found(Rule::ArchiveIsTheLog, "there is no archive".to_owned());
    };
    if let Some(fault) = &archive.fault {
        found(Rule::ArchiveIsTheLog, format!("it does not verify: {fault}"));
    }
    let leaves: Vec<Hash> = log.events.iter().map(|event| event.leaf).collect();
    if usize::try_from(archive.size).ok() != Some(leaves.len()) {
        found(Rule::ArchiveIsTheLog, format!("it holds {} events, the log {}", archive.size, leaves.len()));
    } else if archive.root != root(&leaves) {
        found(Rule::ArchiveIsTheLog, "its tree is not over the log's leaves".to_owned());
    }
}
