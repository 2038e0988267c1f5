//! Programs that the product does not need: other languages, and tools that nobody here wrote. A script of `infra/` finds or
//! makes each; where it cannot, tests that want it are skipped by name.

use std::{collections::BTreeMap, path::PathBuf, process::Command, time::Duration};

use tokio::sync::Mutex;

use crate::command;

/// A script of `infra/`, and what it is told.
pub type Script = &'static [&'static str];

/// Clients of transparency logs (`tests/tlog`).
pub const TLOG: Script = &["go_program.sh", "tlog", ".", "110"];
/// A full S3 server that enforces locks: it is built in about two minutes.
pub const VERSITYGW: Script = &["go_program.sh", "versitygw", "github.com/versity/versitygw/cmd/versitygw", "500"];

/// A Python with the packages of the second reader.
const PYTHON: Script = &["python.sh", "600"];
/// A Python with zenpy (`tests/clients/python`).
pub const CLIENT_PYTHON: Script = &["clients.sh", "python", "110"];
/// The modules of node-zendesk (`tests/clients/node`).
pub const CLIENT_NODE: Script = &["clients.sh", "node", "110"];

/// The modules of axe, which checks pages for accessibility (`tests/clients/axe`).
pub const AXE: Script = &["clients.sh", "axe", "110"];
/// ChromeDriver, beside the Chromium that it drives.
pub const CHROMEDRIVER: Script = &["browser.sh"];

/// What a script may take that waits for another to build a large program, and builds it then; each gives up by itself before.
const PATIENCE: Duration = Duration::from_secs(1_250);

/// The program that a script prints. Nothing where this machine has none: the test is skipped under this name.
///
/// # Errors
/// If the script fails for another reason than that.
pub async fn program(script: Script, test: &str) -> anyhow::Result<Option<PathBuf>> {
    // Asked once: a script that cannot fetch something may take its time to say so.
    static ASKED: Mutex<BTreeMap<Script, Result<PathBuf, String>>> = Mutex::const_new(BTreeMap::new());
    let mut asked = ASKED.lock().await;
    if !asked.contains_key(script) {
        asked.insert(script, ask(command_of(script)).await?);
    }
    match &asked[script] {
        Ok(program) => Ok(Some(program.clone())),
        Err(reason) => {
            testkit::skipped(test, reason);
            Ok(None)
        }
    }
}

fn command_of(script: &[&str]) -> Command {
    let mut command = Command::new(crate::repository().join("infra").join(script[0]));
    command.args(&script[1..]);
    command
}

async fn ask(script: Command) -> anyhow::Result<Result<PathBuf, String>> {
    let ran = command::finish_within(PATIENCE, script).await?;
    if ran.code == Some(69) {
        return Ok(Err(ran.stderr.trim().to_owned()));
    }
    Ok(Ok(PathBuf::from(ran.expect(0)?.stdout.trim())))
}

/// A Python with the packages of the second reader.
///
/// # Errors
/// As for [`program`].
pub async fn python(test: &str) -> anyhow::Result<Option<PathBuf>> {
    program(PYTHON, test).await
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        os::unix::fs::symlink,
    };

    use anyhow::Context;

    use super::*;
    use crate::folder::Folder;

    #[test]
    fn a_script_gives_up_before_patience_ends_also_after_it_waited_for_another() -> anyhow::Result<()> {
        for script in [TLOG, VERSITYGW, PYTHON, CLIENT_PYTHON, CLIENT_NODE, AXE] {
            let seconds = script.last().context("its limit")?.parse()?;
            assert!(PATIENCE > 2 * Duration::from_secs(seconds), "{script:?}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn who_waits_for_another_that_does_not_end_gives_up_and_says_so() -> anyhow::Result<()> {
        // A Go and a Python that can do nothing.
        let scratch = Folder::new()?;
        for name in ["go", "python3"] {
            symlink("/bin/false", scratch.path().join(name))?;
        }
        for (script, name) in [(TLOG, "tlog"), (PYTHON, "python")] {
            let folder = scratch.path().join("domicile").join(name);
            fs::create_dir_all(&folder)?;
            let lock = File::create(folder.join("lock"))?;
            lock.lock()?;
            let mut command = command_of(&[&script[..script.len() - 1], &["1"]].concat());
            let path = format!("{}:/usr/bin:/bin", scratch.path().display());
            command.env("PATH", path).env("XDG_CACHE_HOME", scratch.path());
            let said = ask(command).await?.expect_err("it is being made");
            assert!(said.starts_with(&format!("{name} is still being made by another process after 1 s")), "{said}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn where_go_is_missing_it_is_said_so_and_nothing_fails() -> anyhow::Result<()> {
        for script in [TLOG, VERSITYGW] {
            let mut command = command_of(script);
            command.env("PATH", "/nonexistent");
            assert_eq!(ask(command).await?, Err("no Go (install golang-go)".to_owned()));
        }
        Ok(())
    }

    #[tokio::test]
    async fn where_node_or_python_is_missing_it_is_said_so_and_nothing_fails() -> anyhow::Result<()> {
        for (script, missing) in [
            (CLIENT_NODE, "no Node.js with npm (install nodejs and npm)"),
            (AXE, "no Node.js with npm (install nodejs and npm)"),
            (CHROMEDRIVER, "no Chromium with its driver (install chromium and chromium-driver)"),
            (CLIENT_PYTHON, "no Python 3 (install python3)"),
        ] {
            let mut command = command_of(script);
            command.env("PATH", "/nonexistent");
            assert_eq!(ask(command).await?, Err(missing.to_owned()));
        }
        Ok(())
    }
}
