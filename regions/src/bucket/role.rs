//! As whom to work in a region's bucket.

use crate::{
    region::Region,
    storage::{LockMode, Storage},
};

/// A role, as `infra/policies/` describes what each may do. Nobody may shorten a lock or step around one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BucketRole {
    /// Sets the bucket up. Reads and writes no object.
    Owner,
    /// Writes attachments once, reads them.
    Desk,
    /// Writes archives, keys and backups once, moves checkpoints, reads. Deletes nothing.
    Replicator,
    /// Reads everything: restores, verifies, searches.
    Reader,
}

impl BucketRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Desk, Self::Replicator, Self::Reader];

    /// Its name: that of its policy, too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Desk => "desk",
            Self::Replicator => "replicator",
            Self::Reader => "reader",
        }
    }

    /// What it may do in the region's bucket, as a policy document.
    pub fn policy(self, region: &Region) -> String {
        let document = match self {
            Self::Owner => include_str!("../../../infra/policies/owner.json"),
            Self::Desk => include_str!("../../../infra/policies/desk.json"),
            Self::Replicator => include_str!("../../../infra/policies/replicator.json"),
            Self::Reader => include_str!("../../../infra/policies/reader.json"),
        };
        filled(document, region)
    }
}

/// What an auditor may do, who carries the tag `tenant`, as a policy document: read that tenant's objects.
pub fn auditor_policy(region: &Region) -> String {
    filled(include_str!("../../../infra/policies/auditor.json"), region)
}

/// What stands in a document for a lock that writes must ask for, and for no lock that they may ask for.
const LOCKED: &str = r#""StringNotEquals": { "s3:object-lock-mode": "MODE" }"#;
const NOT_LOCKED: &str = r#""Null": { "s3:object-lock-mode": "false" }"#;

/// A document for this region, as `infra/terraform/` fills it.
fn filled(document: &str, region: &Region) -> String {
    let document = document.replace("BUCKET", &region.bucket);
    let Storage { lock: Some(lock), .. } = region.storage else {
        return document.replace(LOCKED, NOT_LOCKED).replace("DAYS", "0");
    };
    let mode = match lock.mode {
        LockMode::Governance => "GOVERNANCE",
        LockMode::Compliance => "COMPLIANCE",
    };
    document.replace("MODE", mode).replace("DAYS", &lock.days.to_string())
}
