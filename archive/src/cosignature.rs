//! Cosignatures (<https://c2sp.org/tlog-cosignature>): that somebody else has seen a checkpoint, and none that contradicts it.
//!
//! A cosignature is one more signature line below a checkpoint, `— <name> <base64 of key id, time and signature>`. Signed are
//!
//! ```text
//! cosignature/v1
//! time <seconds since 1970>
//! <the checkpoint's text>
//! ```
//!
//! A region cosigns with its signing key, under its own name. Key ids keep the two uses apart: a cosignature's is made with
//! another type byte, and its message with another first line than anything else that the key signs.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use schemas::Hash;

use crate::note::{self, Signer, Verifier};

/// The type byte of Ed25519 cosignatures.
const COSIGNATURE_TYPE: u8 = 4;

/// The key id, the time and the signature of a line, in bytes.
const LINE_LENGTH: usize = 4 + 8 + 64;

/// The signature line of a cosigner over a checkpoint, without its newline. The signer's name is the cosigner's.
///
/// # Errors
/// If the checkpoint is no note.
pub fn line(checkpoint: &str, signer: &Signer, at: Timestamp) -> Result<String, note::Error> {
    let seconds = at.as_second().max(0).unsigned_abs();
    let signature = signer.signature(message(note::text(checkpoint)?, seconds).as_bytes());
    let verifier = signer.verifier();
    let encoded = STANDARD.encode([&key_id(verifier)[..], &seconds.to_be_bytes(), &signature].concat());
    Ok(format!("— {} {encoded}", verifier.name()))
}

/// Whether a line has the form of a cosignature by `name`, whosever key made it: another's line in a note must not make the whole
/// note unreadable.
pub fn is_line(line: &str, name: &str) -> bool {
    let encoded =
        line.strip_prefix("— ").and_then(|line| line.strip_prefix(name)).and_then(|line| line.strip_prefix(' '));
    let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    bytes.is_some_and(|bytes| bytes.len() == LINE_LENGTH)
}

/// When a cosigner has cosigned a checkpoint; nothing if it has not.
///
/// # Errors
/// If a line says that it has, and does not fit, or if it is no note.
pub fn time(checkpoint: &str, cosigner: &Verifier) -> Result<Option<Timestamp>, note::Error> {
    let (text, signatures) = note::split(checkpoint)?;
    for line in signatures.lines() {
        let (name, encoded) =
            line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or(note::Error::Malformed)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| note::Error::Malformed)?;
        let Some(rest) = bytes.strip_prefix(&key_id(cosigner)).filter(|_| name == cosigner.name()) else { continue };
        let bad = || note::Error::BadSignature { name: name.to_owned() };
        let (seconds, signature) = rest.split_first_chunk().ok_or_else(bad)?;
        let seconds = u64::from_be_bytes(*seconds);
        let key = UnparsedPublicKey::new(&ED25519, cosigner.public_key());
        key.verify(message(text, seconds).as_bytes(), signature).map_err(|_| bad())?;
        let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        return at.map(Some).ok_or_else(bad);
    }
    Ok(None)
}

fn message(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

fn key_id(cosigner: &Verifier) -> [u8; 4] {
    let hash = Hash::of(&[cosigner.name().as_bytes(), b"\n", &[COSIGNATURE_TYPE], cosigner.public_key()]);
    *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checkpoint, note::tests::signer};

    fn checkpoint() -> String {
        let head = Checkpoint { origin: "domicile/eu/x".into(), size: 3, root: Hash::of(&[]) };
        head.sign(&signer("domicile/eu/x", 1))
    }

    #[test]
    fn a_cosignature_tells_who_and_when_and_leaves_the_log_s_own_signature_alone() {
        let (us, at) = (signer("domicile/us", 2), "2026-11-22T10:00:00Z".parse().expect("a time"));
        let cosigned = format!("{}{}\n", checkpoint(), line(&checkpoint(), &us, at).expect("a note"));
        assert_eq!(time(&cosigned, us.verifier()), Ok(Some(at)));
        assert!(Checkpoint::open(&cosigned, signer("domicile/eu/x", 1).verifier()).is_ok());
        assert_eq!(time(&checkpoint(), us.verifier()), Ok(None));
        for other in [signer("domicile/us", 3), signer("domicile/au", 2)] {
            assert_eq!(time(&cosigned, other.verifier()), Ok(None));
        }
    }

    #[test]
    fn a_cosignature_of_another_head_or_time_is_none() {
        let (us, at) = (signer("domicile/us", 2), Timestamp::UNIX_EPOCH);
        let line = line(&checkpoint(), &us, at).expect("a note");
        let moved = format!("{}{line}\n", checkpoint()).replace("\n3\n", "\n4\n");
        assert!(matches!(time(&moved, us.verifier()), Err(note::Error::BadSignature { .. })));
        let (_, encoded) = line.rsplit_once(' ').expect("a line");
        let mut bytes = STANDARD.decode(encoded).expect("base64");
        bytes[11] ^= 1;
        let later = format!("{}— domicile/us {}\n", checkpoint(), STANDARD.encode(bytes));
        assert!(matches!(time(&later, us.verifier()), Err(note::Error::BadSignature { .. })));
    }

    #[test]
    fn a_line_of_another_form_or_name_is_no_cosignature() {
        let line = line(&checkpoint(), &signer("domicile/us", 2), Timestamp::UNIX_EPOCH).expect("a note");
        assert!(is_line(&line, "domicile/us"));
        for name in ["domicile/u", "domicile/jp"] {
            assert!(!is_line(&line, name), "{name}");
        }
        for other in
            ["— domicile/us ", "— domicile/us AAAA", "— domicile/us \t", &line.replace('—', "-"), &format!("{line}A")]
        {
            assert!(!is_line(other, "domicile/us"), "{other}");
        }
    }

    /// The example of the specification: who made it is not known, but how its lines are read is.
    #[test]
    fn the_example_of_the_specification_is_read() {
        let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
            — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        let stranger = signer("witness.example.com/w1", 1);
        assert_eq!(time(note, stranger.verifier()), Ok(None), "another key of the same name");
    }
}
