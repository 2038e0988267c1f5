//! Folders of test runs. Postgres may run as another user, so everybody may pass through them.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder that goes away with its owner; if that is killed, with the next run.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    kept: OnceLock<PathBuf>,
}

impl Folder {
    /// A new one.
    pub fn new() -> io::Result<Self> {
        // A user's own, because the folder of another cannot be written.
        let all = std::env::temp_dir().join(format!("domicile-system-tests-{}", nix::unistd::getuid()));
        remove_leftovers(&all);
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = all.join(name);
        fs::create_dir_all(&path)?;
        for folder in [&all, &path] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { path: path.canonicalize()?, kept: OnceLock::new() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Does not let it go away: after its owner, it lies where this says.
    pub fn keep(&self) -> &Path {
        self.kept.get_or_init(|| {
            let name = self.path.file_name().unwrap_or_default();
            // No number in front, so that no later run takes it for a leftover.
            self.path.with_file_name(format!("kept-{}", name.to_string_lossy()))
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.get() {
            let _ = fs::rename(&self.path, kept);
        }
        // Servers that were just killed may still be letting go; the next run removes what stays.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes folders whose process is gone.
fn remove_leftovers(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.split_once('-')?.0.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            // Another test binary may be removing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?
        } else {
            fs::copy(entry.path(), target).map(drop)?
        }
    }
    Ok(())
}
