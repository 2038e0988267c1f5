//! Which object lies where.
//!
//! Keys are relative to a tenant's prefix unless their name says otherwise, so that a copied folder reads like the bucket.
//! Numbers in names are padded, so that a plain listing is in order.

use jiff::Timestamp;
use schemas::{Hash, Position, RegionId, TenantId};

/// The published checkpoint: replaced by compare-and-swap only. Nothing else is ever replaced but what others cosigned.
pub const CHECKPOINT: &str = "log/checkpoint";
/// The steps by hand.
pub const GUIDE: &str = "VERIFY.txt";
/// Everything of the Merkle log but the checkpoint.
pub const TILES: &str = "log/tile/";
/// The segments.
pub const EVENTS: &str = "events/";
/// The manifests.
pub const MANIFESTS: &str = "manifest/";
/// The audit log.
pub const AUDIT: &str = "audit/";
/// The schemas of payloads.
pub const SCHEMAS: &str = "schemas/";
/// The statements that one signing key follows another.
pub const SUCCESSIONS: &str = "successions/";
/// What other regions have cosigned.
pub const WITNESSES: &str = "witness/";
/// The sealed files.
pub const ATTACHMENTS: &str = "attachments/";

/// Where a tenant's archive begins in its region's bucket.
pub fn tenant_prefix(tenant_id: TenantId) -> String {
    format!("tenants/{tenant_id}/")
}

/// Where all exports of a tenant's wrapped keys lie in the region's bucket: outside of the archive, with a short life.
pub fn keys_prefix(tenant_id: TenantId) -> String {
    format!("keys/{tenant_id}/")
}

/// Where the wrapped keys of a generation lie.
pub fn keys(tenant_id: TenantId, generation: u64) -> String {
    format!("{}{generation:08}.json", keys_prefix(tenant_id))
}

/// Where they lie if something else is at that place: keys of a generation that never was published.
pub fn keys_beside(tenant_id: TenantId, generation: u64, root: Hash) -> String {
    format!("{}{generation:08}-{root}.json", keys_prefix(tenant_id))
}

/// The generation of an export of wrapped keys, by its key; none of a renewal.
pub fn keys_generation(key: &str) -> Option<u64> {
    let name = key.rsplit_once('/')?.1.strip_suffix(".json")?;
    name.split_once('-').map_or(name, |(generation, _)| generation).parse().ok()
}

/// Where a part of a renewal of a tenant's wrapped keys lies, by the time it began; beside those of the generations.
pub fn renewed_keys(tenant_id: TenantId, began_at: Timestamp, part: u32) -> String {
    format!("{}renewed-{}-{part:06}.json", keys_prefix(tenant_id), began_at.strftime("%Y%m%dT%H%M%SZ"))
}

/// Where a region's backups lie in its bucket.
pub const BACKUPS: &str = "backups/";

/// The manifest of a backup, in the region's bucket.
pub fn backup(backup_id: &str) -> String {
    format!("{BACKUPS}{backup_id}/manifest.json")
}

/// The backup whose manifest this is.
pub fn backup_id(key: &str) -> Option<&str> {
    key.strip_prefix(BACKUPS)?.strip_suffix("/manifest.json")
}

/// Where a region's restore drills lie in its bucket.
pub const DRILLS: &str = "drills/";

/// The report of a drill, in the region's bucket.
pub fn drill(drill_id: &str) -> String {
    format!("{DRILLS}{drill_id}.json")
}

/// The drill whose report this is.
pub fn drill_id(key: &str) -> Option<&str> {
    key.strip_prefix(DRILLS)?.strip_suffix(".json")
}

/// The segment that holds the events from `first` to `last`.
pub fn segment(first: Position, last: Position) -> String {
    format!("{}{:012}.seg.zst", segments_from(first), last.get())
}

/// What the names of all segments begin with whose first event is `first`.
pub fn segments_from(first: Position) -> String {
    format!("{EVENTS}{:012}-", first.get())
}

/// The first and last position in a segment's name.
pub fn segment_range(key: &str) -> Option<(Position, Position)> {
    range(key.strip_prefix(EVENTS)?.strip_suffix(".seg.zst")?)
}

/// The audit lines of a day for the commands in a range.
pub fn audit(day: &str, first: Position, last: Position) -> String {
    format!("{AUDIT}{day}/{:012}-{:012}.jsonl.zst", first.get(), last.get())
}

/// The first and last position in the name of an audit object.
pub fn audit_range(key: &str) -> Option<(Position, Position)> {
    range(key.strip_prefix(AUDIT)?.split_once('/')?.1.strip_suffix(".jsonl.zst")?)
}

/// A manifest.
pub fn manifest(generation: u64) -> String {
    format!("{MANIFESTS}{generation:08}.json")
}

/// The generation in a manifest's name.
pub fn manifest_generation(key: &str) -> Option<u64> {
    let generation = key.strip_prefix(MANIFESTS)?.strip_suffix(".json")?.parse().ok()?;
    (manifest(generation) == key).then_some(generation)
}

/// The statement with this number that a signing key follows another.
pub fn succession(number: u64) -> String {
    format!("{SUCCESSIONS}{number:08}")
}

/// The number in a statement's name.
pub fn succession_number(key: &str) -> Option<u64> {
    let number = key.strip_prefix(SUCCESSIONS)?.parse().ok()?;
    (succession(number) == key).then_some(number)
}

/// The newest checkpoint that another region has cosigned. Replaced with each.
pub fn witness(region: &RegionId) -> String {
    format!("{WITNESSES}{region}")
}

/// The region in such a name.
pub fn witness_region(key: &str) -> Option<RegionId> {
    key.strip_prefix(WITNESSES)?.parse().ok()
}

/// The published schema `<type>@<version>`.
pub fn schema(name: &str) -> String {
    format!("{SCHEMAS}{name}.json")
}

/// A sealed file, by the SHA-256 of its ciphertext.
pub fn attachment(blob: Hash) -> String {
    format!("{ATTACHMENTS}{blob}")
}

/// An object of the Merkle log by its path in the C2SP layout.
pub fn log(path: &str) -> String {
    format!("log/{path}")
}

fn range(text: &str) -> Option<(Position, Position)> {
    let (first, last) = text.split_once('-')?;
    Some((Position::new(first.parse().ok()?), Position::new(last.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let (first, last) = (Position::new(7), Position::new(1_234_567_890_123));
        assert_eq!(segment_range(&segment(first, last)), Some((first, last)));
        assert_eq!(audit_range(&audit("2026-11-22", first, last)), Some((first, last)));
        assert_eq!(manifest_generation(&manifest(42)), Some(42));
        assert_eq!(manifest_generation("manifest/42.json"), None, "one spelling per generation");
        assert_eq!(succession_number(&succession(2)), Some(2));
        assert_eq!(succession_number("successions/2"), None, "one spelling per succession");
        let (tenant_id, root) = ("018f0000-0000-7000-8000-000000000001".parse().expect("an id"), Hash::of(&[]));
        assert_eq!(keys_generation(&keys(tenant_id, 3)), Some(3));
        assert_eq!(keys_generation(&keys_beside(tenant_id, 3, root)), Some(3));
        assert_eq!(keys_generation(&renewed_keys(tenant_id, Timestamp::UNIX_EPOCH, 3)), None);
    }
}
