//! The published archives, and the program over them.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const TENANT: &str = "018f0000-0000-7000-8000-000000000002";

/// The folder of vectors.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/archive-vectors")
}

/// What a history is read from.
pub(crate) struct Keys {
    pub(crate) archive: PathBuf,
    pub(crate) keys: Option<PathBuf>,
    pub(crate) region_key: PathBuf,
    /// Holds the region's key for as long as it is used.
    #[expect(dead_code, reason = "the folder goes when this is dropped")]
    pub(crate) scratch: TempDir,
}

impl Keys {
    /// The short archive with the keys that open it.
    pub(crate) fn given() -> Self {
        let scratch = tempfile::tempdir().expect("a folder");
        let region_key = scratch.path().join("region.key");
        fs::copy(folder().join("region-key.json"), &region_key).expect("a copy");
        fs::set_permissions(&region_key, fs::Permissions::from_mode(0o600)).expect("a mode");
        let keys = Some(folder().join("bucket/keys").join(TENANT));
        Self { archive: folder().join("bucket/tenants").join(TENANT), keys, region_key, scratch }
    }

    /// The short archive alone.
    pub(crate) fn none() -> Self {
        Self { keys: None, ..Self::given() }
    }
}

/// A region key file of one's own making.
pub(crate) fn region_key_file(folder: &Path, id: &str, secret: [u8; 32]) -> PathBuf {
    let path = folder.join(format!("{id}.key"));
    let secret = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, secret);
    let file = json!({"kind": "domicile region key, AES-256", "id": id, "secret": secret});
    fs::write(&path, file.to_string()).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
    path
}

/// The command line over an archive.
pub(crate) fn command(verb: &[&str], keys: &Keys, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_domicile"));
    command.args(verb).arg("--from").arg(&keys.archive).args(more);
    if let Some(exports) = &keys.keys {
        command.arg("--keys").arg(exports).arg("--region-key").arg(&keys.region_key);
    }
    command
}

/// Runs it.
pub(crate) fn domicile(verb: &[&str], keys: &Keys, more: &[&str]) -> Output {
    command(verb, keys, more).output().expect("the program runs")
}

/// What it printed, if it did what it was asked.
pub(crate) fn stdout(done: &Output) -> String {
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// What it printed, line by line as JSON.
pub(crate) fn lines(done: &Output) -> Vec<Value> {
    stdout(done).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// What it complained about, if it ended with this code and printed nothing.
pub(crate) fn refused(done: &Output, code: i32) -> String {
    assert!(done.status.code() == Some(code) && done.stdout.is_empty(), "{done:?}");
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// The first stream of a kind.
pub(crate) fn stream_of(events: &[Value], kind: &str) -> String {
    let streams = events.iter().filter_map(|event| event["stream"].as_str());
    streams.into_iter().find(|stream| stream.starts_with(kind)).expect("the vectors hold one").to_owned()
}

/// How many events there were by a time.
pub(crate) fn recorded_by(events: &[Value], time: &str) -> usize {
    let time: jiff::Timestamp = time.parse().expect("a time");
    let later = |event: &Value| {
        event["recorded_at"].as_str().is_some_and(|at| at.parse().is_ok_and(|at: jiff::Timestamp| at > time))
    };
    events.iter().position(later).unwrap_or(events.len())
}
