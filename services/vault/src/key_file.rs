//! Keys that live in files: the region key and the key that signs tree heads.
//!
//! A key file is JSON, readable by its owner only, and is written once: losing it loses everything under it.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use runtime::Ids;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{error::Error, sealing::SealingKey};

/// The key that wraps the tenant keys of a region. Cheap to clone.
#[derive(Clone)]
pub struct RegionKey {
    id: String,
    key: Arc<SealingKey>,
}

/// An Ed25519 key that signs tree heads, manifests and the directory's map. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    pair: Arc<Ed25519KeyPair>,
}

/// A key file's content.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    kind: String,
    id: String,
    /// 32 bytes in base64.
    secret: String,
}

/// A key file's content, read and checked.
struct Key {
    id: String,
    secret: Zeroizing<[u8; 32]>,
}

const REGION_KEY: &str = "domicile region key, AES-256";
const SIGNING_KEY: &str = "domicile signing key, Ed25519";

impl RegionKey {
    /// Reads the key.
    ///
    /// # Errors
    /// If the file cannot be read, is no such key, or others than its owner may reach it.
    pub fn load(path: &Path) -> Result<Self, Error> {
        read(path, REGION_KEY).map(Self::new)
    }

    /// Makes a key and its file.
    ///
    /// # Errors
    /// If the file cannot be written, or exists.
    pub fn create(path: &Path, ids: &dyn Ids) -> Result<Self, Error> {
        create(path, REGION_KEY, ids).map(Self::new)
    }

    /// Reads the key, or makes it where there is none.
    ///
    /// # Errors
    /// As for [`Self::load`] and [`Self::create`].
    pub fn load_or_create(path: &Path, ids: &dyn Ids) -> Result<Self, Error> {
        load_or_create(path, REGION_KEY, ids).map(Self::new)
    }

    /// Its id, which what it wraps is noted with.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn key(&self) -> &SealingKey {
        &self.key
    }

    fn new(key: Key) -> Self {
        Self { id: key.id, key: Arc::new(SealingKey::new(&key.secret)) }
    }
}

impl SigningKey {
    /// Reads the key.
    ///
    /// # Errors
    /// As for [`RegionKey::load`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        read(path, SIGNING_KEY).map(Self::new)
    }

    /// Reads the key, or makes it where there is none.
    ///
    /// # Errors
    /// As for [`RegionKey::load_or_create`].
    pub fn load_or_create(path: &Path, ids: &dyn Ids) -> Result<Self, Error> {
        load_or_create(path, SIGNING_KEY, ids).map(Self::new)
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The Ed25519 signature of a message (RFC 8032).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).as_ref().try_into().expect("an Ed25519 signature has 64 bytes")
    }

    /// The public key that verifies it.
    pub fn public_key(&self) -> [u8; 32] {
        self.pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes")
    }

    fn new(key: Key) -> Self {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(key.secret.as_slice()).expect("any 32 bytes are an Ed25519 seed");
        Self { id: key.id, pair: Arc::new(pair) }
    }
}

impl fmt::Debug for RegionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RegionKey({})", self.id)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.id)
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

fn load_or_create(path: &Path, kind: &str, ids: &dyn Ids) -> Result<Key, Error> {
    match read(path, kind) {
        Err(Error::ReadKeyFile { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            match create(path, kind, ids) {
                // Another process was quicker: its key is the key.
                Err(Error::ExistingKeyFile { .. }) => read(path, kind),
                made => made,
            }
        }
        found => found,
    }
}

fn read(path: &Path, kind: &str) -> Result<Key, Error> {
    let unreadable = |source| Error::ReadKeyFile { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    // Asked of the open file, so that what is judged is what is read.
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::ExposedKeyFile { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(unreadable)?;
    parse(&text, kind).ok_or_else(|| Error::InvalidKeyFile {
        path: path.to_owned(),
        takes: format!("JSON with kind {kind:?}, id, and secret: 32 bytes in base64"),
    })
}

fn parse(text: &[u8], kind: &str) -> Option<Key> {
    let file: KeyFile = serde_json::from_slice(text).ok().filter(|file: &KeyFile| file.kind == kind)?;
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(&file.secret).ok()?);
    let secret = Zeroizing::new(bytes.as_slice().try_into().ok()?);
    Some(Key { id: file.id.clone(), secret })
}

/// Makes a key and its file, all or nothing: written beside its place, then linked there, which fails if the place is
/// taken. A crash in between leaves a temporary file that nobody reads.
fn create(path: &Path, kind: &str, ids: &dyn Ids) -> Result<Key, Error> {
    let unwritable = |source| Error::WriteKeyFile { path: path.to_owned(), source };
    let key = Key { id: ids.uuid().to_string(), secret: Zeroizing::new(ids.secret()) };
    let temporary = temporary_beside(path, &key.id);
    let linked = write(&temporary, kind, &key).and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Error::ExistingKeyFile { path: path.to_owned() });
        }
        linked => linked.and(removed).map_err(unwritable)?,
    }
    sync_folder_of(path).map_err(unwritable)?;
    Ok(key)
}

fn write(path: &Path, kind: &str, key: &Key) -> io::Result<()> {
    let secret = BASE64_STANDARD.encode(key.secret.as_slice());
    let file = KeyFile { kind: kind.to_owned(), id: key.id.clone(), secret };
    let mut text = Zeroizing::new(serde_json::to_vec_pretty(&file)?);
    text.push(b'\n');
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&text)?;
    file.sync_all()
}

fn temporary_beside(path: &Path, id: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{id}.new"));
    path.with_file_name(name)
}

/// Makes the file's name survive a crash, not only its content.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
