//! Copies of an archive in a folder, and what they are not written over.

use std::{collections::BTreeMap, fs, path::Path, process::Output};

use serde_json::Value;

use crate::vectors::{self, Keys, domicile, stdout};

fn long() -> Keys {
    let archive = vectors::folder().join("bucket/tenants/018f0000-0000-7000-8000-000000000001");
    Keys { archive, ..Keys::none() }
}

fn export(keys: &Keys, folder: &Path) -> Output {
    domicile(&["audit", "export"], keys, &["--to", folder.to_str().expect("a path of this test")])
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).expect("a file"));
        }
    }
    found
}

/// The signed heads of the long archive of which this was found.
fn heads(found: &str) -> Vec<String> {
    let heads: Vec<Value> =
        serde_json::from_slice(&fs::read(vectors::folder().join("heads.json")).expect("the vectors")).expect("JSON");
    let of_long = heads.iter().filter(|head| head["archive"] == "long" && head["found"] == found);
    of_long.map(|head| head["checkpoint"].as_str().expect("a text").to_owned()).collect()
}

/// Refuses to write over what is in the folder, and leaves it.
fn refuses(keys: &Keys, folder: &Path, code: i32, says: &str) {
    let before = files(folder);
    let said = vectors::refused(&export(keys, folder), code);
    assert!(said.contains(says) && said.contains("nothing was written"), "{said}");
    assert!(files(folder) == before, "something in the folder was touched: {said}");
}

#[test]
fn a_copy_goes_into_a_new_or_empty_folder_and_an_older_copy_of_the_same_archive_goes_on() {
    let scratch = tempfile::tempdir().expect("a folder");
    for folder in [scratch.path().to_owned(), scratch.path().join("new")] {
        stdout(&export(&long(), &folder));
    }
    let copy = scratch.path().join("new");
    let whole = files(&copy);
    for head in heads("beginning") {
        fs::write(copy.join("log/checkpoint"), head).expect("a checkpoint");
        stdout(&export(&long(), &copy));
        assert!(files(&copy) == whole);
    }
}

#[test]
fn a_copy_that_the_archive_does_not_go_on_from_is_kept() {
    let scratch = tempfile::tempdir().expect("a folder");
    let copy = scratch.path().join("copy");
    stdout(&export(&long(), &copy));
    for (found, says) in [("fork", "the archive has the root"), ("shorter", "the archive ends before")] {
        let heads = heads(found);
        assert!(!heads.is_empty(), "{found}");
        for head in heads {
            fs::write(copy.join("log/checkpoint"), head).expect("a checkpoint");
            refuses(&long(), &copy, 1, says);
        }
    }
    for head in heads("refused") {
        fs::write(copy.join("log/checkpoint"), head).expect("a checkpoint");
        refuses(&long(), &copy, 64, "its checkpoint is none that");
    }
}

#[test]
fn an_archive_whose_newest_manifest_is_gone_is_not_written_over_the_copy_that_has_it() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (copy, cut) = (scratch.path().join("copy"), scratch.path().join("cut"));
    stdout(&export(&long(), &copy));
    stdout(&export(&long(), &cut));
    let manifests = files(&cut.join("manifest"));
    assert!(manifests.len() > 1);
    fs::remove_file(manifests.keys().next_back().expect("the newest")).expect("it was there");
    refuses(&Keys { archive: cut, ..Keys::none() }, &copy, 1, "newest manifest ends before");
}

#[test]
fn a_copy_of_another_tenant_and_whatever_else_is_there_are_kept() {
    let scratch = tempfile::tempdir().expect("a folder");
    let copy = scratch.path().join("copy");
    stdout(&export(&Keys::none(), &copy));
    refuses(&long(), &copy, 64, "its checkpoint is none that");
    let other = scratch.path().join("other");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("letter.txt"), "mine").expect("a file");
    refuses(&long(), &other, 64, "no whole copy of an archive");
}
