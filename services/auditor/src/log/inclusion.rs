//! That an event is in the log, as a file for others.

use archive::{
    EventProof,
    merkle::proof::inclusion_path,
    tile::{Tile, WIDTH, bundle},
};
use futures::{StreamExt, TryStreamExt, stream};
use schemas::{EventId, Position};
use serde::Deserialize;

use super::{Error, Log, OBJECTS_AHEAD};

/// Which event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The one at a place.
    Position(Position),
    /// The one with an id; found by reading the entries from the first on.
    Id(EventId),
}

impl Log<'_> {
    /// Proves that an event is in the log. The proof holds: it has been checked.
    ///
    /// # Errors
    /// If there is no such event, or what lies in the archive does not prove it.
    pub async fn prove(&self, wanted: Wanted) -> Result<EventProof, Error> {
        let size = self.head.size;
        let index = match wanted {
            Wanted::Position(position) => u64::try_from(position.get()).ok().and_then(|place| place.checked_sub(1)),
            Wanted::Id(event_id) => self.find(event_id).await?,
        };
        let index = index.filter(|index| *index < size).ok_or(Error::NoSuchEvent { size })?;
        let bundle = self.object(Tile::at(0, index / WIDTH, size), Tile::bundle_path).await?;
        let entry = bundle::entries(&bundle).nth((index % WIDTH) as usize).and_then(Result::ok);
        let proof = EventProof {
            entry: entry.ok_or(Error::TreeDiffers)?.to_vec(),
            index,
            path: self.hashes(&inclusion_path(index, size)).await?,
            checkpoint: self.note.clone(),
        };
        proof.check(&self.key).map_err(Error::NotProven)?;
        Ok(proof)
    }

    async fn find(&self, event_id: EventId) -> Result<Option<u64>, Error> {
        let size = self.head.size;
        let bundles = stream::iter(0..size.div_ceil(WIDTH)).map(|index| async move {
            let bundle = self.object(Tile::at(0, index, size), Tile::bundle_path).await?;
            let place = bundle::entries(&bundle).position(|entry| entry.is_ok_and(|entry| is_of(entry, event_id)));
            Ok::<_, Error>(place.map(|place| index * WIDTH + place as u64))
        });
        let found = bundles.buffered(OBJECTS_AHEAD).try_filter_map(|found| std::future::ready(Ok(found)));
        std::pin::pin!(found).try_next().await
    }
}

#[derive(Deserialize)]
struct Entry {
    event_id: EventId,
}

fn is_of(entry: &[u8], event_id: EventId) -> bool {
    serde_json::from_slice::<Entry>(entry).is_ok_and(|entry| entry.event_id == event_id)
}
