//! `DOMICILE_DATA`: where an embedded deployment keeps everything. Nothing of a region lies outside `<region>/`.
//!
//! ```text
//! version                       layout of this folder
//! lock                          held by the `up` that uses it
//! running.json                  how to reach that `up`
//! directory/{postgres,keys}     the directory
//! router/map.json               the router's copy of the signed map
//! <region>/{postgres,s3,keys}   a region
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};
use regions::BucketRole;
use schemas::RegionId;

use crate::exit::Failure;

/// The layout this program writes. Another number in the file `version` is refused.
const VERSION: &str = "1";

/// The folder.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

/// Keeps every other `up` out of the folder.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, never looked at")] Flock<File>);

impl DataFolder {
    /// The folder at this path; it need not exist yet.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Makes the folder if it is missing, checks its version and takes it for this process.
    pub fn take(&self) -> Result<Lock, Failure> {
        let failed = |error: io::Error| {
            Failure::configuration(anyhow::anyhow!("DOMICILE_DATA: {} cannot be used: {error}", self.0.display()))
        };
        fs::create_dir_all(&self.0).map_err(failed)?;
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).open(self.0.join("lock")).map_err(failed)?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|_| {
            Failure::unavailable(anyhow::anyhow!(
                "another `domicile up` is using {}: stop it, or choose another folder with DOMICILE_DATA",
                self.0.display()
            ))
        })?;
        self.check_version()?;
        let version = self.0.join("version");
        if !version.exists() {
            write_atomically(&version, VERSION.as_bytes()).map_err(failed)?;
        }
        Ok(Lock(lock))
    }

    /// Refuses a folder of another layout.
    pub fn check_version(&self) -> Result<(), Failure> {
        match fs::read_to_string(self.0.join("version")) {
            Ok(found) if found.trim() != VERSION => Err(Failure::configuration(anyhow::anyhow!(
                "DOMICILE_DATA: {} has layout version {:?}, this program takes {VERSION}: choose another folder, or use the program that made it",
                self.0.display(),
                found.trim(),
            ))),
            _ => Ok(()),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// How to reach the running `up`.
    pub fn running(&self) -> PathBuf {
        self.0.join("running.json")
    }

    /// A region's Postgres cluster.
    pub fn postgres(&self, region: &RegionId) -> PathBuf {
        self.0.join(region.as_str()).join("postgres")
    }

    /// A region's objects.
    pub fn objects(&self, region: &RegionId) -> PathBuf {
        self.0.join(region.as_str()).join("s3")
    }

    /// Makes the folder for a region's keys, which only this account enters.
    pub fn make_keys(&self, region: &RegionId) -> io::Result<PathBuf> {
        let keys = self.keys(region);
        fs::create_dir_all(&keys)?;
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o700))?;
        Ok(keys)
    }

    /// A region's keys.
    pub fn keys(&self, region: &RegionId) -> PathBuf {
        self.0.join(region.as_str()).join("keys")
    }

    /// The secret with which a role enters the embedded bucket.
    pub fn bucket_secret(&self, region: &RegionId, role: BucketRole) -> PathBuf {
        // The owner's has the name that the only one had before there were roles.
        let name =
            if role == BucketRole::Owner { "s3.secret".to_owned() } else { format!("s3-{}.secret", role.as_str()) };
        self.keys(region).join(name)
    }

    /// The router's copy of the signed map.
    pub fn router_map(&self) -> PathBuf {
        self.0.join("router").join("map.json")
    }
}

/// Writes a file so that a crash leaves the old one or the new one.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension("new");
    let mut file = File::create(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_folder_is_taken_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataFolder::new(folder.path());
        let first = data.take().expect("free");
        let refused = data.take().expect_err("taken");
        assert_eq!(refused.exit(), Exit::Unavailable);
        drop(first);
        data.take().expect("free again");
    }

    #[test]
    fn a_folder_of_another_layout_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("version"), "99").expect("written");
        let refused = DataFolder::new(folder.path()).take().expect_err("refused");
        assert_eq!(refused.exit(), Exit::Configuration);
        assert!(refused.to_string().contains("layout version \"99\""), "{refused}");
    }
}
