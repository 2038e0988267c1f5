//! Successions: from here on a region signs with another key.
//!
//! A statement is a signed note that both keys have signed under the region's name, in one spelling. It speaks for all logs of
//! the region, so the same bytes lie in every archive.
//!
//! ```text
//! domicile/<region> key succession
//! <number, from 1>
//! <verifier key of the old key>
//! <verifier key of the new key>
//! <when, RFC 3339>
//!
//! — domicile/<region> <base64 of the old key's id and signature>
//! — domicile/<region> <base64 of the new key's id and signature>
//! ```
//!
//! Successions in their order make a [`KeyChain`]. Whoever trusts one key of it has reason to trust all: the old key says which
//! one follows, and the new one says that it does.

mod chain;

use jiff::Timestamp;

pub use self::chain::{Broken, KeyChain};
use crate::note::{self, Signer, Verifier};

/// The end of the first line.
const TITLE: &str = " key succession";

/// One key follows another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// From 1, without gaps.
    pub number: u64,
    /// The key that is retired, under the region's name.
    pub old: Verifier,
    /// The key that takes over, under the region's name.
    pub new: Verifier,
    /// When it was decided.
    pub at: Timestamp,
}

impl Succession {
    /// The statement. Both sign under the region's name.
    pub fn sign(number: u64, (old, new): (&Signer, &Signer), at: Timestamp) -> String {
        let (from, to) = (old.verifier().clone(), new.verifier().clone());
        let text = Self { number, old: from, new: to, at }.text();
        format!("{text}\n{}\n{}\n", old.line(&text), new.line(&text))
    }

    /// Reads a statement that both its keys have signed; only the one right spelling.
    ///
    /// # Errors
    /// If it is none, or a signature is missing or wrong.
    pub fn open(note: &str) -> Result<Self, Error> {
        let (text, signatures) = note::split(note)?;
        let succession = Self::parse(text).filter(|read| read.text() == text).ok_or(Error::Shape)?;
        let lines: Vec<_> = signatures.lines().collect();
        let ([first, second], true) = (lines.as_slice(), signatures.ends_with('\n')) else { return Err(Error::Shape) };
        note::check_lines(text, std::iter::once(*first), &succession.old)?;
        note::check_lines(text, std::iter::once(*second), &succession.new)?;
        Ok(succession)
    }

    fn text(&self) -> String {
        let Self { number, old, new, at } = self;
        format!("{}{TITLE}\n{number}\n{old}\n{new}\n{at}\n", old.name())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let number = lines.next()?.parse().ok()?;
        let (old, new): (Verifier, Verifier) = (lines.next()?.parse().ok()?, lines.next()?.parse().ok()?);
        let at = lines.next()?.parse().ok()?;
        (old.name() == new.name()).then_some(Self { number, old, new, at })
    }
}

/// A statement that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not of the form.
    #[error("not the shape of a succession")]
    Shape,
    /// One of the two keys has not signed it.
    #[error("the succession's note cannot be trusted")]
    Note(#[from] note::Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::tests::signer;

    const REGION: &str = "domicile/eu";

    #[test]
    fn both_keys_sign_and_the_statement_reads_back() {
        let (old, new) = (signer(REGION, 1), signer(REGION, 2));
        let note = Succession::sign(1, (&old, &new), Timestamp::UNIX_EPOCH);
        assert!(note.starts_with("domicile/eu key succession\n1\ndomicile/eu+"), "{note}");
        let read = Succession::open(&note).expect("opens");
        assert_eq!((read.number, &read.old, &read.new), (1, old.verifier(), new.verifier()));
        assert_eq!(read.at, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_statement_that_one_of_the_keys_has_not_signed_says_nothing() {
        let (old, new, other) = (signer(REGION, 1), signer(REGION, 2), signer(REGION, 3));
        let text = Succession::parse_of(&Succession::sign(1, (&old, &new), Timestamp::UNIX_EPOCH));
        for (first, second) in [(&other, &new), (&old, &other), (&new, &new), (&new, &old)] {
            let note = format!("{text}\n{}\n{}\n", first.line(&text), second.line(&text));
            assert!(matches!(Succession::open(&note), Err(Error::Note(_))), "{note}");
        }
    }

    #[test]
    fn a_second_spelling_is_no_statement() {
        let (old, new) = (signer(REGION, 1), signer(REGION, 2));
        let note = Succession::sign(1, (&old, &new), Timestamp::UNIX_EPOCH);
        for other in [
            note.replace("\n1\n", "\n01\n"),
            note.replace(" key ", " Key "),
            note.replace("00Z", "00.0Z"),
            note.replacen("1970", "1971", 1),
            format!("{note}— example AAAAAAAA\n"),
            note.trim_end().to_owned(),
            String::new(),
        ] {
            assert!(Succession::open(&other).is_err(), "{other}");
        }
    }

    impl Succession {
        fn parse_of(note: &str) -> String {
            note::text(note).expect("a note").to_owned()
        }
    }
}
