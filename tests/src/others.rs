//! Programs that the product does not need: other languages, and tools that nobody here wrote. A script of `infra/` finds or
//! makes each; where it cannot, tests that want it are skipped by name.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use tokio::sync::Mutex;

use crate::command;

/// The program that a script prints. Nothing where this machine has none: the test is skipped under this name.
///
/// # Errors
/// If the script fails for another reason than that.
pub async fn program(script: &'static str, test: &str) -> anyhow::Result<Option<PathBuf>> {
    // Asked once: a script that cannot fetch something may take its time to say so.
    static ASKED: Mutex<BTreeMap<&str, Result<PathBuf, String>>> = Mutex::const_new(BTreeMap::new());
    let mut asked = ASKED.lock().await;
    if !asked.contains_key(script) {
        asked.insert(script, ask(script).await?);
    }
    match &asked[script] {
        Ok(program) => Ok(Some(program.clone())),
        Err(reason) => {
            testkit::skipped(test, reason);
            Ok(None)
        }
    }
}

async fn ask(script: &str) -> anyhow::Result<Result<PathBuf, String>> {
    let ran = command::finish(Command::new(crate::repository().join("infra").join(script))).await?;
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
    program("python.sh", test).await
}
