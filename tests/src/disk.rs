//! A small file system in memory, which a test fills.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

/// A mounted file system. It goes away with its owner.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    size_mb: u64,
}

impl Disk {
    /// `None` where this user may not mount.
    pub fn mount(folder: &Path, size_mb: u64) -> anyhow::Result<Option<Self>> {
        std::fs::create_dir_all(folder)?;
        let options = format!("size={size_mb}m,mode=0755");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        Ok(is_mounted.then(|| Self { folder: folder.to_owned(), size_mb }))
    }

    /// Leaves no free page: the file system becomes as small as what is on it.
    pub fn fill(&self) -> anyhow::Result<()> {
        let output = Command::new("stat").args(["--file-system", "--format", "%b %f %S"]).arg(&self.folder).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [blocks, free, block_size] = numbers[..] else { anyhow::bail!("what stat says is not understood: {text}") };
        // What is written between the look and the change is refused to shrink below; a few pages stay free.
        self.resize(&((blocks - free + 16) * block_size).to_string())
    }

    /// Gives the room back.
    pub fn empty(&self) -> anyhow::Result<()> {
        self.resize(&format!("{}m", self.size_mb))
    }

    fn resize(&self, size: &str) -> anyhow::Result<()> {
        let options = format!("remount,size={size}");
        let resized = Command::new("mount").args(["-o", &options]).arg(&self.folder).output().context("mount")?;
        anyhow::ensure!(resized.status.success(), "{}", String::from_utf8_lossy(&resized.stderr));
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server may still be ending. Without its name it goes away with its last open file.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
    }
}
