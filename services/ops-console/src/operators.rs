//! Who operates a region: names, and of each one's key nothing but a hash. They lie in a file beside the region's keys, where only the
//! account that runs the region reads and writes.
//!
//! Keys are 256 random bits, so nobody finds one by guessing, and a plain hash of one gives nothing away.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use nix::fcntl::{Flock, FlockArg};
use runtime::Ids;
use schemas::Hash;
use serde::{Deserialize, Serialize};

/// What a key begins with, so that whoever finds one knows what it opens.
const KEY_PREFIX: &str = "domicile-operator-";
/// The longest name, in characters.
const NAME_LENGTH_MAX: usize = 64;

/// The operators of one region.
#[derive(Debug, Clone)]
pub struct Operators {
    file: PathBuf,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The name under which the process's log tells what they ask for.
    pub name: String,
    /// SHA-256 of the key with which they sign in.
    pub key_sha256: Hash,
    /// Since when.
    pub added_at: Timestamp,
    /// Until when, if they are none any more.
    pub ended_at: Option<Timestamp>,
}

/// Why the list was not changed, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no name.
    #[error("takes a name of 1 to {NAME_LENGTH_MAX} characters without control characters")]
    BadName,
    /// Somebody operates under it.
    #[error("{0} operates this region already")]
    Known(String),
    /// Nobody does.
    #[error("nobody called {0} operates this region")]
    Unknown(String),
    /// The file cannot be read or written.
    #[error("cannot use {}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} is no list of operators", file.display())]
    NotOurs {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Operators {
    /// The operators of the region whose keys lie in this folder.
    pub fn new(keys: &Path) -> Self {
        Self { file: keys.join("operators.json") }
    }

    /// All there ever were, in the order in which they came.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn list(&self) -> Result<Vec<Operator>, Error> {
        match fs::read(&self.file) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|source| Error::NotOurs { file: self.file.clone(), source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Lets somebody operate the region, and gives the key with which they sign in. It cannot be had again.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::Known`], or if the file cannot be written.
    pub fn add(&self, name: &str, ids: &dyn Ids, now: Timestamp) -> Result<String, Error> {
        let is_name = (1..=NAME_LENGTH_MAX).contains(&name.chars().count())
            && name.trim() == name
            && !name.chars().any(char::is_control);
        if !is_name {
            return Err(Error::BadName);
        }
        let key = format!("{KEY_PREFIX}{}", hex::encode(ids.secret()));
        self.change(|operators| {
            if operators.iter().any(|known| known.is(name)) {
                return Err(Error::Known(name.to_owned()));
            }
            let key_sha256 = Hash::of(&[key.as_bytes()]);
            operators.push(Operator { name: name.to_owned(), key_sha256, added_at: now, ended_at: None });
            Ok(())
        })?;
        Ok(key)
    }

    /// Somebody operates the region no more: the key opens nothing from now on, and whoever is signed in with it is not.
    ///
    /// # Errors
    /// [`Error::Unknown`], or if the file cannot be written.
    pub fn end(&self, name: &str, now: Timestamp) -> Result<(), Error> {
        self.change(|operators| {
            let known = operators.iter_mut().find(|known| known.is(name));
            known.ok_or_else(|| Error::Unknown(name.to_owned()))?.ended_at = Some(now);
            Ok(())
        })
    }

    /// Whose key it is, if somebody signs in with it now.
    pub(crate) fn whose(&self, key_sha256: &Hash) -> Result<Option<Operator>, Error> {
        let mut operators = self.list()?.into_iter();
        Ok(operators.find(|known| known.ended_at.is_none() && known.key_sha256 == *key_sha256))
    }

    /// Changes the list so that a crash leaves the old one or the new one, and of two changes neither is lost.
    fn change(&self, change: impl FnOnce(&mut Vec<Operator>) -> Result<(), Error>) -> Result<(), Error> {
        let mut lock = OpenOptions::new();
        let lock = lock.write(true).create(true).truncate(false).mode(0o600).open(self.file.with_extension("lock"));
        let lock = lock.map_err(|source| self.failed(source))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusive);
        let _lock = lock.map_err(|(_, source)| self.failed(source.into()))?;
        let mut operators = self.list()?;
        change(&mut operators)?;
        let text = serde_json::to_vec_pretty(&operators);
        let text = text.map_err(|source| Error::NotOurs { file: self.file.clone(), source })?;
        self.write(&text).map_err(|source| self.failed(source))
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        let staged = self.file.with_extension("new");
        let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&staged)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&staged, &self.file)
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::File { file: self.file.clone(), source }
    }
}

impl Operator {
    /// Whether it is who operates under this name now.
    fn is(&self, name: &str) -> bool {
        self.name == name && self.ended_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use runtime::SeededIds;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().expect("a time")
    }

    #[test]
    fn a_key_opens_until_its_operator_ends_and_is_kept_nowhere() -> Result<(), Error> {
        let folder = tempfile::tempdir().expect("a folder");
        let (operators, ids) = (Operators::new(folder.path()), SeededIds::new(1));
        let whose = |key: &str| {
            let found = operators.whose(&Hash::of(&[key.as_bytes()]));
            found.map(|operator| operator.map(|operator| operator.name))
        };
        let key = operators.add("Ada", &ids, now())?;
        assert_eq!((whose(&key)?.as_deref(), whose("another")?), (Some("Ada"), None));
        assert!(matches!(operators.add("Ada", &ids, now()), Err(Error::Known(_))));
        let kept = fs::read_to_string(&operators.file).expect("the file");
        assert!(!kept.contains(&key) && !kept.contains(&key[KEY_PREFIX.len()..]), "{kept}");
        let mode = fs::metadata(&operators.file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        operators.end("Ada", now())?;
        assert_eq!(whose(&key)?, None);
        assert!(matches!(operators.end("Ada", now()), Err(Error::Unknown(_))));
        let again = operators.add("Ada", &ids, now())?;
        assert_eq!((whose(&key)?, whose(&again)?.as_deref()), (None, Some("Ada")));
        assert_eq!(operators.list()?.len(), 2, "who once operated stays listed");
        Ok(())
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let operators = Operators::new(folder.path());
        for name in ["", " Ada", "A\nda", &"a".repeat(65)] {
            assert!(matches!(operators.add(name, &SeededIds::new(1), now()), Err(Error::BadName)), "{name:?}");
        }
    }
}
