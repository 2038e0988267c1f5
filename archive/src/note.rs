//! Signed notes (<https://c2sp.org/signed-note>) with Ed25519 keys.
//!
//! ```text
//! <text, ending in a newline>
//! <empty line>
//! — <key name> <base64 of key id and signature>
//! ```

use std::{fmt, str::FromStr};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::Hash;

/// The type byte of Ed25519 signatures.
const ED25519_TYPE: u8 = 1;
/// More lines of signatures than any note of ours has; a bound.
const SIGNATURES_MAX: usize = 16;

/// A public key with the name it signs under. Its text is the C2SP verifier key `<name>+<id>+<base64 of type and key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    public_key: [u8; 32],
}

impl Verifier {
    /// The verifier of a public key under a name.
    pub fn new(name: impl Into<String>, public_key: [u8; 32]) -> Self {
        Self { name: name.into(), public_key }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// The first four bytes of `SHA-256(name || 0x0A || type || public key)`.
    pub fn key_id(&self) -> [u8; 4] {
        let hash = Hash::of(&[self.name.as_bytes(), b"\n", &[ED25519_TYPE], &self.public_key]);
        *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
    }

    /// Checks a signature over a text.
    fn check(&self, text: &str, signature: &[u8]) -> Result<(), Error> {
        UnparsedPublicKey::new(&ED25519, &self.public_key)
            .verify(text.as_bytes(), signature)
            .map_err(|_| Error::BadSignature { name: self.name.clone() })
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key_id = u32::from_be_bytes(self.key_id());
        let key = STANDARD.encode([&[ED25519_TYPE], self.public_key.as_slice()].concat());
        write!(formatter, "{}+{key_id:08x}+{key}", self.name)
    }
}

impl FromStr for Verifier {
    type Err = InvalidVerifier;

    fn from_str(text: &str) -> Result<Self, InvalidVerifier> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidVerifier);
        };
        let key = STANDARD.decode(key).map_err(|_| InvalidVerifier)?;
        let [ED25519_TYPE, public_key @ ..] = key.as_slice() else { return Err(InvalidVerifier) };
        let public_key = public_key.try_into().map_err(|_| InvalidVerifier)?;
        let verifier = Self::new(name, public_key);
        let id_matches = u32::from_str_radix(id, 16).is_ok_and(|id| id.to_be_bytes() == verifier.key_id());
        if is_name(name) && id_matches { Ok(verifier) } else { Err(InvalidVerifier) }
    }
}

/// A text that is no verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a verifier key takes <name>+<8 hex digits>+<base64>, an Ed25519 key whose id fits its name")]
pub struct InvalidVerifier;

/// Makes Ed25519 signatures over messages, with a private key it does not show.
type Sign = dyn Fn(&[u8]) -> [u8; 64] + Send + Sync;

/// Something that signs: a verifier, and the closure that holds the private key.
pub struct Signer {
    verifier: Verifier,
    sign: Box<Sign>,
}

impl Signer {
    /// A signer under `name`; `sign` makes Ed25519 signatures with the private key of `public_key`.
    pub fn new(
        name: impl Into<String>,
        public_key: [u8; 32],
        sign: impl Fn(&[u8]) -> [u8; 64] + Send + Sync + 'static,
    ) -> Self {
        Self { verifier: Verifier::new(name, public_key), sign: Box::new(sign) }
    }

    /// What checks its signatures.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The signature of a message.
    pub(crate) fn signature(&self, message: &[u8]) -> [u8; 64] {
        (self.sign)(message)
    }

    /// The signature line over a text, without its newline.
    pub fn line(&self, text: &str) -> String {
        let signature = self.signature(text.as_bytes());
        let encoded = STANDARD.encode([self.verifier.key_id().as_slice(), &signature].concat());
        format!("— {} {encoded}", self.verifier.name)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signer").field("verifier", &self.verifier.to_string()).finish_non_exhaustive()
    }
}

/// A signed note over a text that ends in a newline.
pub fn sign(text: &str, signer: &Signer) -> String {
    debug_assert!(text.ends_with('\n'), "a note's text ends in a newline");
    format!("{text}\n{}\n", signer.line(text))
}

/// The text of a note that `verifier` has signed.
pub fn open<'note>(note: &'note str, verifier: &Verifier) -> Result<&'note str, Error> {
    let (text, signatures) = split(note)?;
    check_lines(text, signatures.lines(), verifier)?;
    Ok(text)
}

/// The note without the lines of other keys: what is left, the verifier has signed.
///
/// # Errors
/// If it has not signed it.
pub fn only_by(note: &str, verifier: &Verifier) -> Result<String, Error> {
    open(note, verifier)?;
    let (text, lines) = split(note)?;
    let own =
        lines.lines().take(SIGNATURES_MAX).find(|line| check_lines(text, std::iter::once(*line), verifier).is_ok());
    Ok(format!("{text}\n{}\n", own.expect("one of them was checked")))
}

/// The text of a note, unchecked: for reading what it claims before the key is known.
pub fn text(note: &str) -> Result<&str, Error> {
    split(note).map(|(text, _)| text)
}

/// The keys that are said to have signed a note, `<name>+<id>` as verifier keys begin, unchecked: for naming one that nobody here knows.
pub fn signers(note: &str) -> Vec<String> {
    let Ok((_, lines)) = split(note) else { return Vec::new() };
    let signer = |line: &str| {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let key_id = *STANDARD.decode(encoded).ok()?.first_chunk()?;
        is_name(name).then(|| format!("{name}+{:08x}", u32::from_be_bytes(key_id)))
    };
    lines.lines().take(SIGNATURES_MAX).filter_map(signer).collect()
}

/// Checks that one of the signature lines is the verifier's and fits the text. Lines of other keys are ignored.
pub(crate) fn check_lines<'line>(
    text: &str,
    lines: impl Iterator<Item = &'line str>,
    verifier: &Verifier,
) -> Result<(), Error> {
    let mut is_signed = false;
    for line in lines.take(SIGNATURES_MAX) {
        let (name, encoded) = line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or(Error::Malformed)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| Error::Malformed)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>().ok_or(Error::Malformed)?;
        if name == verifier.name && *key_id == verifier.key_id() {
            verifier.check(text, signature)?;
            is_signed = true;
        }
    }
    if is_signed { Ok(()) } else { Err(Error::NotSignedBy { name: verifier.name.clone() }) }
}

pub(crate) fn split(note: &str) -> Result<(&str, &str), Error> {
    if note.bytes().any(|byte| byte < b' ' && byte != b'\n') || !note.ends_with('\n') {
        return Err(Error::Malformed);
    }
    let end = note.rfind("\n\n").ok_or(Error::Malformed)?;
    Ok((&note[..=end], &note[end + 2..]))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|character: char| character.is_whitespace() || character == '+')
}

/// A note that cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It has not the form of a signed note.
    #[error("not a signed note")]
    Malformed,
    /// The key did not sign it.
    #[error("no signature by the key of {name}")]
    NotSignedBy {
        /// The name wanted.
        name: String,
    },
    /// The key is said to have signed it, and has not.
    #[error("the signature of {name} does not fit the text")]
    BadSignature {
        /// The name on it.
        name: String,
    },
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    pub(crate) fn signer(name: &str, seed: u8) -> Signer {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed has 32 bytes");
        let public_key = pair.public_key().as_ref().try_into().expect("a key has 32 bytes");
        Signer::new(name, public_key, move |message| pair.sign(message).as_ref().try_into().expect("64 bytes"))
    }

    #[test]
    fn a_note_of_the_go_implementation_opens() {
        let verifier: Verifier =
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().expect("a verifier key");
        let note = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\
                    \n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        assert!(open(note, &verifier).expect("opens").ends_with("your problem is.\n"));
        assert_eq!(
            open(&note.replace("answer", "Answer"), &verifier),
            Err(Error::BadSignature { name: "PeterNeumann".into() })
        );
    }

    #[test]
    fn a_note_is_signed_by_its_key_and_no_other() {
        let (ours, theirs) = (signer("example/log", 1), signer("example/log", 2));
        let note = sign("one\n\ntwo\n", &ours);
        assert_eq!(open(&note, ours.verifier()), Ok("one\n\ntwo\n"));
        assert_eq!(open(&note, theirs.verifier()), Err(Error::NotSignedBy { name: "example/log".into() }));
        let both = format!("{note}{}\n", theirs.line("one\n\ntwo\n"));
        assert!(open(&both, theirs.verifier()).is_ok(), "unknown signatures are ignored");
        assert_eq!(only_by(&both, theirs.verifier()), Ok(sign("one\n\ntwo\n", &theirs)));
        assert!(only_by(&note, theirs.verifier()).is_err());
        let begins = |signer: &Signer, named: &String| signer.verifier().to_string().starts_with(&format!("{named}+"));
        assert!(matches!(signers(&both).as_slice(), [one, two] if begins(&ours, one) && begins(&theirs, two)));
        assert!(signers("not a note").is_empty());
        for broken in ["", "text\n", &note[..note.len() - 1], &note.replace('o', "\t")] {
            assert_eq!(open(broken, ours.verifier()), Err(Error::Malformed));
        }
    }

    #[test]
    fn a_verifier_key_reads_back_and_its_id_is_checked() {
        let verifier = signer("domicile/eu", 1).verifier().clone();
        assert_eq!(verifier.to_string().parse(), Ok(verifier.clone()));
        assert_eq!(verifier.to_string().replace("/eu", "/us").parse::<Verifier>(), Err(InvalidVerifier));
    }
}
