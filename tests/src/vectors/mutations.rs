//! Everything that is done to the archives.
//!
//! By what an attacker or a failing disk can do: [`touched`] (bits, lengths, objects gone, swapped or added), [`rewritten`]
//! (events in another order, checkpoints put back), [`signed`] (somebody holds a key), [`rotated`] (one key follows another) and
//! [`witnessed`] (other regions have cosigned).

mod forged;
mod rewritten;
mod rotated;
mod signed;
mod touched;
mod witnessed;

use std::collections::BTreeMap;

use super::{
    Files,
    mutation::{Change, Expected, Key, Mutation},
    written::Written,
};

/// The list as it grows, and the files that its entries put.
pub(super) struct List<'made> {
    long: &'made Written,
    short: &'made Written,
    rotated: &'made Written,
    mutations: Vec<Mutation>,
    files: Files,
}

/// Every mutation.
pub(super) fn all<'made>(long: &'made Written, short: &'made Written, rotated: &'made Written) -> List<'made> {
    let mut list = List { long, short, rotated, mutations: Vec::new(), files: BTreeMap::new() };
    touched::add(&mut list);
    rewritten::add(&mut list);
    signed::add(&mut list);
    rotated::add(&mut list);
    witnessed::add(&mut list);
    list
}

impl List<'_> {
    /// The mutations, and the files they put.
    pub(super) fn into_parts(self) -> (Vec<Mutation>, Files) {
        (self.mutations, self.files)
    }

    fn add(&mut self, archive: &str, name: &str, changes: Vec<Change>, finds: Option<Expected>) -> &mut Mutation {
        let mutation = Mutation { name: name.into(), archive: archive.into(), changes, key: Key::Region, finds };
        self.mutations.push(mutation);
        self.mutations.last_mut().expect("pushed just now")
    }

    /// Keeps bytes for a mutation and gives the change that puts them at an object. The same bytes lie there once.
    fn put(&mut self, object: &str, bytes: Vec<u8>) -> Change {
        let hash = schemas::Hash::of(&[&bytes]).to_string();
        let file = format!("replaced/{}", &hash[..16]);
        self.files.insert(file.clone(), bytes);
        Change::Put { object: object.into(), file }
    }

    /// The changes that make one archive's objects into others.
    fn changes_to(&mut self, from: &Files, to: Files) -> Vec<Change> {
        let gone = from.keys().filter(|key| !to.contains_key(*key));
        let mut changes: Vec<_> = gone.map(|object| Change::Drop { object: object.clone() }).collect();
        for (object, bytes) in to {
            if from.get(&object) != Some(&bytes) {
                changes.push(self.put(&object, bytes));
            }
        }
        changes
    }
}

/// The first wrong position is this one, and the object is named.
fn at(position: i64, object: &str) -> Option<Expected> {
    within(position, position, object)
}

/// The first wrong position is one of these, and the object is named.
fn within(first: i64, last: i64, object: &str) -> Option<Expected> {
    Some(Expected { object: object.into(), first_wrong: Some([first, last]) })
}

/// No position is wrong, but the object is.
fn nowhere(object: &str) -> Option<Expected> {
    Some(Expected { object: object.into(), first_wrong: None })
}

/// The objects of the long archive that mutations speak of.
mod long {
    pub(super) const SECOND: &str = "events/000000000004-000000000260.seg.zst";
    pub(super) const THIRD: &str = "events/000000000261-000000000270.seg.zst";
    pub(super) const AUDIT: &str = "audit/2026-11-22/000000000004-000000000260.jsonl.zst";
    pub(super) const TILE: &str = "log/tile/0/000";
    pub(super) const BUNDLE: &str = "log/tile/entries/000";
    pub(super) const LAST_TILE: &str = "log/tile/0/001.p/14";
    pub(super) const LAST_BUNDLE: &str = "log/tile/entries/001.p/14";
    pub(super) const UPPER_TILE: &str = "log/tile/1/000.p/1";
    pub(super) const SCHEMA: &str = "schemas/status_set@1.json";
    pub(super) const MANIFESTS: [&str; 3] =
        ["manifest/00000001.json", "manifest/00000002.json", "manifest/00000003.json"];
}
