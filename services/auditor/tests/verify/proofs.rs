//! Proofs from an archive's log, checked without the archive.

use archive::{Checkpoint, EventProof, Manifest, Verifier, layout, merkle, merkle::proof};
use auditor::{Consistency, Log, Wanted, log::Error};
use schemas::{Hash, Position};

use crate::made::{Made, archive_of, event, events, signer, usual};

fn key() -> Verifier {
    signer(1).verifier().clone()
}

async fn proven(archive: &Made, position: i64) -> Result<EventProof, Error> {
    let key = key();
    Log::open(archive, Some(&key)).await?.prove(Wanted::Position(Position::new(position))).await
}

fn leaves(events: i64) -> Vec<Hash> {
    self::events(1..=events).iter().map(|event| event.sealed.leaf).collect()
}

/// A tree head that the log's key signed.
fn head(size: u64, root: Hash) -> String {
    let signer = signer(1);
    Checkpoint { origin: signer.verifier().name().to_owned(), size, root }.sign(&signer)
}

#[tokio::test]
async fn every_event_is_proven_by_a_file_alone() -> Result<(), Error> {
    let (archive, all) = (usual(), leaves(700));
    for position in [1, 2, 256, 257, 300, 512, 513, 699, 700] {
        let proof = proven(&archive, position).await?;
        let index = position as u64 - 1;
        assert_eq!((proof.index, &proof.path), (index, &proof::inclusion(&all, index)));
        let sealed = event(position).sealed;
        assert_eq!(proof.entry, sealed.envelope.entry(&sealed.payload));
        let read = EventProof::parse(&proof.to_string()).expect("its own text");
        assert_eq!(read.check(&key()).expect("it holds").size, 700);
    }
    Ok(())
}

#[tokio::test]
async fn an_event_is_found_by_its_id() -> Result<(), Error> {
    let (archive, key) = (usual(), key());
    let log = Log::open(&archive, Some(&key)).await?;
    for position in [1, 257, 700] {
        let proof = log.prove(Wanted::Id(event(position).sealed.envelope.event_id)).await?;
        assert_eq!(proof, log.prove(Wanted::Position(Position::new(position))).await?);
    }
    let absent = log.prove(Wanted::Id(event(701).sealed.envelope.event_id)).await;
    assert!(matches!(absent, Err(Error::NoSuchEvent { size: 700 })), "{absent:?}");
    for beyond in [i64::MIN, -1, 0, 701, i64::MAX] {
        let absent = log.prove(Wanted::Position(Position::new(beyond))).await;
        assert!(matches!(absent, Err(Error::NoSuchEvent { size: 700 })), "{beyond}: {absent:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_key_that_the_archive_names_is_used_where_none_is_given() -> Result<(), Error> {
    let mut archive = usual();
    assert_eq!(Log::open(&archive, None).await?.key(), &key());
    let other = signer(2).verifier().clone();
    assert!(matches!(Log::open(&archive, Some(&other)).await.err(), Some(Error::Head(_))));
    archive.0.remove("manifest/00000001.json");
    assert!(matches!(Log::open(&archive, None).await.err(), Some(Error::NoKey)));
    assert!(matches!(Log::open(&Made::default(), Some(&other)).await.err(), Some(Error::Missing { .. })));
    Ok(())
}

#[tokio::test]
async fn a_full_tile_stands_for_the_partial_one_that_went() -> Result<(), Error> {
    let mut archive = archive_of(&events(1..=800), &[300, 800], &signer(1));
    // The head is still the first generation's; its partial tiles are deleted already.
    let old = Manifest::claimed(&archive.0["manifest/00000001.json"]).expect("ours").checkpoint;
    *archive.at(layout::CHECKPOINT) = old.into_bytes();
    archive.0.retain(|key, _| !key.contains("001.p/44"));
    assert_eq!(proven(&archive, 299).await?.path, proof::inclusion(&leaves(300), 298));
    Ok(())
}

#[tokio::test]
async fn a_damaged_archive_gives_no_proof() {
    let whole = usual();
    // Position 300: tiles 0 and 2 of the leaves and that of the second level, bundle 1.
    let bundle = "log/tile/entries/001";
    let needed = ["log/tile/0/001", "log/tile/0/002.p/188", "log/tile/1/000.p/2", bundle];
    for object in needed {
        let mut damaged = whole.clone();
        damaged.at(object).iter_mut().for_each(|byte| *byte ^= 1);
        let refused = proven(&damaged, 300).await;
        assert!(matches!(refused, Err(Error::NotProven(_) | Error::TreeDiffers)), "{object}: {refused:?}");
        damaged.at(object).truncate(33);
        assert!(matches!(proven(&damaged, 300).await, Err(Error::TreeDiffers)), "{object}");
        damaged.0.remove(object);
        let refused = proven(&damaged, 300).await;
        assert!(matches!(&refused, Err(Error::Missing { object: missing }) if missing == object), "{refused:?}");
    }
    let mut swapped = whole.clone();
    *swapped.at(bundle) = whole.0["log/tile/entries/000"].clone();
    assert!(matches!(proven(&swapped, 300).await, Err(Error::NotProven(_))));
}

#[tokio::test]
async fn every_older_head_is_the_beginning_of_the_newest() -> Result<(), Error> {
    let (archive, all, key) = (usual(), leaves(700), key());
    let log = Log::open(&archive, Some(&key)).await?;
    for size in [0, 1, 255, 256, 300, 511, 512, 600, 699, 700] {
        let old = log.older(&head(size, merkle::root_of(&all[..size as usize])))?;
        let proof = proof::consistency(&all, size);
        assert_eq!(log.consistency(&old).await?, Consistency::Beginning(proof), "{size}");
    }
    Ok(())
}

#[tokio::test]
async fn a_fork_is_named_and_so_is_a_log_that_lost_its_end() -> Result<(), Error> {
    let (archive, all, key) = (usual(), leaves(700), key());
    let log = Log::open(&archive, Some(&key)).await?;
    for size in [0, 1, 256, 300, 700] {
        let old = log.older(&head(size, all[5]))?;
        let here = merkle::root_of(&all[..size as usize]);
        assert_eq!(log.consistency(&old).await?, Consistency::Fork(here), "{size}");
    }
    let longer = log.older(&head(701, all[5]))?;
    assert_eq!(log.consistency(&longer).await?, Consistency::Shorter);
    Ok(())
}

#[tokio::test]
async fn damaged_tiles_are_not_taken_for_a_fork() -> Result<(), Error> {
    let (mut archive, all, key) = (usual(), leaves(700), key());
    archive.at("log/tile/0/001")[32] ^= 1;
    let log = Log::open(&archive, Some(&key)).await?;
    let old = log.older(&head(300, merkle::root_of(&all[..300])))?;
    assert!(matches!(log.consistency(&old).await, Err(Error::TreeDiffers)));
    Ok(())
}

#[tokio::test]
async fn a_head_of_another_log_or_key_is_refused() -> Result<(), Error> {
    let (archive, key) = (usual(), key());
    let log = Log::open(&archive, Some(&key)).await?;
    let theirs = signer(2);
    let head = Checkpoint { origin: theirs.verifier().name().to_owned(), size: 1, root: leaves(1)[0] };
    for note in [head.sign(&theirs), head.sign(&signer(1)).replace("\n1\n", "\n2\n"), String::new()] {
        assert!(matches!(log.older(&note), Err(Error::OldHead(_))), "{note}");
    }
    let elsewhere = Checkpoint { origin: "domicile/eu/elsewhere".into(), ..head };
    assert!(matches!(log.older(&elsewhere.sign(&signer(1))), Err(Error::OldHead(_))));
    Ok(())
}
