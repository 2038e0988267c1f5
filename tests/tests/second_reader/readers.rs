//! The two readers, as people run them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use system_tests::{Ran, command, folder::Folder, others, repository, vectors::Files};

/// A reader of archives.
#[derive(Debug)]
pub(crate) enum Reader {
    /// `domicile audit`.
    Ours,
    /// `tools/domicile-archive`, with a Python that has its packages.
    Python(PathBuf),
}

impl Reader {
    /// The second one. Nothing where there is none: the test is skipped under this name.
    pub(crate) async fn second(test: &str) -> anyhow::Result<Option<Self>> {
        Ok(others::python(test).await?.map(Self::Python))
    }

    /// Verifies a folder, and prints the report as JSON.
    pub(crate) async fn verify(&self, archive: &Path, verifier: Option<&str>) -> anyhow::Result<Ran> {
        self.verify_witnessed(archive, verifier, None).await
    }

    /// The same with the key of a region that cosigns.
    pub(crate) async fn verify_witnessed(
        &self,
        archive: &Path,
        verifier: Option<&str>,
        witness: Option<&str>,
    ) -> anyhow::Result<Ran> {
        let archive = archive.to_str().context("a path of this test")?;
        let mut verify = match self {
            Self::Ours => command::command(&["audit", "verify", "--format", "json", "--from", archive])?,
            Self::Python(_) => self.command(&["verify", "--format", "json", archive])?,
        };
        if let Some(verifier) = verifier {
            verify.args(["--verifier", verifier]);
        }
        if let Some(witness) = witness {
            verify.args(["--witness", witness]);
        }
        command::finish(verify).await
    }

    /// Compares a folder with an older checkpoint, and prints what was found as JSON.
    pub(crate) async fn consistency(&self, archive: &Path, old: &Path, verifier: &str) -> anyhow::Result<Ran> {
        let [archive, old] = [archive, old].map(|path| path.to_str().context("a path of this test"));
        let (archive, rest) = (archive?, ["--old", old?, "--verifier", verifier, "--format", "json"]);
        let compare = match self {
            Self::Ours => command::command(&[&["audit", "consistency", "--from", archive][..], &rest].concat())?,
            Self::Python(_) => self.command(&[&["consistency", archive][..], &rest].concat())?,
        };
        command::finish(compare).await
    }

    /// Checks a proof.
    pub(crate) async fn check(&self, proof: &Path, verifier: &str) -> anyhow::Result<Ran> {
        let check = ["check", proof.to_str().context("a path of this test")?, "--verifier", verifier];
        command::finish(match self {
            Self::Ours => command::command(&[&["audit"], check.as_slice()].concat())?,
            Self::Python(_) => self.command(&check)?,
        })
        .await
    }

    /// Prints the events of a folder, one object of JSON a line; opened with a folder of key exports and a region's key file.
    pub(crate) async fn events(
        &self,
        (archive, verifier): (&Path, &str),
        keys: Option<(&Path, &Path)>,
    ) -> anyhow::Result<Ran> {
        let mut print = match self {
            Self::Ours => command::command(&["audit", "replay", "--format", "ndjson", "--from"])?,
            Self::Python(_) => self.command(&["print", "--format", "json"])?,
        };
        print.arg(archive).args(["--verifier", verifier]);
        if let Some((keys, region_key)) = keys {
            print.arg("--keys").arg(keys).arg("--region-key").arg(region_key);
        }
        command::finish(print).await
    }

    /// Runs a verb that only the second reader has.
    pub(crate) async fn run(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        command::finish(self.command(arguments)?).await
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let Self::Python(python) = self else { anyhow::bail!("our own reader has verbs of its own") };
        let mut command = Command::new(python);
        command.arg(repository().join("tools/domicile-archive")).args(arguments);
        Ok(command)
    }
}

/// A folder of some files that goes away.
pub(crate) fn laid_out(files: &Files) -> anyhow::Result<Folder> {
    let folder = Folder::new()?;
    system_tests::vectors::write(folder.path(), files)?;
    Ok(folder)
}
