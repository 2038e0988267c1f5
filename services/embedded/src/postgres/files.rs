//! The cluster's files, and the account that owns them.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::{
        fs::{OpenOptionsExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::unistd::{Uid, User};

use super::Error;

/// Whom the server runs as: ourselves, or `postgres` when we are root, because the server refuses root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    pub(super) fn for_server() -> Result<Self, Error> {
        if !Uid::effective().is_root() {
            return Ok(Self(None));
        }
        let user = User::from_name("postgres").ok().flatten().ok_or(Error::NoAccount)?;
        Ok(Self(Some((user.uid.as_raw(), user.gid.as_raw()))))
    }

    /// A command that runs as this account, in `/`: the account may not be able to read our working directory.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null());
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }

    pub(super) fn setpriv_arguments(self) -> Vec<String> {
        self.0.map_or_else(Vec::new, |(user, group)| {
            vec![format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]
        })
    }

    fn own(self, path: &Path) -> Result<(), Error> {
        let Some((user, group)) = self.0 else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(user), Some(group))
            .map_err(|source| Error::Prepare { path: path.to_owned(), source })
    }
}

/// Makes the cluster's folder and gives it to the account.
pub(super) fn prepare(folder: &Path, account: &Account) -> Result<PathBuf, Error> {
    let failed = |source| Error::Prepare { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    if account.0.is_some() {
        for ancestor in folder.ancestors().skip(1) {
            let mode = fs::metadata(ancestor).map_err(failed)?.permissions().mode();
            if mode & 0o001 == 0 {
                return Err(Error::Unreachable { blocker: ancestor.to_owned(), folder: folder.clone() });
            }
        }
    }
    account.own(&folder)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    Ok(folder)
}

pub(super) fn write_secret(path: &Path, secret: &str, account: &Account) -> Result<(), Error> {
    let failed = |source| Error::Prepare { path: path.to_owned(), source };
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(secret.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    account.own(path)
}

pub(super) fn read(path: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Prepare { path: path.to_owned(), source })?;
    Ok(text.trim().to_owned())
}

pub(super) fn open_log(path: &Path) -> Result<fs::File, Error> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map_err(|source| Error::Prepare { path: path.to_owned(), source })
}

/// The last lines of a log, on one line.
pub(super) fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
