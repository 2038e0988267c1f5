//! What lies in the archive, and what of it nothing has named yet.

use std::collections::BTreeSet;

use archive::{
    layout,
    tile::{self, Named, Tile},
};

pub(super) struct Listing {
    all: BTreeSet<String>,
    unnamed: BTreeSet<String>,
}

impl Listing {
    pub(super) fn new(keys: Vec<String>) -> Self {
        let all: BTreeSet<_> = keys.into_iter().collect();
        Self { unnamed: all.clone(), all }
    }

    /// The highest generation there is a manifest of; 0 without one.
    pub(super) fn newest_generation(&self) -> u64 {
        self.generations().max().unwrap_or(0)
    }

    /// Every generation there is a manifest of, in order.
    pub(super) fn generations(&self) -> impl Iterator<Item = u64> {
        let manifests =
            self.all.range(layout::MANIFESTS.to_owned()..).take_while(|key| key.starts_with(layout::MANIFESTS));
        manifests.filter_map(|key| layout::manifest_generation(key))
    }

    /// The number of every succession, in order.
    pub(super) fn successions(&self) -> impl Iterator<Item = u64> {
        let listed =
            self.all.range(layout::SUCCESSIONS.to_owned()..).take_while(|key| key.starts_with(layout::SUCCESSIONS));
        listed.filter_map(|key| layout::succession_number(key))
    }

    /// The generations to look at: every one there is, and the first of each gap between them.
    pub(super) fn generations_with_gaps(&self) -> Vec<u64> {
        let mut generations = Vec::new();
        let mut next = 1;
        for generation in self.generations() {
            if generation > next {
                generations.push(next);
            }
            generations.push(generation);
            next = generation.saturating_add(1);
        }
        generations
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.all.contains(key)
    }

    /// Notes that something names the object.
    pub(super) fn name(&mut self, key: &str) {
        self.unnamed.remove(key);
    }

    /// What nothing named.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = &str> {
        self.unnamed.iter().map(String::as_str)
    }

    /// Every object that holds a beginning of the tile or bundle, narrow ones first.
    pub(super) fn variants(&self, named: Named) -> Vec<(Tile, String)> {
        let full = Tile { width: tile::WIDTH as u16, ..tile_of(named) };
        let path = |tile: Tile| match named {
            Named::Tile(_) => layout::log(&tile.path()),
            Named::Bundle(_) => layout::log(&tile.bundle_path()),
        };
        let partials = format!("{}.p/", path(full));
        let listed = self.all.range(partials.clone()..).take_while(|key| key.starts_with(&partials));
        let mut found: Vec<_> = listed
            .filter_map(|key| Some((tile_of(tile::parse(key.strip_prefix("log/")?)?), key.clone())))
            .chain(self.has(&path(full)).then(|| (full, path(full))))
            .collect();
        found.sort_by_key(|(tile, _)| tile.width);
        found
    }

    /// The object that holds most of a tile or bundle.
    pub(super) fn widest(&self, named: Named) -> Option<String> {
        self.variants(named).pop().map(|(_, key)| key)
    }
}

pub(super) fn tile_of(named: Named) -> Tile {
    match named {
        Named::Tile(tile) | Named::Bundle(tile) => tile,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_objects_are_found_with_the_full_one() {
        let keys =
            ["log/tile/0/000", "log/tile/0/000.p/10", "log/tile/0/000.p/9", "log/tile/0/001.p/3", "log/tile/0/000.p/0"];
        let listing = Listing::new(keys.map(str::to_owned).to_vec());
        let tile = |index| Named::Tile(Tile { level: 0, index, width: 1 });
        let widths = |index| listing.variants(tile(index)).iter().map(|(tile, _)| tile.width).collect::<Vec<_>>();
        assert_eq!((widths(0), widths(1)), (vec![9, 10, 256], vec![3]));
        assert_eq!(listing.widest(tile(0)).as_deref(), Some("log/tile/0/000"));
    }
}
