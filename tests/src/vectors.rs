//! The test vectors of the archive's format: small archives that always come out as the same bytes.
//!
//! They are made with the product's own writers (`archive`), at a fixed time, with fixed ids and keys. Only seals are made here:
//! the product draws its nonces at random, so the same AES-256-GCM is used with nonces that follow from the place. That the
//! product opens them, and writes the same objects from the same events, is shown by `tests/second_reader`.
//!
//! Reading order: [`seal`], [`history`] (the events), [`written`] (archives of them), [`mutation`] and [`mutations`] (what is
//! done to them, and what a reader must then say), [`heads`] (older tree heads, and how they stand to them).

mod heads;
mod history;
pub mod mutation;
mod mutations;
mod seal;
mod written;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

pub use heads::{Found, Head};
pub use mutation::{Expected, Mutation};

/// Files by their path: of the whole folder of vectors, or of one archive.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Where the list of mutations lies.
pub const MUTATIONS: &str = "mutations.json";
/// Where the list of older tree heads lies.
pub const HEADS: &str = "heads.json";
/// Where the region's first key lies; only it has signed the archives *long* and *short*.
pub const VERIFIER: &str = "verifier.txt";
/// Where the key lies that follows on all others.
pub const NEWEST_VERIFIER: &str = "newest-verifier.txt";
/// Where the key of a region lies that cosigns the archive *long* in some mutations.
pub const WITNESS: &str = "witness.txt";
/// How many signing keys the region had.
pub const SIGNING_KEYS: u8 = 3;
/// The page that people read, which is not made here.
pub const PAGE: &str = "README.md";

/// Where a signing key lies, by its number from 0.
pub fn signing_key(number: u8) -> String {
    if number == 0 { "signing-key.json".to_owned() } else { format!("signing-key-{number}.json") }
}

/// The folder of the checkout.
pub fn folder() -> PathBuf {
    crate::repository().join("docs/archive-vectors")
}

/// Every file of it but the page, made anew.
pub fn make() -> Files {
    let (long, short, rotated) = (written::long(), written::short(), written::rotated());
    let mut files = Files::new();
    for made in [&long, &short, &rotated] {
        files.extend(made.files().map(|(path, bytes)| (path, bytes.clone())));
        files.extend(made.exports());
    }
    files.insert("region-key.json".into(), seal::region_key_file());
    for number in 0..SIGNING_KEYS {
        files.insert(signing_key(number), seal::signing_key_file(number));
    }
    files.insert(VERIFIER.into(), format!("{}\n", seal::verifier(0)).into_bytes());
    files.insert(NEWEST_VERIFIER.into(), format!("{}\n", seal::verifier(SIGNING_KEYS - 1)).into_bytes());
    files.insert(WITNESS.into(), format!("{}\n", seal::witness()).into_bytes());
    files.insert(format!("{}.events.ndjson", short.name), short.opened());
    let (mutations, replaced) = mutations::all(&long, &short, &rotated).into_parts();
    files.insert(MUTATIONS.into(), listed(&mutations).into_bytes());
    files.extend(replaced);
    files.insert(HEADS.into(), listed(&heads::all(&long, &short, &rotated)).into_bytes());
    files
}

/// A list as JSON, one entry a line.
fn listed(entries: &[impl Serialize]) -> String {
    let line = |entry| serde_json::to_string(entry).expect("an entry has a JSON form");
    format!("[\n{}\n]\n", entries.iter().map(line).collect::<Vec<_>>().join(",\n"))
}

/// Every file of a folder but the page, as it lies there.
///
/// # Errors
/// If the folder cannot be read.
pub fn read(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    read_into(folder, "", &mut files)?;
    files.remove(PAGE);
    Ok(files)
}

fn read_into(folder: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_into(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// Writes files below a folder, and nothing else.
///
/// # Errors
/// If the folder cannot be written.
pub fn write(folder: &Path, files: &Files) -> io::Result<()> {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// The files that differ between two sets, or that only one of them has.
pub fn differing<'files>(one: &'files Files, other: &'files Files) -> Vec<&'files str> {
    let mut paths: Vec<_> = one.keys().chain(other.keys()).map(String::as_str).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.retain(|path| one.get(*path) != other.get(*path));
    paths
}
