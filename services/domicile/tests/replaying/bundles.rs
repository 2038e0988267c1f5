//! Bundles, as they are written, verified and tampered with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::vectors::{self, Keys, domicile, refused, stdout};

fn key() -> String {
    fs::read_to_string(vectors::folder().join("verifier.txt")).expect("a key").trim().to_owned()
}

/// A bundle in a folder of its own.
struct Written {
    scratch: TempDir,
    bundle: PathBuf,
}

fn export(keys: &Keys, bundle: &Path, more: &[&str]) -> Output {
    let bundle = bundle.to_str().expect("a path of this test");
    domicile(&["audit", "export"], keys, &[&["--verifier", &key(), "--bundle", bundle], more].concat())
}

fn written(keys: &Keys, more: &[&str]) -> Written {
    let scratch = tempfile::tempdir().expect("a folder");
    let bundle = scratch.path().join("bundle");
    stdout(&export(keys, &bundle, more));
    Written { scratch, bundle }
}

impl Written {
    fn verify(&self, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_domicile"));
        command.args(["audit", "verify", "--format", "json", "--from"]).arg(&self.bundle).args(more);
        command.output().expect("the program runs")
    }

    /// The report of the bundle as it is now, verified with the published key.
    fn report(&self, code: i32) -> Value {
        let done = self.verify(&["--verifier", &key()]);
        assert_eq!(done.status.code(), Some(code), "{done:?}");
        serde_json::from_slice(&done.stdout).expect("JSON")
    }

    /// What is wrong, as object and words.
    fn wrong(&self) -> Vec<(String, String)> {
        let report = self.report(1);
        let findings = report["findings"].as_array().expect("a list");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        findings.iter().map(|finding| (text(&finding["object"]), text(&finding["what"]))).collect()
    }

    fn list(&self) -> Value {
        serde_json::from_slice(&fs::read(self.bundle.join("BUNDLE.json")).expect("a list")).expect("JSON")
    }

    /// The first file below a folder of the bundle.
    fn file(&self, below: &str, ending: &str) -> String {
        let list = self.list();
        let mut paths = list["files"].as_array().expect("a list").iter().filter_map(|file| file["path"].as_str());
        let found = paths.find(|path| path.starts_with(below) && path.ends_with(ending));
        found.unwrap_or_else(|| panic!("no {below}*{ending}")).to_owned()
    }

    /// Takes a file away, and its line in the list, as somebody would who hides it.
    fn hide(&self, path: &str) {
        fs::remove_file(self.bundle.join(path)).expect("it is there");
        let mut list = self.list();
        list["files"].as_array_mut().expect("a list").retain(|file| file["path"] != path);
        fs::write(self.bundle.join("BUNDLE.json"), list.to_string()).expect("a list");
    }
}

#[test]
fn a_tenants_bundle_verifies_and_names_what_is_missing_changed_or_added() {
    let written = written(&Keys::none(), &[]);
    let report = written.report(0);
    assert_eq!((&report["size"], &report["is_key_pinned"]), (&8.into(), &true.into()), "{report}");
    assert!(fs::read_to_string(written.bundle.join("README.txt")).expect("a text").contains(&key()));

    fs::write(written.bundle.join("archive/events/stray"), b"x").expect("a file");
    let schema = written.file("archive/schemas/", ".json");
    fs::remove_file(written.bundle.join(&schema)).expect("a schema");
    fs::write(written.bundle.join("README.txt"), b"trust me").expect("a text");
    let wrong = written.wrong();
    for (object, what) in [
        ("archive/events/stray", "not listed in BUNDLE.json"),
        (schema.as_str(), "missing"),
        ("README.txt", "not the bytes that BUNDLE.json lists"),
    ] {
        assert!(wrong.contains(&(object.to_owned(), what.to_owned())), "{object}: {what} in {wrong:?}");
    }
}

#[test]
fn what_is_hidden_with_its_line_in_the_list_is_found_by_the_signatures() {
    let written = written(&Keys::none(), &[]);
    let segment = written.file("archive/events/", ".seg.zst");
    written.hide(&segment);
    assert_eq!(written.wrong(), [(segment, "missing".to_owned())]);
    fs::write(written.bundle.join("BUNDLE.json"), b"{}").expect("a list");
    assert!(
        matches!(&written.wrong()[..], [(object, what)] if object == "BUNDLE.json" && what.starts_with("cannot be read"))
    );
}

#[test]
fn a_tickets_bundle_proves_each_of_its_events() {
    let written = written(&Keys::none(), &["--ticket", "1"]);
    let report = written.report(0);
    assert!(report["not_checked"].to_string().contains("the rest of the log"), "{report}");
    let ticket = domicile(&["audit", "replay", "--format", "ndjson", "--ticket", "1"], &Keys::none(), &[]);
    let events = stdout(&ticket).lines().count() as u64;
    assert!(report["size"].as_u64().is_some_and(|size| size >= events), "{report}");
    let proof = written.bundle.join(written.file("events/", ".tlog-proof"));
    let mut check = Command::new(env!("CARGO_BIN_EXE_domicile"));
    let check = check.args(["audit", "check"]).arg(proof).args(["--verifier", &key()]).output().expect("it runs");
    assert!(stdout(&check).contains("holds"));

    let payload = written.file("events/", ".payload");
    fs::write(written.bundle.join(&payload), b"another").expect("a payload");
    let wrong = written.wrong();
    for what in ["not the bytes that BUNDLE.json lists", "not the bytes that were signed"] {
        assert!(wrong.contains(&(payload.clone(), what.to_owned())), "{what} in {wrong:?}");
    }
}

/// The positions of the events in a bundle, in order.
fn positions(written: &Written) -> Vec<String> {
    let list = written.list();
    let files = list["files"].as_array().expect("a list").iter().filter_map(|file| file["path"].as_str());
    let events = files.filter_map(|path| path.strip_prefix("events/")?.strip_suffix(".tlog-proof"));
    events.map(str::to_owned).collect()
}

#[test]
fn a_ticket_that_ends_early_in_its_bundle_is_not_said_to_end_there() {
    let written = written(&Keys::none(), &["--ticket", "1"]);
    let last = positions(&written).pop().expect("an event");
    for ending in ["tlog-proof", "payload"] {
        written.hide(&format!("events/{last}.{ending}"));
    }
    let report = written.report(0);
    assert!(report["not_checked"].to_string().contains("later events than those here"), "{report}");
    let readme = fs::read_to_string(written.bundle.join("README.txt")).expect("a text");
    assert!(readme.contains("nobody signed"), "{readme}");
}

#[test]
fn an_event_of_another_stream_is_none_of_a_tickets_bundle() {
    let written = written(&Keys::none(), &["--ticket", "1"]);
    let own = positions(&written);
    let stranger = (1..=8).map(|position| format!("{position:012}")).find(|position| !own.contains(position));
    let stranger = stranger.expect("the tenant has other events");
    let object = format!("events/{stranger}.tlog-proof");
    let proof = written.bundle.join(&object);
    let proof = [
        "--verifier",
        &key(),
        "--event",
        stranger.trim_start_matches('0'),
        "--output",
        proof.to_str().expect("a path"),
    ];
    stdout(&domicile(&["audit", "proof"], &Keys::none(), &proof));
    let wrong = written.wrong();
    assert!(wrong.contains(&(object, "belongs to another ticket".to_owned())), "{wrong:?}");
}

#[test]
fn an_event_that_is_left_out_of_a_tickets_bundle_is_a_gap_in_its_stream() {
    let written = written(&Keys::none(), &["--ticket", "1"]);
    let first = written.file("events/", ".tlog-proof");
    written.hide(&first);
    assert!(written.wrong().iter().any(|(_, what)| what.contains("versions have a gap")));
    let other = Written { scratch: tempfile::tempdir().expect("a folder"), bundle: written.bundle.clone() };
    fs::write(other.bundle.join("checkpoint"), b"nobody's\n").expect("a checkpoint");
    assert!(
        written
            .wrong()
            .iter()
            .any(|(object, what)| object == "checkpoint" && what.starts_with("not signed by the key"))
    );
}

#[test]
fn a_key_that_is_not_the_archives_does_not_verify_a_bundle_and_no_key_is_said() {
    for more in [&[][..], &["--ticket", "1"]] {
        let written = written(&Keys::none(), more);
        let unpinned = stdout(&written.verify(&[]));
        assert!(unpinned.contains("no key was given"), "{unpinned}");
        let mut stranger = key().into_bytes();
        let last = stranger.len() - 3;
        stranger[last] = if stranger[last] == b'a' { b'b' } else { b'a' };
        let stranger = String::from_utf8(stranger).expect("a key");
        // The key id is the hash of the key: another key under this id is none at all.
        assert_ne!(written.verify(&["--verifier", &stranger]).status.code(), Some(0));
    }
}

#[test]
fn opened_payloads_come_only_with_keys_and_are_announced() {
    for more in [&["--with-payloads"][..], &["--with-payloads", "--ticket", "1"]] {
        let written = written(&Keys::given(), more);
        let opened = fs::read_to_string(written.bundle.join("opened/events.ndjson")).expect("opened events");
        assert!(opened.lines().count() > 1 && opened.contains("\"data\":{"), "{opened}");
        assert!(fs::read_to_string(written.bundle.join("README.txt")).expect("a text").contains("IN THE CLEAR"));
        written.report(0);
    }
    let closed = written(&Keys::given(), &[]);
    assert!(!closed.bundle.join("opened").exists());
    let scratch = tempfile::tempdir().expect("a folder");
    let without = export(&Keys::none(), &scratch.path().join("bundle"), &["--with-payloads"]);
    assert!(refused(&without, 64).contains("--with-payloads: takes --keys"));
}

#[test]
fn the_page_claims_of_a_bundle_only_what_was_checked_in_it() {
    let page = |more: &[&str]| {
        let written = written(&Keys::given(), more);
        let file = written.scratch.path().join("report.html");
        let report = written.verify(&["--verifier", &key(), "--report", file.to_str().expect("a path of this test")]);
        (fs::read_to_string(file).expect("a page"), stdout(&report))
    };
    let (ticket, report) = page(&["--ticket", "1"]);
    assert!(!ticket.contains("tiles, the audit lines") && !ticket.contains("generations"), "{ticket}");
    assert!(ticket.contains("its proof under that checkpoint") && ticket.contains("of ticket 1"), "{ticket}");
    for text in [&ticket, &report] {
        assert!(text.contains("the shapes of the events") && text.contains("they stayed sealed"), "{text}");
        // There is nothing that --old or --backup could be compared with.
        assert!(!text.contains("no older checkpoint was compared") && text.contains("--old and --backup"), "{text}");
    }
    let (tenant, report) = page(&[]);
    assert!(tenant.contains("the audit lines") && tenant.contains(" generations"), "{tenant}");
    assert!(!report.contains("the shapes of the events") && report.contains("they stayed sealed"), "{report}");
    for more in [&["--with-payloads"][..], &["--with-payloads", "--ticket", "1"]] {
        let (page, report) = page(more);
        for text in [page, report] {
            assert!(
                text.contains("opened/events.ndjson says it in the clear") && !text.contains("they stayed sealed"),
                "{text}"
            );
        }
    }
}

#[test]
fn a_bundle_is_whole_or_not_there_and_nothing_is_overwritten() {
    let written = written(&Keys::none(), &[]);
    let again = refused(&export(&Keys::none(), &written.bundle, &[]), 64);
    assert!(again.contains("is there already"), "{again}");
    let fresh = written.scratch.path().join("fresh");
    let never = refused(&export(&Keys::none(), &fresh, &["--ticket", "99"]), 64);
    assert!(never.contains("--ticket: ticket-99 has no event") && !fresh.exists(), "{never}");
    // What an interrupted export left is no part of the next one.
    fs::create_dir_all(written.scratch.path().join("fresh.partial/archive")).expect("a folder");
    fs::write(written.scratch.path().join("fresh.partial/archive/stray"), b"x").expect("a file");
    stdout(&export(&Keys::none(), &fresh, &[]));
    assert!(fresh.is_dir() && !fresh.join("archive/stray").exists());
    assert!(!written.scratch.path().join("fresh.partial").exists());
}
