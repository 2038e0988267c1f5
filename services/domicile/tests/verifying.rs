//! `domicile audit verify` as people run it, over the published test vectors: no store, no network, no keys.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/archive-vectors")
}

fn archive() -> PathBuf {
    vectors().join("bucket/tenants/018f0000-0000-7000-8000-000000000002")
}

fn verify(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_domicile"));
    command.args(["audit", "verify", "--from"]).arg(folder).args(more).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_report_is_kept_as_page_json_and_text() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, holds) in
        [("a.html", "<h2 id=\"open\">Not checked</h2>"), ("a.json", "\"not_checked\""), ("a.txt", "not checked")]
    {
        let file = folder.path().join(name);
        let done = verify(&archive(), &["--report", file.to_str().expect("a path of this test")]);
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        let report = fs::read_to_string(&file).expect("a report");
        assert!(report.contains(holds) && report.contains("018f0000-0000-7000-8000-000000000002"), "{report}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 3, "nothing half done is left");
}

#[test]
fn a_report_of_what_is_wrong_is_written_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.html");
    let done = verify(folder.path(), &["--report", file.to_str().expect("a path of this test")]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let report = fs::read_to_string(&file).expect("a report");
    assert!(
        report.contains("there is no manifest, so no archive") && report.contains("anything: no manifest"),
        "{report}"
    );
}

#[test]
fn an_older_checkpoint_is_compared_and_then_no_longer_among_what_was_not() {
    let old = archive().join("log/checkpoint");
    let old = old.to_str().expect("a path of this test");
    let key = fs::read_to_string(vectors().join("verifier.txt")).expect("a key");
    let done = verify(&archive(), &["--old", old, "--verifier", key.trim()]);
    let said = text(&done.stdout);
    assert!(done.status.success() && !said.contains("earlier look") && said.contains("backup"), "{said}");
    let other = vectors().join("bucket/tenants/018f0000-0000-7000-8000-000000000001/log/checkpoint");
    let done = verify(&archive(), &["--old", other.to_str().expect("a path of this test")]);
    assert!(done.status.code() == Some(1) && text(&done.stdout).contains("the older checkpoint"), "{done:?}");
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_is_read() {
    for (more, says) in [
        (["--report", "report.pdf"], "takes a file that ends in .html, .json or .txt"),
        (["--report", "/nowhere/report.html"], "--report: /nowhere/report.html cannot be written"),
        (["--old", "/nowhere/checkpoint"], "--old: /nowhere/checkpoint cannot be read"),
        (["--backup", "/nowhere/manifest.json"], "--backup: /nowhere/manifest.json cannot be read"),
    ] {
        let done = verify(&archive(), &more);
        assert!(done.status.code() == Some(64) && text(&done.stderr).contains(says), "{done:?}");
        assert!(done.stdout.is_empty(), "{done:?}");
    }
}
