//! The tree so far, from the tiles in the bucket.

use archive::{
    Manifest, layout,
    merkle::Frontier,
    tile::{self, Edge, Tail, Tile, WIDTH},
};
use bytes::Bytes;

use crate::{error::Error, store::TenantObjects};

/// The tree of the newest manifest, ready to grow; it must have that manifest's root.
pub(super) async fn load(objects: &TenantObjects, manifest: Option<&Manifest>) -> Result<Tail, Error> {
    let Some(manifest) = manifest else { return Ok(Tail::new()) };
    let edge = edge_at(objects, manifest.size, manifest.size).await?;
    if edge.root() != manifest.root {
        return Err(Error::TreeDamaged { object: layout::TILES.to_owned() });
    }
    let last = tile::right_edge(manifest.size).into_iter().find(|tile| tile.level == 0);
    let bundle = match last {
        Some(tile) => whole(objects, &layout::log(&tile.bundle_path())).await?,
        None => Bytes::new(),
    };
    Tail::from_parts(edge, bundle.into()).map_err(|_| Error::TreeDamaged { object: layout::TILES.to_owned() })
}

/// The tree of the newest manifest, for whoever has only leaves to add.
pub(crate) async fn tree_of(objects: &TenantObjects, manifest: Option<&Manifest>) -> Result<Frontier, Error> {
    let Some(manifest) = manifest else { return Ok(Frontier::new()) };
    Ok(edge_at(objects, manifest.size, manifest.size).await?.frontier())
}

/// The right edge of the tree at a size that the archive has reached; `newest` is how far it reaches now.
pub(crate) async fn edge_at(objects: &TenantObjects, size: u64, newest: u64) -> Result<Edge, Error> {
    let mut tiles = Vec::new();
    for tile in tile::right_edge(size) {
        let bytes = wide_enough(objects, tile, newest).await?;
        let damaged = || Error::TreeDamaged { object: layout::log(&tile.path()) };
        let mut hashes = tile::decode(&bytes).ok_or_else(damaged)?;
        hashes.truncate(usize::from(tile.width));
        tiles.push(hashes);
    }
    Edge::from_tiles(size, tiles).map_err(|_| Error::TreeDamaged { object: layout::TILES.to_owned() })
}

/// A tile, or a wider one that begins with it.
async fn wide_enough(objects: &TenantObjects, tile: Tile, newest: u64) -> Result<Bytes, Error> {
    let full = Tile { width: WIDTH as u16, ..tile };
    let now = tile::right_edge(newest).into_iter().find(|now| (now.level, now.index) == (tile.level, tile.index));
    for candidate in [Some(tile), now, Some(full)].into_iter().flatten() {
        if let Some(object) = objects.get(&layout::log(&candidate.path())).await? {
            return Ok(object.body);
        }
    }
    Err(Error::TreeDamaged { object: layout::log(&tile.path()) })
}

async fn whole(objects: &TenantObjects, key: &str) -> Result<Bytes, Error> {
    let object = objects.get(key).await?;
    object.map(|object| object.body).ok_or_else(|| Error::TreeDamaged { object: key.to_owned() })
}
