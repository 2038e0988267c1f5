//! Reads a folder of region files and the hosting policy, and refuses it as a whole when any of it is wrong.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use schemas::RegionId;

use crate::{policy::HostingPolicy, region::Region};

mod document;
mod policy_file;
mod region_file;

const POLICY_FILE: &str = "hosting-policy.toml";

/// Every region of a deployment, and the policy it runs under.
#[derive(Debug, Clone)]
pub struct Regions {
    regions: BTreeMap<RegionId, Region>,
    policy: HostingPolicy,
}

/// What is wrong with a file: one line with file, line, field and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file or folder cannot be read.
    #[error("{}: cannot be read: {reason}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        reason: std::io::ErrorKind,
    },
    /// The folder holds no region file.
    #[error("{}: takes at least one region file, <id>.toml", path.display())]
    NoRegion {
        /// Which folder.
        path: PathBuf,
    },
    /// The file is not TOML.
    #[error("{}:{line}: is not TOML: {message}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A field is missing, unknown, or does not hold what it takes.
    #[error("{}:{line}: {field}: {takes}", path.display())]
    Field {
        /// Which file.
        path: PathBuf,
        /// Where.
        line: usize,
        /// Which field, with the tables it lies in.
        field: String,
        /// What it takes.
        takes: String,
    },
}

impl Regions {
    /// Loads every `<id>.toml` of the folder and its `hosting-policy.toml`.
    ///
    /// # Errors
    /// The first thing that is wrong with any of them.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let policy_path = folder.join(POLICY_FILE);
        let policy_text = read(&policy_path)?;
        let policy_file = policy_file::parse(&policy_path, &policy_text)?;

        let mut regions = BTreeMap::new();
        let mut buckets = BTreeMap::new();
        for path in region_paths(folder)? {
            let text = read(&path)?;
            let region = region_file::parse(&path, &text, &policy_file, &buckets)?;
            buckets.insert(region.bucket.clone(), region.id.clone());
            regions.insert(region.id.clone(), region);
        }
        if regions.is_empty() {
            return Err(ConfigError::NoRegion { path: folder.to_owned() });
        }
        let policy = policy_file.for_regions(regions.keys().cloned().collect())?;
        Ok(Self { regions, policy })
    }

    /// A region by its id.
    pub fn get(&self, id: &RegionId) -> Option<&Region> {
        self.regions.get(id)
    }

    /// Every region, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.regions.values()
    }

    /// The policy.
    pub const fn policy(&self) -> &HostingPolicy {
        &self.policy
    }
}

fn region_paths(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |error: std::io::Error| ConfigError::Unreadable { path: folder.to_owned(), reason: error.kind() };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // Cargo.toml: the deployment's default files lie beside the crate that reads them.
        let is_other = path.file_name().is_some_and(|name| name == POLICY_FILE || name == "Cargo.toml");
        if path.extension().is_some_and(|extension| extension == "toml") && !is_other {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|error| ConfigError::Unreadable { path: path.to_owned(), reason: error.kind() })
}
