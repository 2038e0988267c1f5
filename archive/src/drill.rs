//! The report of a restore drill: tenants that were restored from their archives and compared with the living ones.
//!
//! It is signed JSON, like a backup's manifest, under the region's name.

use jiff::Timestamp;
use schemas::{Hash, RegionId, TenantId};
use serde::{Deserialize, Serialize};

use crate::signed::signed_json;

/// The version of the format.
pub const FORMAT: u16 = 1;

/// A drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillReport {
    /// [`FORMAT`].
    pub format: u16,
    /// Its name in the bucket.
    pub drill_id: String,
    /// Which region.
    pub region: RegionId,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub completed_at: Timestamp,
    /// What became of each tenant.
    pub tenants: Vec<TenantDrill>,
    /// The C2SP verifier key of the signature. A claim until it is compared with one from elsewhere.
    pub verifier: String,
}

/// A tenant of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantDrill {
    /// Which tenant.
    pub tenant_id: TenantId,
    /// Events that were restored; 0 if it did not come so far.
    pub size: u64,
    /// The root over them, in the archive, in the restored log and in the living one.
    pub root: Option<Hash>,
    /// The position at which the read models were compared; 0 if it did not come so far.
    pub compared_at: u64,
    /// The read models that were compared.
    pub tables: Vec<TableDrill>,
    /// From the first object read to the last row compared.
    pub duration_ms: u64,
    /// What was found wrong.
    pub finding: Option<String>,
}

/// A table of read models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDrill {
    /// Its name, with its projection's: `people.person`.
    pub table: String,
    /// The tenant's rows in it.
    pub rows: u64,
    /// The sum of the rows' hashes, by the database's own function.
    pub hashes: String,
}

signed_json!(DrillReport);

impl DrillReport {
    /// Whether nothing was found wrong.
    pub fn is_clean(&self) -> bool {
        self.tenants.iter().all(|tenant| tenant.finding.is_none())
    }
}
