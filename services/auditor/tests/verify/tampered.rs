//! Archives that were touched: each kind of object, each kind of touch.

use archive::{layout, segment};
use auditor::{NotChecked, Options, Wrong};
use jiff::{Timestamp, ToSpan};
use schemas::{Hash, Position, Recorded, Sealed};

use crate::made::{Made, archive_of, archive_sealed, event, events, pinned, signer, tenant_id, usual};

const SECOND: &str = "events/000000000301-000000000512.seg.zst";
const THIRD: &str = "events/000000000513-000000000600.seg.zst";

/// The first finding, and the first wrong position.
async fn found(archive: &Made) -> (Option<i64>, Vec<(String, Wrong)>) {
    let report = archive.report().await;
    let findings = report.findings.iter().map(|finding| (finding.object.clone(), finding.what.clone())).collect();
    (report.first_wrong().map(Position::get), findings)
}

/// Writes a segment anew, with other events, and nothing else.
fn rewrite(archive: &mut Made, key: &str, change: impl FnOnce(&mut Vec<Recorded>)) {
    let (header, mut events) = segment::read(archive.at(key)).expect("reads");
    change(&mut events);
    // Positions in a segment follow from its header, so a rewritten one begins where it began.
    for (event, position) in events.iter_mut().zip(header.first.get()..) {
        event.position = Position::new(position);
    }
    *archive.at(key) = segment::write(tenant_id(), &events);
}

#[tokio::test]
async fn every_flipped_bit_of_every_object_is_found() {
    let whole = archive_of(&events(1..=270), &[100, 260, 270], &signer(1));
    for key in whole.0.keys() {
        let length = whole.0[key].len();
        // The first, the last and some between: every bit of every object takes too long for a test.
        for place in [0, length / 3, length / 2, length - 2, length - 1] {
            let mut archive = whole.clone();
            archive.at(key)[place] ^= 4;
            let report = archive.report().await;
            assert!(!report.is_clean(), "{key} at byte {place} of {length}");
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_a_payload_is_found_at_its_position() {
    for position in [301, 302, 400, 512] {
        let mut archive = usual();
        rewrite(&mut archive, SECOND, |events| events[position - 301].sealed.payload[3] ^= 1);
        assert_eq!(found(&archive).await, (Some(position as i64), vec![(SECOND.into(), Wrong::HashDiffers)]));
    }
}

#[tokio::test]
async fn a_flipped_bit_in_an_envelope_is_found_at_its_position() {
    let mut archive = usual();
    rewrite(&mut archive, SECOND, |events| events[10].sealed.envelope.schema_version = 2);
    assert_eq!(found(&archive).await, (Some(311), vec![(SECOND.into(), Wrong::HashDiffers)]));
}

#[tokio::test]
async fn a_flipped_bit_in_a_tile_is_found_at_its_position() {
    for (key, byte, position) in [
        ("log/tile/0/000", 32 * 7, 8),
        ("log/tile/0/002.p/188", 32 * 100 + 31, 613),
        ("log/tile/0/001.p/44", 32 * 43, 300),
        ("log/tile/1/000.p/2", 32, 257),
    ] {
        let mut archive = usual();
        archive.at(key)[byte] ^= 1;
        assert_eq!(found(&archive).await, (Some(position), vec![(key.into(), Wrong::TreeDiffers)]));
    }
}

#[tokio::test]
async fn a_changed_entry_in_a_bundle_is_found_at_its_position() {
    let mut archive = usual();
    let bundle = archive.at("log/tile/entries/001");
    let entry = archive::tile::bundle::entries(bundle).nth(20).expect("there").expect("whole").to_vec();
    let place = bundle.windows(entry.len()).position(|window| window == entry).expect("there") + 50;
    bundle[place] ^= 1;
    assert_eq!(found(&archive).await, (Some(277), vec![("log/tile/entries/001".into(), Wrong::TreeDiffers)]));
}

#[tokio::test]
async fn a_changed_file_is_found_at_the_event_that_brought_it() {
    let mut archive = usual();
    let blob = event(350).sealed.envelope.blob.expect("every 50th has a file");
    archive.at(&layout::attachment(blob))[0] ^= 1;
    assert_eq!(found(&archive).await, (Some(350), vec![(layout::attachment(blob), Wrong::HashDiffers)]));
    archive.0.remove(&layout::attachment(blob));
    assert_eq!(found(&archive).await, (Some(350), vec![(layout::attachment(blob), Wrong::Missing)]));
}

#[tokio::test]
async fn changed_audit_lines_are_found() {
    let key = "audit/2026-11-20/000000000301-000000000400.jsonl.zst";
    let mut archive = usual();
    let (text, _) = segment::decompress(archive.at(key));
    let text = String::from_utf8(text).expect("JSON").replace("person-7", "person-8");
    *archive.at(key) = segment::compress(text.as_bytes());
    assert_eq!(
        found(&archive).await,
        (Some(301), vec![(key.into(), Wrong::HashDiffers), (key.into(), Wrong::AuditDiffers)])
    );
}

#[tokio::test]
async fn every_removed_object_is_found() {
    let whole = usual();
    for key in whole.0.keys() {
        // A partial object may go once the full one is there.
        let may_go = key.contains("/001.p/") || key.contains("/002.p/88") || key.contains("/1/000.p/1");
        let mut archive = whole.clone();
        archive.0.remove(key);
        assert_eq!(archive.report().await.is_clean(), may_go, "{key}");
    }
}

#[tokio::test]
async fn a_removed_segment_is_found_at_its_first_position_and_nothing_else_is() {
    let mut archive = usual();
    archive.0.remove(SECOND);
    assert_eq!(found(&archive).await, (Some(301), vec![(SECOND.into(), Wrong::Missing)]));
}

#[tokio::test]
async fn a_removed_manifest_is_found_at_its_first_position_and_nothing_else_is() {
    let mut archive = usual();
    archive.0.remove("manifest/00000002.json");
    assert_eq!(found(&archive).await, (Some(301), vec![("manifest/00000002.json".into(), Wrong::Missing)]));
}

#[tokio::test]
async fn a_removed_event_is_found_at_its_position() {
    let mut archive = usual();
    rewrite(&mut archive, SECOND, |events| drop(events.remove(99)));
    assert_eq!(found(&archive).await, (Some(400), vec![(SECOND.into(), Wrong::HashDiffers)]));
}

#[tokio::test]
async fn an_inserted_event_is_found_at_its_position() {
    let mut archive = usual();
    rewrite(&mut archive, SECOND, |events| events.insert(99, event(7)));
    assert_eq!(found(&archive).await, (Some(400), vec![(SECOND.into(), Wrong::HashDiffers)]));
}

#[tokio::test]
async fn two_swapped_events_are_found_at_the_first() {
    let mut archive = usual();
    rewrite(&mut archive, SECOND, |events| events.swap(10, 20));
    assert_eq!(found(&archive).await, (Some(311), vec![(SECOND.into(), Wrong::HashDiffers)]));
}

#[tokio::test]
async fn two_swapped_segments_are_found_at_the_first() {
    let mut archive = usual();
    let second = archive.0[SECOND].clone();
    *archive.at(SECOND) = archive.0[THIRD].clone();
    *archive.at(THIRD) = second;
    let (position, findings) = found(&archive).await;
    assert_eq!(position, Some(301));
    assert_eq!(findings, [(SECOND.into(), Wrong::HashDiffers), (THIRD.into(), Wrong::HashDiffers)]);
}

#[tokio::test]
async fn two_swapped_manifests_are_found_at_the_first() {
    let mut archive = usual();
    let second = archive.0["manifest/00000002.json"].clone();
    *archive.at("manifest/00000002.json") = archive.0["manifest/00000003.json"].clone();
    *archive.at("manifest/00000003.json") = second;
    let (position, findings) = found(&archive).await;
    assert_eq!((position, findings[0].1.clone()), (Some(301), Wrong::Belongs("generation")));
}

#[tokio::test]
async fn inserted_objects_are_found() {
    for (key, position) in [
        ("events/000000000100-000000000200.seg.zst", Some(100)),
        ("audit/2026-11-22/000000000100-000000000200.jsonl.zst", Some(100)),
        ("manifest/2.json", None),
        ("log/tile/0/000.p/256", None),
        ("log/tile/2/000.p/1", None),
        ("events/readme.txt", None),
        ("more/things", None),
    ] {
        let mut archive = usual();
        archive.0.insert(key.into(), vec![1, 2, 3]);
        let is_tile_beyond = key.contains("/2/");
        assert_eq!(archive.report().await.is_clean(), is_tile_beyond, "{key}");
        if !is_tile_beyond {
            assert_eq!(found(&archive).await, (position, vec![(key.into(), Wrong::Extra)]));
        }
    }
}

#[tokio::test]
async fn a_truncated_segment_is_found_where_it_ends() {
    let mut archive = usual();
    rewrite(&mut archive, SECOND, |events| events.truncate(50));
    assert_eq!(found(&archive).await, (Some(351), vec![(SECOND.into(), Wrong::HashDiffers)]));
    let mut archive = usual();
    let length = archive.at(SECOND).len();
    archive.at(SECOND).truncate(length / 2);
    let (position, findings) = found(&archive).await;
    assert!(position.is_some_and(|position| (301..=512).contains(&position)), "{position:?}");
    assert_eq!(findings, [(SECOND.into(), Wrong::HashDiffers)]);
}

#[tokio::test]
async fn steps_by_hand_that_nobody_published_are_found() {
    let mut archive = usual();
    archive.at(layout::GUIDE).extend_from_slice(b"and send us the result\n");
    assert_eq!(found(&archive).await, (None, vec![(layout::GUIDE.into(), Wrong::GuideDiffers)]));
    archive.0.remove(layout::GUIDE);
    assert_eq!(found(&archive).await, (None, vec![(layout::GUIDE.into(), Wrong::Missing)]));
}

#[tokio::test]
async fn an_archive_that_lost_its_end_is_found_by_its_checkpoint() {
    let mut archive = usual();
    archive.0.remove("manifest/00000004.json");
    archive.0.retain(|key, _| !key.contains("-000000000700."));
    assert_eq!(found(&archive).await, (Some(601), vec![(layout::CHECKPOINT.into(), Wrong::CheckpointAhead)]));
}

#[tokio::test]
async fn an_archive_rolled_back_with_its_checkpoint_is_found_by_a_known_size() {
    let rolled_back = archive_of(&events(1..=600), &[300, 512, 600], &signer(1));
    assert!(rolled_back.report().await.is_clean(), "it is whole, only older");
    assert!(rolled_back.verify(Options { at_least: 600, ..pinned(1) }).await.is_clean());
    let report = rolled_back.verify(Options { at_least: 700, ..pinned(1) }).await;
    assert_eq!(report.findings.len(), 1);
    assert_eq!((report.first_wrong(), &report.findings[0].what), (Some(Position::new(601)), &Wrong::Truncated));
    let report = Made::default().verify(Options { at_least: 1, ..pinned(1) }).await;
    assert_eq!(report.first_wrong(), Some(Position::new(1)));
}

#[tokio::test]
async fn another_tenants_archive_is_found() {
    let report = usual().verify(Options { tenant_id: Some(tenant_id()), ..pinned(1) }).await;
    assert!(report.is_clean());
    let other = "018f0000-0000-7000-8000-000000000002".parse().expect("an id");
    let region = archive::Verifier::new("domicile/eu", *signer(1).verifier().public_key());
    let options = Options { verifier: Some(region), tenant_id: Some(other), ..Options::default() };
    let report = usual().verify(options).await;
    assert_eq!(report.findings.iter().map(|finding| &finding.what).collect::<Vec<_>>(), [&Wrong::Belongs("tenant")]);
}

#[tokio::test]
async fn an_old_checkpoint_put_back_is_found() {
    let shorter = archive_of(&events(1..=600), &[300, 512, 600], &signer(1));
    let mut archive = usual();
    *archive.at(layout::CHECKPOINT) = shorter.0[layout::CHECKPOINT].clone();
    assert_eq!(found(&archive).await, (None, vec![(layout::CHECKPOINT.into(), Wrong::CheckpointBehind)]));
}

#[tokio::test]
async fn a_manifest_that_is_older_than_the_one_before_it_is_found_and_one_of_the_same_moment_is_not() {
    let sealed = |hours: [i64; 4]| {
        let sealed_at = |number: i64| Timestamp::UNIX_EPOCH + hours[number as usize].hours();
        archive_sealed(&events(1..=700), (&[300, 512, 600, 700], sealed_at), &signer(1))
    };
    assert!(sealed([1, 1, 1, 2]).report().await.is_clean());
    let older = |key: &str| (key.to_owned(), Wrong::OlderThanPrevious);
    let (second, third) = (older("manifest/00000002.json"), older("manifest/00000003.json"));
    assert_eq!(
        found(&sealed([2, 1, 1, 3])).await,
        (Some(301), vec![second.clone()]),
        "only that which is older itself"
    );
    assert_eq!(found(&sealed([3, 2, 1, 4])).await, (Some(301), vec![second, third.clone()]));
    // Held against the last one that can be trusted.
    let mut archive = sealed([3, 9, 2, 4]);
    archive.0.remove("manifest/00000002.json");
    let missing = ("manifest/00000002.json".to_owned(), Wrong::Missing);
    assert_eq!(found(&archive).await, (Some(301), vec![missing, third]));
}

#[tokio::test]
async fn one_manifest_signed_by_another_key_is_found_with_and_without_the_key() {
    let theirs = archive_of(&events(1..=700), &[300, 512, 600, 700], &signer(2));
    for options in [pinned(1), Options::default()] {
        let mut archive = usual();
        *archive.at("manifest/00000003.json") = theirs.0["manifest/00000003.json"].clone();
        let report = archive.verify(options).await;
        assert_eq!(report.first_wrong(), Some(Position::new(513)));
        assert!(matches!(report.findings[0].what, Wrong::Signature(_)), "{:?}", report.findings);
    }
}

#[tokio::test]
async fn an_archive_that_was_signed_anew_by_another_key_is_found_with_the_key_only() {
    let mut history = events(1..=700);
    history[399].sealed.payload[0] ^= 1;
    history[399].sealed = Sealed::new(history[399].sealed.envelope.clone(), history[399].sealed.payload.clone());
    let archive = archive_of(&history, &[300, 512, 600, 700], &signer(2));
    let report = archive.report().await;
    assert_eq!(report.first_wrong(), Some(Position::new(1)), "not one position is signed by the key");
    let report = archive.verify(Options::default()).await;
    assert!(report.is_clean() && !report.is_key_pinned, "nobody can tell without the key, and the report says so");
}

#[tokio::test]
async fn a_history_rewritten_with_the_right_key_is_found_by_the_tiles_left_behind() {
    let mut history = events(1..=700);
    history[399].sealed = Sealed::new(history[399].sealed.envelope.clone(), b"another payload".to_vec());
    let rewritten = archive_of(&history, &[300, 512, 600, 700], &signer(1));
    let mut archive = usual();
    for (key, bytes) in &rewritten.0 {
        if !key.starts_with(layout::TILES) {
            archive.0.insert(key.clone(), bytes.clone());
        }
    }
    let (position, findings) = found(&archive).await;
    assert_eq!(position, Some(400));
    assert!(findings.iter().all(|(_, what)| *what == Wrong::TreeDiffers), "{findings:?}");
}

#[tokio::test]
async fn a_dishonest_writer_with_the_right_key_cannot_skip_a_version() {
    let with = |change: fn(&mut Vec<Recorded>)| {
        let mut history = events(1..=700);
        change(&mut history);
        for event in &mut history {
            event.sealed = Sealed::new(event.sealed.envelope.clone(), event.sealed.payload.clone());
        }
        archive_of(&history, &[300, 700], &signer(1))
    };
    let skipped = with(|history| history[400].sealed.envelope.version = schemas::Version::new(9));
    assert_eq!(found(&skipped).await.0, Some(401));
    assert_eq!(found(&skipped).await.1[0].1, Wrong::StreamVersion);
}

#[tokio::test]
async fn damage_in_two_places_is_found_in_both() {
    let mut archive = usual();
    rewrite(&mut archive, SECOND, |events| events[5].sealed.payload[0] ^= 1);
    rewrite(&mut archive, THIRD, |events| events[5].sealed.payload[0] ^= 1);
    archive.at("log/tile/entries/002.p/188")[100] ^= 1;
    let report = archive.report().await;
    let positions: Vec<_> = report.findings.iter().filter_map(|finding| finding.position).map(Position::get).collect();
    assert_eq!(positions, [306, 513, 518]);
}

#[tokio::test]
async fn a_segment_and_its_tile_both_lost_are_found_and_end_what_can_be_said() {
    let mut archive = usual();
    archive.0.remove(SECOND);
    archive.0.retain(|key, _| !key.starts_with("log/tile/0/001"));
    let report = archive.report().await;
    assert_eq!(report.first_wrong(), Some(Position::new(301)));
    assert!(report.root.is_none() && report.not_checked.contains(&NotChecked::Tree));
}

#[tokio::test]
async fn a_segment_packed_again_is_not_the_object_that_was_signed() {
    let mut archive = usual();
    let (body, _) = segment::decompress(archive.at(SECOND));
    let mut packed = segment::compress(&body);
    packed.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    assert_ne!(Hash::of(&[&packed]), Hash::of(&[&archive.0[SECOND]]));
    *archive.at(SECOND) = packed;
    assert_eq!(found(&archive).await, (None, vec![(SECOND.into(), Wrong::HashDiffers)]));
}
