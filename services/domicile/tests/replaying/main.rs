//! `domicile audit replay`, `show` and `diff` as people run them, over the published test vectors: no store, no network.

mod bundles;
mod copies;
mod terminal;
mod vectors;

use std::fs;

use serde_json::Value;

use crate::vectors::{Keys, domicile, lines, refused, stdout};

fn replay(more: &[&str]) -> Vec<Value> {
    lines(&domicile(&["audit", "replay", "--format", "ndjson"], &Keys::given(), more))
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["event_type"].as_str()).collect()
}

#[test]
fn a_copied_archive_replays_with_keys_as_the_second_reader_prints_it() {
    let events = replay(&[]);
    let wanted = fs::read_to_string(vectors::folder().join("short.events.ndjson")).expect("the vectors");
    let wanted: Vec<Value> = wanted.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), wanted.len());
    for (event, wanted) in events.iter().zip(&wanted) {
        for field in ["position", "stream", "event_id", "event_type", "is_erased"] {
            assert_eq!(event[field], wanted[field], "{field} of {wanted}");
        }
        assert_eq!(event["data"].is_null(), wanted["data"].is_null(), "{wanted}");
    }
    assert!(events.iter().any(|event| event["is_erased"] == true), "the vectors hold an erased event");
}

#[test]
fn without_keys_it_shows_envelopes_and_says_that_the_rest_is_sealed() {
    let events = lines(&domicile(&["audit", "replay", "--format", "ndjson"], &Keys::none(), &[]));
    assert!(events.len() == 8 && events.iter().all(|event| event["is_sealed"] == true && event["data"].is_null()));
    let table = stdout(&domicile(&["audit", "replay"], &Keys::none(), &[]));
    assert!(table.contains("(sealed)") && !table.contains("(erased)"), "{table}");
}

#[test]
fn filters_take_a_ticket_a_person_a_stream_and_a_span_of_time() {
    let all = replay(&[]);
    let of = |stream: &str| all.iter().filter(|event| event["stream"] == stream).cloned().collect::<Vec<_>>();
    let ticket = vectors::stream_of(&all, "ticket-");
    let number = ticket.trim_start_matches("ticket-");
    assert_eq!(replay(&["--ticket", number]), of(&ticket));
    assert_eq!(replay(&["--stream", &ticket]), of(&ticket));
    let person = vectors::stream_of(&all, "person-");
    assert_eq!(replay(&["--person", person.trim_start_matches("person-")]), of(&person));
    let at = all[6]["recorded_at"].as_str().expect("a time");
    assert_eq!(types(&replay(&["--from-time", at])), types(&all[6..]));
    let until = all[4]["recorded_at"].as_str().expect("a time");
    assert_eq!(types(&replay(&["--to-time", until])), types(&all[..vectors::recorded_by(&all, until)]));
    assert_eq!(types(&replay(&["--as-of", "3"])), types(&all[..3]));
}

#[test]
fn a_state_is_shown_as_of_a_moment_and_a_difference_leads_from_one_to_the_next() {
    let all = replay(&[]);
    let ticket = vectors::stream_of(&all, "ticket-");
    let positions: Vec<i64> =
        all.iter().filter(|event| event["stream"] == *ticket).filter_map(|event| event["position"].as_i64()).collect();
    let (first, last) = (positions[0].to_string(), positions[positions.len() - 1].to_string());
    let show = |as_of: &str, more: &[&str]| -> Value {
        let arguments = [&["--as-of", as_of], more].concat();
        let shown = domicile(&["audit", "show", "--format", "json"], &Keys::given(), &arguments);
        serde_json::from_str(&stdout(&shown)).expect("JSON")
    };
    let (before, after) = (show(&first, &["--stream", &ticket]), show(&last, &["--stream", &ticket]));
    assert_eq!((&before["aggregate"]["version"], &after["as_of"]), (&1.into(), &positions[positions.len() - 1].into()));
    let counts = show(&last, &[]);
    assert_eq!((&counts["tickets"], &counts["as_of"]), (&1.into(), &after["as_of"]));

    let moments = ["--from-moment", first.as_str(), "--to-moment", last.as_str(), "--stream", ticket.as_str()];
    let diff = domicile(&["audit", "diff", "--format", "json"], &Keys::given(), &moments);
    let diff: Value = serde_json::from_str(&stdout(&diff)).expect("JSON");
    let events = diff["streams"][0]["events"].as_array().expect("a list");
    assert_eq!(events.len(), positions.len() - 1);
    assert!(events.iter().all(|event| event["actor"].is_string()), "{diff}");
    for change in diff["streams"][0]["changes"].as_array().expect("a list") {
        assert!(change["by"].as_array().is_some_and(|by| !by.is_empty()), "every change has an author: {change}");
    }
    let words = stdout(&domicile(&["audit", "diff"], &Keys::given(), &moments));
    assert!(words.contains(&format!("{ticket}: changed")) && words.contains("(by "), "{words}");
}

#[test]
fn what_was_never_there_and_what_is_not_there_yet_is_refused_by_the_name_of_the_option() {
    let given = Keys::given();
    for (command, more, says) in [
        ("replay", &["--ticket", "99"][..], "--ticket: ticket-99 has no event up to position 8"),
        ("show", &["--as-of", "8", "--person", "99"], "--person: person-99 has no event"),
        ("diff", &["--from-moment", "1", "--ticket", "99"], "--ticket: ticket-99 has no event"),
        ("replay", &["--as-of", "9"], "ends at position 8, not 9"),
        ("show", &["--as-of", "2999-01-01T00:00:00Z"], "--as-of: 2999-01-01T00:00:00Z is in the future"),
        ("show", &["--as-of", "1999-01-01T00:00:00Z"], "--as-of: before the first event"),
        ("diff", &["--from-moment", "2999-01-01T00:00:00Z"], "--from-moment: 2999-01-01T00:00:00Z is in the future"),
        ("diff", &["--from-moment", "5", "--to-moment", "3"], "--from-moment: is position 5, after --to-moment"),
        ("show", &["--position", "9"], "--position: the log holds no position 9"),
        ("show", &["--as-of", "8", "--ticket", "1", "--person", "1"], "cannot be used with"),
        ("show", &[], "--position"),
        ("replay", &["--as-of", "yesterday"], "takes a time such as"),
    ] {
        let done = domicile(&["audit", command], &given, more);
        assert!(refused(&done, 64).contains(says), "{command} {more:?}: {done:?}");
    }
}

#[test]
fn keys_that_do_not_fit_and_folders_that_are_no_archive_are_named() {
    let scratch = tempfile::tempdir().expect("a folder");
    let run = |keys: &Keys| domicile(&["audit", "replay"], keys, &[]);
    let other = vectors::region_key_file(scratch.path(), "018f0000-0001-7000-8000-000000000009", [7; 32]);
    let another = refused(&run(&Keys { region_key: other, ..Keys::given() }), 64);
    assert!(another.contains("--region-key:") && another.contains("is wrapped by region key"), "{another}");
    // The right id over another secret: what it unwraps is nothing.
    let forged = vectors::region_key_file(scratch.path(), "018f0000-0001-7000-8000-000000000001", [7; 32]);
    let forged = refused(&run(&Keys { region_key: forged, ..Keys::given() }), 64);
    assert!(forged.contains("--region-key:") && forged.contains("does not open"), "{forged}");
    let empty = refused(&run(&Keys { keys: Some(scratch.path().join("none")), ..Keys::given() }), 64);
    assert!(empty.contains("--keys:"), "{empty}");
    let no_archive = refused(&run(&Keys { archive: scratch.path().to_owned(), ..Keys::none() }), 64);
    assert!(no_archive.contains("is no archive: manifest/: there is no manifest"), "{no_archive}");
    let stranger = "domicile/eu+f1ed0bd4+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
    let verifier = refused(&domicile(&["audit", "replay"], &Keys::none(), &["--verifier", stranger]), 64);
    assert!(verifier.contains("--verifier"), "{verifier}");
    let other_log = fs::read_to_string(vectors::folder().join("verifier.txt")).expect("a key").replace("/eu", "/us");
    let foreign = domicile(&["audit", "replay"], &Keys::none(), &["--verifier", other_log.trim()]);
    assert!(matches!(foreign.status.code(), Some(1 | 64)), "{foreign:?}");
}
