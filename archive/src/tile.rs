//! The tree as objects: C2SP `tlog-tiles` (<https://c2sp.org/tlog-tiles>), height 8.
//!
//! A tile holds up to 256 consecutive hashes of one level. At level 0 they are leaves; at level `l` each is the root of a
//! full tile of level `l - 1`. A bundle holds the entries whose leaves are in the level 0 tile of the same index. The last
//! tile of a level may be partial; its width is in its name, so an object never changes.

use schemas::Hash;

pub mod bundle;
mod edge;
pub mod subtree;

pub use edge::{Edge, EdgeError, Tail};

/// Hashes in a full tile.
pub const WIDTH: u64 = 256;

/// Levels a tree of 2^63 leaves can have; a bound for loops.
pub const LEVELS: u8 = 8;

/// Which tile: level, index within the level, and how many hashes it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// 0 for leaves.
    pub level: u8,
    /// From 0, left to right.
    pub index: u64,
    /// 1 to 256; below 256 the tile is partial.
    pub width: u16,
}

impl Tile {
    /// The tile at a place as a tree of `size` has it; the tree must reach it.
    pub fn at(level: u8, index: u64, size: u64) -> Self {
        let hashes = (size >> (8 * u32::from(level))) - index * WIDTH;
        Self { level, index, width: hashes.min(WIDTH) as u16 }
    }

    /// `tile/<level>/<index>[.p/<width>]`.
    pub fn path(&self) -> String {
        format!("tile/{}/{}{}", self.level, index_path(self.index), partial(self.width))
    }

    /// `tile/entries/<index>[.p/<width>]`: the bundle of a level 0 tile's entries.
    pub fn bundle_path(&self) -> String {
        format!("tile/entries/{}{}", index_path(self.index), partial(self.width))
    }

    /// Whether it holds as many hashes as a tile can.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// The index of its first leaf.
    pub fn first_leaf(&self) -> u64 {
        self.index << (8 * (u32::from(self.level) + 1))
    }
}

/// What a path below `log/` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// A tile of hashes.
    Tile(Tile),
    /// The entries of a level 0 tile.
    Bundle(Tile),
}

/// Reads `tile/<level>/<index>[.p/<width>]` or `tile/entries/<index>[.p/<width>]`; only the one right spelling.
pub fn parse(path: &str) -> Option<Named> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = match rest.split_once(".p/") {
        Some((index, width)) => (index, width.parse().ok().filter(|width| (1..WIDTH as u16).contains(width))?),
        None => (rest, WIDTH as u16),
    };
    let mut number: u64 = 0;
    for element in index.split('/') {
        let digits = element.strip_prefix('x').unwrap_or(element);
        number = number.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    let named = match kind {
        "entries" => Named::Bundle(Tile { level: 0, index: number, width }),
        level => Named::Tile(Tile { level: level.parse().ok().filter(|level| *level < 64)?, index: number, width }),
    };
    let spelled = match named {
        Named::Tile(tile) => tile.path(),
        Named::Bundle(tile) => tile.bundle_path(),
    };
    (spelled == path).then_some(named)
}

/// The partial tiles at the right edge of a tree: one per level whose last tile is not full, lowest level first.
pub fn right_edge(size: u64) -> Vec<Tile> {
    (0..LEVELS)
        .map(|level| (level, size >> (8 * u32::from(level))))
        .filter(|(_, hashes)| hashes % WIDTH != 0)
        .map(|(level, hashes)| Tile { level, index: hashes / WIDTH, width: (hashes % WIDTH) as u16 })
        .collect()
}

/// A tile's bytes: its hashes, one after another.
pub fn encode(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The hashes of a tile's bytes; `None` if they are not a whole number of hashes.
pub fn decode(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty().then(|| hashes.iter().map(|hash| Hash::new(*hash)).collect())
}

fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn partial(width: u16) -> String {
    if u64::from(width) == WIDTH { String::new() } else { format!(".p/{width}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = Tile { level: 0, index: 1_234_067, width: 256 };
        assert_eq!(tile.path(), "tile/0/x001/x234/067");
        assert_eq!(Tile { width: 112, ..tile }.bundle_path(), "tile/entries/x001/x234/067.p/112");
        assert_eq!(parse("tile/0/x001/x234/067"), Some(Named::Tile(tile)));
        assert_eq!(parse("tile/entries/000.p/3"), Some(Named::Bundle(Tile { level: 0, index: 0, width: 3 })));
    }

    #[test]
    fn a_second_spelling_of_a_path_is_refused() {
        for path in [
            "tile/0/0",
            "tile/00/000",
            "tile/0/x000/001",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/64/000",
            "tile/0/",
            "tile/0",
            "tile/-1/000",
            "tile/0/+01",
            "checkpoint",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    #[test]
    fn the_right_edge_is_that_of_the_specification() {
        let edge = |size| right_edge(size).iter().map(|tile| (tile.level, tile.index, tile.width)).collect::<Vec<_>>();
        assert_eq!(edge(70_000), [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
        assert_eq!(edge(256), [(1, 0, 1)]);
        assert_eq!(edge(0), []);
    }
}
