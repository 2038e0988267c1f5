//! Manifests: the signed list of what belongs to a tenant's archive, one per generation, written last.
//!
//! A manifest names only what is new since the one before it and carries that one's hash, so the chain of manifests is the
//! whole archive and a new generation costs as much as the events in it. The object is signed JSON (`{"body", "signature"}`,
//! see [`crate::SignedError`]); the body's fields are those of [`Manifest`].

use jiff::Timestamp;
use schemas::{Hash, Position, RegionId, TenantId};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::signed::signed_json;

/// The version of the manifest's format.
pub const FORMAT: u16 = 1;

/// One generation of a tenant's archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u16,
    /// From 1, without gaps.
    pub generation: u64,
    /// Whose archive.
    pub tenant_id: TenantId,
    /// Where it is at home.
    pub region: RegionId,
    /// When its tree head was sealed; never before that of the generation before.
    #[serde(deserialize_with = "as_written")]
    pub created_at: Timestamp,
    /// SHA-256 of the previous manifest's object; nothing in the first.
    pub previous_sha256: Option<Hash>,
    /// The new events, in order.
    pub segments: Vec<Segment>,
    /// The audit lines of the new events, in order.
    pub audit: Vec<AuditSegment>,
    /// The files that belong to the new events, in the events' order.
    pub attachments: Vec<Attachment>,
    /// The schemas of the new events.
    pub schemas: Vec<Schema>,
    /// Events in the archive up to here: the size of the tree.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
    /// The signed checkpoint of that tree, as it was published.
    pub checkpoint: String,
    /// The C2SP verifier key of the signatures. A claim until it is compared with one from elsewhere.
    pub verifier: String,
}

/// A range of events in one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Below the tenant's prefix.
    pub object: String,
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
    /// How many events.
    pub count: u64,
    /// Length of the object.
    pub size_bytes: u64,
    /// SHA-256 of the object.
    pub sha256: Hash,
}

/// A day's audit lines for a range of events in one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSegment {
    /// Below the tenant's prefix.
    pub object: String,
    /// The first position.
    pub first: Position,
    /// The last position.
    pub last: Position,
    /// How many lines.
    pub lines: u64,
    /// SHA-256 of the object.
    pub sha256: Hash,
}

/// A sealed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// SHA-256 of the ciphertext, which is also its name.
    pub blob: Hash,
    /// Length of the ciphertext.
    pub size_bytes: u64,
}

/// A published schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// `<type>@<version>`.
    pub name: String,
    /// SHA-256 of the object.
    pub sha256: Hash,
}

signed_json!(Manifest);

/// A time in the one spelling in which it is written: four digits of the year, in UTC. So all readers take the same ones, and no two
/// are compared differently.
fn as_written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: Option<Timestamp> = text.parse().ok();
    let is_written = |time: &Timestamp| time.to_string() == text && !text.starts_with('-');
    time.filter(is_written).ok_or_else(|| D::Error::custom("a time in another spelling"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SignedError, Signer, note::tests::signer};

    fn manifest(signer: &Signer) -> Manifest {
        Manifest {
            format: FORMAT,
            generation: 1,
            tenant_id: "018f0000-0000-7000-8000-000000000001".parse().expect("an id"),
            region: "eu".parse().expect("an id"),
            created_at: Timestamp::UNIX_EPOCH,
            previous_sha256: None,
            segments: vec![],
            audit: vec![],
            attachments: vec![],
            schemas: vec![],
            size: 0,
            root: Hash::of(&[]),
            checkpoint: "a\n\n— b c\n".into(),
            verifier: signer.verifier().to_string(),
        }
    }

    #[test]
    fn a_manifest_is_signed_over_every_byte_of_its_body() {
        let (ours, theirs) = (signer("domicile/eu/x", 1), signer("domicile/eu/x", 2));
        let bytes = manifest(&ours).sign(&ours);
        assert_eq!(Manifest::open(&bytes, ours.verifier()).expect("opens"), manifest(&ours));
        assert!(matches!(Manifest::open(&bytes, theirs.verifier()), Err(SignedError::Signature(_))));
        let changed = String::from_utf8(bytes).expect("JSON").replace("\"size\":0", "\"size\":1");
        assert!(matches!(Manifest::open(changed.as_bytes(), ours.verifier()), Err(SignedError::Signature(_))));
    }

    #[test]
    fn a_manifest_has_one_spelling() {
        let signer = signer("domicile/eu/x", 1);
        let bytes = manifest(&signer).sign(&signer);
        let text = String::from_utf8(bytes.clone()).expect("JSON");
        for other in [text.trim_end(), &format!("{text}\n"), &text.replace("{\"body\":", "{\"body\": ")] {
            assert!(
                matches!(Manifest::open(other.as_bytes(), signer.verifier()), Err(SignedError::Spelling)),
                "{other}"
            );
        }
    }

    #[test]
    fn its_time_has_one_spelling() {
        let signer = signer("domicile/eu/x", 1);
        let written = serde_json::to_string(&manifest(&signer)).expect("JSON");
        let opens_at = |time: &str| {
            let body = written.replace("\"1970-01-01T00:00:00Z\"", &format!("{time:?}"));
            let signature = signer.line(&format!("{body}\n"));
            let object = format!("{{\"body\":{body},\"signature\":\"{signature}\"}}\n");
            Manifest::open(object.as_bytes(), signer.verifier())
        };
        for time in ["1970-01-01T00:00:00Z", "2026-11-23T01:02:03.000004Z", "9999-01-01T00:00:00.5Z"] {
            assert_eq!(opens_at(time).expect("opens").created_at.to_string(), time);
        }
        for time in
            ["1970-01-01T01:00:00+01:00", "1970-01-01 00:00:00Z", "1970-01-01T00:00:00.50Z", "-000001-01-01T00:00:00Z"]
        {
            assert!(matches!(opens_at(time), Err(SignedError::Json(_))), "{time}");
        }
    }

    #[test]
    fn the_same_manifest_is_always_the_same_bytes() {
        let signer = signer("domicile/eu/x", 1);
        assert_eq!(manifest(&signer).sign(&signer), manifest(&signer).sign(&signer));
    }
}
