//! An archive as a history: only what was signed is read.

use std::sync::atomic::{AtomicUsize, Ordering};

use auditor::{Events, History, Source, Wrong, events, history::Error, source};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use schemas::Position;

use crate::made::{Made, archive_of, event, events, signer, tenant_id, usual};

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

/// A store that takes a while to answer, and counts who waits.
struct Slow {
    archive: Made,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

impl Source for Slow {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, source::Error>> {
        async move {
            let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(waiting, Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.archive.get(key).await
        }
        .boxed()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, source::Error>> {
        self.archive.list()
    }
}

fn slow(archive: Made) -> Slow {
    Slow { archive, waiting: AtomicUsize::default(), most: AtomicUsize::default() }
}

#[tokio::test]
async fn many_small_generations_are_read_ahead_and_given_in_order() -> Result<(), events::Error> {
    let sizes: Vec<_> = (1..=100).map(|generation| generation * 3).collect();
    let archive = slow(archive_of(&events(1..=300), &sizes, &signer(1)));
    let mut reader = Events::new(&archive, tenant_id(), 299);
    let mut read = Vec::new();
    while let Some(segment) = reader.next().await? {
        read.extend(segment);
    }
    assert!(read.iter().zip(1..).all(|(read, position)| *read == event(position)) && read.len() == 299);
    let most = archive.most.into_inner();
    assert!((8..=16).contains(&most), "{most} at the same time");
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_further_on_is_told_when_all_before_it_was_given() {
    let sizes = [3, 6, 9, 12];
    for (touched, expected) in [("manifest/00000003.json", 6), ("events/000000000007-000000000009.seg.zst", 6)] {
        let mut archive = archive_of(&events(1..=12), &sizes, &signer(1));
        archive.at(touched).truncate(9);
        let archive = slow(archive);
        let mut reader = Events::new(&archive, tenant_id(), 12);
        while let Ok(Some(_)) = reader.next().await {}
        assert_eq!(reader.reached(), Position::new(expected), "{touched}");
    }
}
