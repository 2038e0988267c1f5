//! Checkpoints (<https://c2sp.org/tlog-checkpoint>): the signed head of a tenant's tree.
//!
//! ```text
//! domicile/<region>/<tenant_id>
//! <size>
//! <base64 of the root>
//! ```

use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::{Hash, RegionId, TenantId};

use crate::note::{self, Signer, Verifier};

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log: `domicile/<region>/<tenant_id>`.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// The origin of a tenant's log; also the name its checkpoints and manifests are signed under.
pub fn origin(region: &RegionId, tenant_id: TenantId) -> String {
    format!("{}/{tenant_id}", region_name(region))
}

/// The name a region signs its backups under; a verifier of this name speaks for every tenant of the region.
pub fn region_name(region: &RegionId) -> String {
    format!("domicile/{region}")
}

impl Checkpoint {
    /// The signed note. Ed25519 signatures are deterministic, so the same head is always the same bytes.
    pub fn sign(&self, signer: &Signer) -> String {
        note::sign(&self.text(), signer)
    }

    /// Reads a checkpoint that `verifier` has signed.
    pub fn open(note: &str, verifier: &Verifier) -> Result<Self, Error> {
        Self::parse(note::open(note, verifier)?)
    }

    /// Reads a checkpoint with the key of its log or of its region, which signs for each of its tenants under the name of the
    /// tenant's log.
    pub fn open_of(note: &str, key: &Verifier) -> Result<Self, Error> {
        let origin = Self::claimed(note)?.origin;
        if origin.contains(char::is_control) {
            return Err(Error::Line("origin"));
        }
        let is_the_regions = || origin.strip_prefix(key.name()).is_some_and(|tenant| tenant.starts_with('/'));
        if origin != key.name() && !is_the_regions() {
            return Err(Error::AnotherLog { origin, key: key.name().to_owned() });
        }
        Self::open(note, &Verifier::new(origin, *key.public_key()))
    }

    /// Reads what a checkpoint claims, unchecked.
    pub fn claimed(note: &str) -> Result<Self, Error> {
        Self::parse(note::text(note)?)
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let mut lines = text.lines();
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or(Error::Line("origin"))?;
        let size = lines.next().ok_or(Error::Line("size"))?;
        let size_number: u64 = size.parse().map_err(|_| Error::Line("size"))?;
        let root = lines.next().and_then(|line| STANDARD.decode(line).ok()).ok_or(Error::Line("root"))?;
        let root = Hash::try_from(root.as_slice()).map_err(|_| Error::Line("root"))?;
        if size_number.to_string() != size {
            return Err(Error::Line("size"));
        }
        Ok(Self { origin: origin.to_owned(), size: size_number, root })
    }
}

/// A checkpoint that cannot be trusted or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The note around it.
    #[error("the checkpoint's note cannot be trusted")]
    Note(#[from] note::Error),
    /// A line is missing or has not its form.
    #[error("the checkpoint's {0} cannot be read")]
    Line(&'static str),
    /// It is of a log that the key does not speak for.
    #[error("the checkpoint is of the log {origin}, for which the key of {key} does not speak")]
    AnotherLog {
        /// The log it names.
        origin: String,
        /// The name of the key.
        key: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::tests::signer;

    #[test]
    fn a_checkpoint_has_the_form_of_the_specification() {
        let signer = signer("domicile/eu/x", 1);
        let checkpoint = Checkpoint { origin: "domicile/eu/x".into(), size: 3, root: Hash::of(&[]) };
        let note = checkpoint.sign(&signer);
        assert!(note.starts_with("domicile/eu/x\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— domicile/eu/x "));
        assert_eq!(Checkpoint::open(&note, signer.verifier()), Ok(checkpoint));
    }

    #[test]
    fn a_name_that_would_speak_to_a_terminal_is_refused() {
        let signer = signer("domicile/eu/\u{9b}2J", 1);
        let key = Verifier::new("domicile/eu", *signer.verifier().public_key());
        let checkpoint = Checkpoint { origin: signer.verifier().name().into(), size: 3, root: Hash::of(&[]) };
        assert_eq!(Checkpoint::open_of(&checkpoint.sign(&signer), &key), Err(Error::Line("origin")));
    }

    #[test]
    fn a_checkpoint_that_was_changed_is_refused() {
        let signer = signer("domicile/eu/x", 1);
        let note = Checkpoint { origin: "domicile/eu/x".into(), size: 3, root: Hash::of(&[]) }.sign(&signer);
        assert!(matches!(Checkpoint::open(&note.replace("\n3\n", "\n4\n"), signer.verifier()), Err(Error::Note(_))));
        let padded = note::sign("domicile/eu/x\n03\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", &signer);
        assert_eq!(Checkpoint::open(&padded, signer.verifier()), Err(Error::Line("size")));
    }
}
