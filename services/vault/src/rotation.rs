//! The signing key of a region as it lies in its folder, the keys before it as statements, and how one follows another.
//!
//! ```text
//! signing.key            the key at work
//! signing.next.key       the key that takes over, while it is being put to work
//! successions/<number>   what was said of each takeover; public
//! ```
//!
//! A takeover is three steps, each of them whole or not done: make the next key, write the statement, rename the next key over
//! the one at work. A process that reads in between sees the old key until the last step, and the new one with its statement
//! from then on. Whoever is killed in between is finished by the next who takes the same steps.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use runtime::Ids;

use crate::{
    error::Error,
    key_file::{SigningKey, sync_folder_of},
};

/// A region's folder of keys, as far as it signs. Nothing is held in memory: what is read is what is there now.
#[derive(Debug, Clone)]
pub struct SigningKeyFolder(PathBuf);

/// What was read of it.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    /// The key at work.
    pub key: SigningKey,
    /// The statements by their number; the last of them may be of a takeover that is not finished.
    pub successions: BTreeMap<u64, Vec<u8>>,
}

/// A takeover under way. Only one process at a time has it.
#[derive(Debug)]
pub struct Takeover {
    folder: SigningKeyFolder,
    /// The key that is retired.
    pub old: SigningKey,
    /// The key that takes over.
    pub new: SigningKey,
    /// The statements that are there already.
    pub successions: BTreeMap<u64, Vec<u8>>,
    _lock: File,
}

impl SigningKeyFolder {
    /// The folder at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Reads the key at work, then the statements: so there is none missing that led to the key.
    ///
    /// # Errors
    /// If a file cannot be read, or is no key file that only its owner reaches.
    pub fn read(&self) -> Result<SigningKeys, Error> {
        let key = SigningKey::load(&self.at_work())?;
        Ok(SigningKeys { key, successions: self.successions()? })
    }

    /// Begins a takeover: makes the next key, or finds the one of a takeover that was not finished.
    ///
    /// # Errors
    /// If another process is at it, or a file cannot be read or written.
    pub fn take_over(&self, ids: &dyn Ids) -> Result<Takeover, Error> {
        let lock = self.lock()?;
        let SigningKeys { key: old, successions } = self.read()?;
        let new = SigningKey::load_or_create(&self.next(), ids)?;
        Ok(Takeover { folder: self.clone(), old, new, successions, _lock: lock })
    }

    fn at_work(&self) -> PathBuf {
        self.0.join("signing.key")
    }

    fn next(&self) -> PathBuf {
        self.0.join("signing.next.key")
    }

    fn statement(&self, number: u64) -> PathBuf {
        self.0.join("successions").join(format!("{number:08}"))
    }

    fn lock(&self) -> Result<File, Error> {
        let path = self.0.join("signing.lock");
        let unwritable = |source| Error::WriteKeyFile { path: path.clone(), source };
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(Error::TakeoverUnderWay { path }),
            Err(fs::TryLockError::Error(source)) => Err(unwritable(source)),
        }
    }

    fn successions(&self) -> Result<BTreeMap<u64, Vec<u8>>, Error> {
        let mut found = BTreeMap::new();
        for number in 1.. {
            let path = self.statement(number);
            match fs::read(&path) {
                Ok(statement) => drop(found.insert(number, statement)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(source) => return Err(Error::ReadKeyFile { path, source }),
            }
        }
        Ok(found)
    }
}

impl Takeover {
    /// Writes the statement and puts the next key to work. The old one's private half is gone then.
    ///
    /// # Errors
    /// If a file cannot be written; the takeover can be begun again.
    pub fn finish(self, number: u64, statement: &[u8]) -> Result<(), Error> {
        let path = self.folder.statement(number);
        write_whole(&path, statement).map_err(|source| Error::WriteKeyFile { path: path.clone(), source })?;
        // A kill here leaves a statement of a key that is not at work: it is found, and not written a second time.
        let at_work = self.folder.at_work();
        let renamed = fs::rename(self.folder.next(), &at_work).and_then(|()| sync_folder_of(&at_work));
        renamed.map_err(|source| Error::WriteKeyFile { path: at_work, source })
    }
}

/// Writes a public file so that a kill leaves none of it, or all.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().expect("a statement lies in a folder");
    fs::create_dir_all(folder)?;
    let staged = path.with_extension("new");
    let mut file = File::create(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    sync_folder_of(path)?;
    sync_folder_of(folder)
}
