//! What other regions have cosigned, and what they have refused.

use archive::{Checkpoint, Object, cosignature, layout};
use auditor::{NotChecked, Options, Wrong, report::words};
use jiff::Timestamp;
use schemas::Hash;

use crate::made::{Made, events, pinned, signer, signer_named, tenant_id, usual};

const AT: &str = "2026-11-22T10:00:00Z";

fn head(size: u64, root: Hash, seed: u8) -> String {
    Checkpoint { origin: format!("domicile/eu/{}", tenant_id()), size, root }.sign(&signer(seed))
}

/// The usual archive with a tree head that `us` has cosigned.
pub(crate) fn cosigned(size: u64, root: Hash) -> Made {
    let note = head(size, root, 1);
    let at: Timestamp = AT.parse().expect("a time");
    let line = cosignature::line(&note, &signer_named("domicile/us", 9), at).expect("a note");
    let mut made = usual();
    let key = layout::witness(&"us".parse().expect("an id"));
    made.put(Object { key, bytes: format!("{note}{line}\n").into_bytes() });
    made
}

fn root_at(size: i64) -> Hash {
    archive::merkle::root_of(&events(1..=size).iter().map(|event| event.sealed.leaf).collect::<Vec<_>>())
}

/// With the keys of two other regions.
fn witnessed() -> Options {
    let keys = ["domicile/us", "domicile/jp"].map(|name| signer_named(name, 9).verifier().clone());
    Options { witnesses: keys.to_vec(), ..pinned(1) }
}

#[tokio::test]
async fn a_report_says_since_when_a_region_has_not_witnessed_what_it_was_given_the_key_of() {
    let report = cosigned(600, root_at(600)).verify(witnessed()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    let since = NotChecked::NotWitnessed { by: "domicile/us".into(), last: Some((600, AT.parse().expect("a time"))) };
    let never = NotChecked::NotWitnessed { by: "domicile/jp".into(), last: None };
    assert!(report.not_checked.contains(&since) && report.not_checked.contains(&never), "{:?}", report.not_checked);
    let words = words(&report, "acme");
    assert!(words.contains("after position 600: not witnessed since 2026-11-22T10:00:00Z"), "{words}");
    assert!(words.contains("cosigned     domicile/us up to position 600 at 2026-11-22T10:00:00Z"), "{words}");
}

#[tokio::test]
async fn without_the_key_of_a_witness_its_word_is_a_claim() {
    let report = cosigned(600, root_at(600)).report().await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.witnesses[0].at, None);
    assert!(report.not_checked.contains(&NotChecked::Cosigner { by: "domicile/us".into(), size: 600 }));
}

#[tokio::test]
async fn a_history_that_is_not_the_one_that_was_cosigned_is_found() {
    for (size, root, position, wrong) in [
        (600, root_at(599), None, Wrong::Forked),
        (700, root_at(699), None, Wrong::Forked),
        (900, root_at(600), Some(701), Wrong::Truncated),
    ] {
        for options in [witnessed(), pinned(1)] {
            let report = cosigned(size, root).verify(options).await;
            let found = &report.findings[0];
            assert_eq!((found.position.map(|it| it.get()), found.object.as_str()), (position, "witness/us"));
            assert_eq!((&found.what, report.findings.len()), (&wrong, 1));
        }
    }
}

#[tokio::test]
async fn what_a_witness_refused_is_held_against_the_log_only_if_the_log_has_signed_it() {
    let refused = |note| Options { refused: vec![("a tree head that us refused".into(), note)], ..pinned(1) };
    let forked = usual().verify(refused(head(600, root_at(599), 1))).await;
    assert_eq!(forked.findings[0].what, Wrong::RootDiffers);
    assert_eq!(forked.findings[0].object, "a tree head that us refused");
    let its_own = usual().verify(refused(head(600, root_at(600), 1))).await;
    assert!(its_own.is_clean(), "it was shown with a wrong proof");
    let strangers = usual().verify(refused(head(600, root_at(599), 2))).await;
    assert!(strangers.is_clean() && strangers.notes[0].contains("not the log's"), "{:?}", strangers.notes);
}
