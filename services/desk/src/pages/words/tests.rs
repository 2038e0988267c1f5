use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter,
    path::{Path, PathBuf},
};

use super::{Language, Words};
use jiff::{Timestamp, tz::TimeZone};

fn words(language: Language) -> Words {
    Words { language, zone: TimeZone::get("Europe/Berlin").expect("a zone") }
}

/// Every message of a language with the names of its values.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language.code());
    let mut messages = BTreeMap::new();
    for file in files(&folder, "ftl") {
        let mut current: Option<String> = None;
        for line in fs::read_to_string(file).expect("a readable file").lines().filter(|line| !line.starts_with('#')) {
            if let Some((key, _)) =
                line.split_once(" =").filter(|_| line.starts_with(|letter: char| letter.is_ascii_lowercase()))
            {
                let known = messages.insert(key.to_owned(), BTreeSet::new());
                assert!(known.is_none(), "{key} is said twice in {}", language.code());
                current = Some(key.to_owned());
            }
            let values =
                line.split("{ $").skip(1).map(|rest| rest.split([' ', '}']).next().unwrap_or_default().to_owned());
            if let Some(of_message) = current.as_ref().and_then(|key| messages.get_mut(key)) {
                of_message.extend(values);
            }
        }
    }
    messages
}

/// The files below a folder with an ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path, ending) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect()
}

/// The keys that templates and code say in so many words.
fn said() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut said = BTreeSet::new();
    let code = files(&root.join("src"), "rs").into_iter().filter(|path| !path.ends_with("tests.rs"));
    for file in iter::chain(files(&root.join("templates"), "html"), code) {
        let text = fs::read_to_string(&file).expect("a readable file");
        said.extend(text.split("say(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    said
}

#[test]
fn every_language_says_the_same_things() {
    let english = messages(Language::English);
    assert!(!english.is_empty());
    for language in Language::ALL {
        assert_eq!(messages(language), english, "{}", language.code());
    }
}

#[test]
fn whatever_is_said_is_in_the_files() {
    let known = messages(Language::English);
    let missing: Vec<_> = said().into_iter().filter(|key| !known.contains_key(key)).collect();
    assert!(missing.is_empty(), "no language has {missing:?}");
}

#[test]
fn a_sentence_is_said_in_the_language_of_the_reader_and_only_its_values_come_from_elsewhere() {
    assert_eq!(words(Language::German).say("layout-language").to_string(), "Sprache");
    assert_eq!(words(Language::Japanese).say("layout-language").to_string(), "言語");
    let hostile = words(Language::English).say("no-such-key").with("name", "{ layout-language }").to_string();
    assert_eq!(hostile, "no-such-key");
}

#[test]
fn moments_and_numbers_are_written_as_the_reader_writes_them() {
    let moment: Timestamp = "2026-11-22T10:05:00Z".parse().expect("a moment");
    let written = Language::ALL.map(|language| words(language).moment(moment));
    assert_eq!(written, ["22 Nov 2026, 11:05", "22.11.2026, 11:05", "2026年11月22日 11:05"]);
    let numbers = [0, 999, 1_000, -1_234_567].map(|number| words(Language::German).number(number));
    assert_eq!(numbers, ["0", "999", "1.000", "-1.234.567"]);
    assert_eq!(words(Language::Japanese).number(12_345), "12,345");
}

#[test]
fn the_language_a_browser_likes_best_is_taken() {
    for (header, expected) in [
        ("de-AT,de;q=0.9,en;q=0.8", Some(Language::German)),
        ("fr, ja;q=0.5, en;q=0.6", Some(Language::English)),
        ("ja;q=0.5, en;q=0.5", Some(Language::Japanese)),
        ("fr", None),
        ("en;q=0, de;q=0.1", Some(Language::German)),
        ("de;q=zero, ;;;", None),
    ] {
        assert_eq!(Language::accepted(header), expected, "{header}");
    }
}
