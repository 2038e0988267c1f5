//! As whom to work in a region's bucket.

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
}
