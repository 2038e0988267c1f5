//! The program: where it is, and how its verbs are run as people run them.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context;

/// What a command may take. Reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Variables that would change what the program does.
const FOREIGN: [&str; 12] = [
    "DOMICILE_DATA",
    "DOMICILE_REGIONS",
    "DOMICILE_DIRECTORY",
    "DOMICILE_DIRECTORY_TOKEN_FILE",
    "DOMICILE_DIRECTORY_KEY",
    "DOMICILE_LOG",
    "DOMICILE_LISTEN",
    "DOMICILE_LISTEN_TLS",
    "DOMICILE_CRASH_AT",
    "DOMICILE_CLOCK_OFFSET_FILE",
    "DOMICILE_PASSWORD",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// What a command left behind.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Ran {
    /// Itself, if it ended with this code.
    pub fn expect(self, code: i32) -> anyhow::Result<Self> {
        anyhow::ensure!(
            self.code == Some(code),
            "exit code {:?} instead of {code}\n--- stdout\n{}\n--- stderr\n{}",
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }

    /// What it printed, as JSON.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("no JSON: {}", self.stdout))
    }
}

/// The program as cargo built it beside this test.
pub fn program() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let built = test.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release"));
    let path = built.context("tests run from cargo's target folder")?.join("domicile");
    anyhow::ensure!(
        path.exists(),
        "{} is missing: `cargo test --workspace` and `make test` build it; alone: `cargo build --workspace --bins`",
        path.display()
    );
    Ok(path)
}

/// The program with these arguments and none of the environment's settings. Tests ask more than a plan allows: no limits hold, unless the
/// test says so.
pub fn command(arguments: &[&str]) -> anyhow::Result<std::process::Command> {
    let mut command = std::process::Command::new(program()?);
    command.args(arguments);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.env("DOMICILE_RATE_LIMITS", "off");
    Ok(command)
}

/// Runs the program to its end with these settings.
pub async fn run(arguments: &[&str], environment: &[(&str, &Path)]) -> anyhow::Result<Ran> {
    let mut command = command(arguments)?;
    command.envs(environment.iter().copied());
    finish(command).await
}

/// Runs any command to its end.
pub async fn finish(command: std::process::Command) -> anyhow::Result<Ran> {
    finish_within(PATIENCE, command).await
}

/// The same with a patience of the caller's.
pub async fn finish_within(patience: Duration, mut command: std::process::Command) -> anyhow::Result<Ran> {
    command.stdin(Stdio::null());
    let described = format!("{command:?}");
    let mut command = tokio::process::Command::from(command);
    let output = tokio::time::timeout(patience, command.kill_on_drop(true).output()).await;
    let output = output
        .with_context(|| format!("does not end: {described}"))?
        .with_context(|| format!("cannot be run: {described}"))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) })
}
