//! Where the installed package keeps its programs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Error, files};

/// The server programs of one installed major version.
#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
    version: String,
}

impl Binaries {
    /// The newest installed version: Debian's layout first, then the path.
    pub fn find() -> Result<Self, Error> {
        const DEBIAN: &str = "/usr/lib/postgresql";
        let mut versions: Vec<u32> = std::fs::read_dir(DEBIAN)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|version| Path::new(DEBIAN).join(format!("{version}/bin/initdb")).exists())
            .collect();
        versions.sort_unstable();
        if let Some(version) = versions.last() {
            return Ok(Self { folder: Path::new(DEBIAN).join(format!("{version}/bin")), version: version.to_string() });
        }
        Self::on_path().ok_or_else(|| Error::NotInstalled { looked_in: format!("{DEBIAN}/*/bin and the path") })
    }

    /// One of the programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Refuses data of another major version.
    pub(super) fn check_version(&self, data: &Path) -> Result<(), Error> {
        let found = files::read(&data.join("PG_VERSION"))?;
        if found == self.version {
            return Ok(());
        }
        Err(Error::OtherVersion { folder: data.to_owned(), found, installed: self.version.clone() })
    }

    fn on_path() -> Option<Self> {
        let output = Command::new("pg_config").args(["--bindir", "--version"]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let mut lines = text.lines();
        let folder = PathBuf::from(lines.next()?);
        let version = lines.next()?.strip_prefix("PostgreSQL ")?.split(['.', ' ']).next()?.to_owned();
        folder.join("initdb").exists().then_some(Self { folder, version })
    }
}
