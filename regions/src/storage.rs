//! How a region's bucket keeps objects: for how long at least, for how long at most, and under which key.

use jiff::SignedDuration;

/// What the region's file and the hosting policy ask of its bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Storage {
    /// The lock on what is written once; none, if the file asks for none.
    pub lock: Option<ObjectLock>,
    /// Whether the store encrypts objects under the region's `key_alias` (SSE-KMS).
    pub is_encrypted_by_kms: bool,
    /// When objects are to be gone.
    pub deletion: Deletion,
}

/// For how long objects can be neither deleted nor replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectLock {
    /// How firmly.
    pub mode: LockMode,
    /// From the moment each is written.
    pub days: u16,
}

/// How firmly an object is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Whoever holds `s3:BypassGovernanceRetention` could delete; nobody of ours does.
    Governance,
    /// Nobody can, not even the account's owner.
    Compliance,
}

/// The hosting policy's promise about deletion, in days, and the spans that fit in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// After which what was deleted is gone from every store.
    pub promise_days: u16,
    /// For which exported wrapped keys live.
    pub keys_days: u16,
    /// For which the reports of restore drills live. Nothing of a person is in them, so the promise is not about them.
    pub drills_days: u16,
    /// For which replaced and deleted versions of objects live.
    pub noncurrent_days: u16,
    /// For which uploads live that nobody finishes.
    pub incomplete_days: u16,
}

impl Deletion {
    /// How old the newest export of a living key may get: half its life, so that a renewal that fails has as long again.
    pub fn keys_renewed_after(&self) -> SignedDuration {
        SignedDuration::from_hours(12 * i64::from(self.keys_days))
    }
}

impl Default for Deletion {
    /// The repository's policy.
    fn default() -> Self {
        Self { promise_days: 90, keys_days: 30, drills_days: 400, noncurrent_days: 7, incomplete_days: 1 }
    }
}
