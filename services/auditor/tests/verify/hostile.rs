//! Archives that somebody signed with a key of his own, to make the auditor fail.

use archive::Manifest;
use auditor::{Options, Wrong};
use futures::FutureExt;
use proptest::prelude::*;
use schemas::{Position, Sealed};

use crate::made::{Made, archive_of, events, signer};

const FIRST: &str = "manifest/00000001.json";

/// A small archive whose first manifest says something else, signed.
fn claiming(change: impl FnOnce(&mut Manifest)) -> Made {
    let signer = signer(1);
    let mut archive = archive_of(&events(1..=6), &[4, 6], &signer);
    let mut manifest = Manifest::claimed(archive.at(FIRST)).expect("a manifest");
    change(&mut manifest);
    *archive.at(FIRST) = manifest.sign(&signer);
    archive
}

/// Numbers near what a manifest may hold, and anything else.
fn number() -> impl Strategy<Value = u64> {
    let edges = [0, 1, 2, 4, 6, 1 << 53, (1 << 53) + 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX];
    prop_oneof![any::<u64>(), prop::sample::select(edges.to_vec())]
}

proptest! {
    #[test]
    fn no_number_in_a_manifest_makes_the_auditor_panic(numbers in prop::array::uniform10(number())) {
        let position = |place: usize| Position::new(numbers[place] as i64);
        let archive = claiming(|manifest| {
            let segment = &mut manifest.segments[0];
            (segment.first, segment.last, segment.count) = (position(0), position(1), numbers[2]);
            segment.size_bytes = numbers[3];
            let second = segment.clone();
            manifest.segments.push(second);
            let part = &mut manifest.audit[0];
            (part.first, part.last, part.lines) = (position(4), position(5), numbers[6]);
            manifest.size = numbers[7];
            manifest.generation = if numbers[8] % 2 == 0 { 1 } else { numbers[8] };
        });
        let options = Options { at_least: numbers[9], threads: 2, ..Options::default() };
        let report = archive.verify(options).now_or_never().expect("memory is always ready");
        prop_assert!(!report.is_clean());
    }
}

#[tokio::test]
async fn numbers_that_do_not_fit_each_other_are_not_read() {
    type Change = fn(&mut Manifest);
    let changes: [Change; 6] = [
        |manifest| manifest.segments[0].first = Position::new(0),
        |manifest| manifest.segments[0].last = Position::new(i64::MAX),
        |manifest| manifest.segments[0].count = u64::MAX,
        |manifest| manifest.segments[0].count = 3,
        |manifest| manifest.size = (1 << 53) + 1,
        |manifest| manifest.audit[0].first = Position::new(i64::MIN),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let report = claiming(change).report().await;
        let first = report.findings.iter().find(|finding| finding.object == FIRST).expect("the manifest is wrong");
        assert!(matches!(first.what, Wrong::Unreadable(_)), "{number}: {first}");
    }
}

#[tokio::test]
async fn a_version_that_has_no_next_one_is_no_end_of_the_auditor() {
    let mut history = events(1..=6);
    history[0].sealed.envelope.version = schemas::Version::new(i64::MAX);
    let sealed = &history[0].sealed;
    history[0].sealed = Sealed::new(sealed.envelope.clone(), sealed.payload.clone());
    let report = archive_of(&history, &[6], &signer(1)).report().await;
    assert!(report.findings.iter().all(|finding| finding.what == Wrong::StreamVersion), "{:?}", report.findings);
}

#[tokio::test]
async fn a_tile_beyond_every_tree_is_no_end_of_the_auditor() {
    let mut archive = archive_of(&events(1..=6), &[6], &signer(1));
    archive.0.insert("log/tile/63/x018/x446/x744/x073/x709/x551/615".into(), vec![]);
    assert!(archive.report().await.is_clean(), "a step that was not published");
}
