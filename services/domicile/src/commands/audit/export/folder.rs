//! Files below a folder.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

use auditor::bundle::make::{Error, Sink, Stopped};
use bytes::Bytes;

use crate::{
    commands::audit::proof::refused,
    exit::{Failure, Outcome},
};

/// A folder that is filled, and the option that named it.
#[derive(Debug, Clone)]
pub(in crate::commands::audit) struct Filling {
    pub(in crate::commands::audit) folder: PathBuf,
    pub(in crate::commands::audit) option: &'static str,
}

impl Filling {
    /// Makes a file below the folder. Keys come from elsewhere: none may lead out of it.
    pub(in crate::commands::audit) fn create(&self, key: &str) -> Result<File, Failure> {
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        if !key.split('/').all(is_plain) {
            return Err(Failure::check(format!("an object's key leads out of its folder: {key:?}")));
        }
        let path = self.folder.join(key);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(&path));
        made.map_err(|error| self.unwritten(&error))
    }

    /// Why a file is not written.
    pub(in crate::commands::audit) fn unwritten(&self, error: &std::io::Error) -> Failure {
        Failure::usage(format!("{}: {} cannot be written: {error}", self.option, self.folder.display()))
    }
}

impl Sink for Filling {
    type Error = Failure;

    async fn put(&mut self, path: &str, bytes: Bytes) -> Outcome {
        self.create(path)?.write_all(&bytes).map_err(|error| self.unwritten(&error))
    }
}

/// Why nothing whole came of it.
pub(super) fn stopped(stopped: Stopped<Failure>) -> Failure {
    match stopped {
        Stopped::Sink(failure) => failure,
        Stopped::Archive(error) => unmade(error),
    }
}

/// Why an archive makes no bundle.
pub(super) fn unmade(error: Error) -> Failure {
    match error {
        Error::Log(error) => refused(error),
        Error::Source(error) => Failure::unavailable(error),
        error => Failure::check(format!("{:#}", anyhow::Error::new(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_key_that_leads_out_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let filling = Filling { folder: folder.path().join("copy"), option: "--to" };
        for key in ["/etc/passwd", "../escaped", "events/../../escaped", "events//x", "./x", ""] {
            assert_eq!(filling.create(key).expect_err(key).exit(), Exit::CheckFailed);
        }
        filling.create("events/x").expect("a plain key");
        assert!(!folder.path().join("escaped").exists());
    }
}
