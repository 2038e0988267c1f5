//! An archive as a history: only what was signed is read.

use auditor::{History, Wrong, history::Error};
use schemas::Position;

use crate::made::{Made, event, signer, usual};

async fn open(archive: &Made, seed: u8) -> Result<History, Error> {
    History::open(Box::new(archive.clone()), Some(signer(seed).verifier().clone())).await
}

fn wrong(read: Result<impl Sized, Error>) -> (String, Wrong) {
    match read.map(drop).expect_err("something is wrong") {
        Error::Wrong(finding) => (finding.object, finding.what),
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn every_event_is_read_at_its_position() -> Result<(), Error> {
    let history = open(&usual(), 1).await?;
    assert_eq!(history.head(), Position::new(700));
    let mut read = Vec::new();
    while let Some(next) = history.after(Position::new(read.len() as i64), 97).await?.pop() {
        let position = Position::new(read.len() as i64);
        read.extend(history.after(position, 97).await?);
        assert_eq!(read.last(), Some(&next));
    }
    assert!(read.iter().zip(1..).all(|(read, position)| *read == event(position)) && read.len() == 700);
    // Back and forth over more segments than are held.
    for position in [1, 700, 301, 520, 2, 699] {
        assert_eq!(history.after(Position::new(position - 1), 1).await?, [event(position)]);
    }
    assert_eq!(history.after(Position::new(700), 1).await?, []);
    Ok(())
}

#[tokio::test]
async fn what_was_not_signed_is_not_read() {
    const SECOND: &str = "events/000000000301-000000000512.seg.zst";
    assert!(matches!(open(&Made::default(), 1).await, Err(Error::NoArchive)));
    assert!(matches!(wrong(open(&usual(), 2).await), (_, Wrong::Signature(_))));
    let mut archive = usual();
    archive.at(SECOND)[50] ^= 1;
    let history = open(&archive, 1).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(history.after(Position::new(299), 1).await.is_ok(), "what is before it is read");
    assert_eq!(wrong(history.after(Position::new(300), 1).await), (SECOND.into(), Wrong::HashDiffers));
    archive.0.remove(SECOND);
    let history = open(&archive, 1).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(wrong(history.after(Position::new(400), 1).await), (SECOND.into(), Wrong::Missing));
    archive.0.remove("manifest/00000002.json");
    assert_eq!(wrong(open(&archive, 1).await), ("manifest/00000002.json".into(), Wrong::Missing));
}
