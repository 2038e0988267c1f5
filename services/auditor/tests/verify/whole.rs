//! Archives that are whole.

use std::{fs, process::Command, sync::atomic::AtomicUsize};

use archive::{Object, layout, merkle, merkle::proof::Tree};
use auditor::{Folder, NotChecked, Options, Wrong};

use crate::made::{Growing, Made, Publishing, archive_of, events, pinned, signer, usual};

#[tokio::test]
async fn a_whole_archive_passes() {
    let report = usual().report().await;
    assert_eq!(report.findings, []);
    assert_eq!((report.generations, report.size, report.attachments), (4, 700, 14));
    let leaves: Vec<_> = events(1..=700).iter().map(|event| event.sealed.leaf).collect();
    assert_eq!(report.root, Some(merkle::root_of(&leaves)));
    assert_eq!(
        (report.is_key_pinned, report.not_checked),
        (true, vec![NotChecked::Unwitnessed, NotChecked::Payloads, NotChecked::OlderHead, NotChecked::Backup])
    );
}

#[tokio::test]
async fn without_a_key_the_report_says_that_the_archives_own_was_used() {
    let report = usual().verify(Options::default()).await;
    assert!(report.is_clean() && !report.is_key_pinned);
    assert_eq!(report.verifier, Some(signer(1).verifier().to_string()));
    assert!(report.not_checked[0] == NotChecked::Key);
}

#[tokio::test]
async fn the_key_of_the_region_speaks_for_the_tenant() {
    let region = archive::Verifier::new("domicile/eu", *signer(1).verifier().public_key());
    assert!(usual().verify(Options { verifier: Some(region), ..Options::default() }).await.is_clean());
    let other = archive::Verifier::new("domicile/us", *signer(1).verifier().public_key());
    assert!(!usual().verify(Options { verifier: Some(other), ..Options::default() }).await.is_clean());
}

#[tokio::test]
async fn every_way_to_cut_the_same_history_passes() {
    let all = events(1..=530);
    for sizes in [&[1, 2, 3, 530][..], &[255, 256, 257, 530], &[530], &[256, 512, 530]] {
        assert_eq!(archive_of(&all, sizes, &signer(1)).report().await.findings, [], "{sizes:?}");
    }
}

#[tokio::test]
async fn a_known_tree_within_the_archive_is_compared() {
    let leaves: Vec<_> = events(1..=450).iter().map(|event| event.sealed.leaf).collect();
    let expect = |size, root| Options { expected: Some(Tree { size, root }), ..pinned(1) };
    assert!(usual().verify(expect(450, merkle::root_of(&leaves))).await.is_clean());
    let report = usual().verify(expect(450, leaves[0])).await;
    assert_eq!(report.findings[0].what, Wrong::RootDiffers);
    let report = usual().verify(expect(701, leaves[0])).await;
    assert_eq!(
        (report.findings[0].what.clone(), report.first_wrong().map(|at| at.get())),
        (Wrong::Truncated, Some(701))
    );
}

#[tokio::test]
async fn an_interrupted_step_is_no_damage() {
    let longer = archive_of(&events(1..=800), &[300, 512, 600, 700, 800], &signer(1));
    let mut interrupted = usual();
    for (key, bytes) in &longer.0 {
        let is_published = key == layout::CHECKPOINT || key.starts_with(layout::MANIFESTS);
        if !is_published {
            interrupted.0.entry(key.clone()).or_insert_with(|| bytes.clone());
        }
    }
    let report = interrupted.report().await;
    assert_eq!(report.findings, []);
    assert!(report.not_checked.iter().any(|met| matches!(met, NotChecked::Unpublished(_))), "{:?}", report.not_checked);
}

#[tokio::test]
async fn an_archive_that_grows_while_it_is_verified_is_not_taken_for_a_wrong_one() {
    let shorter = archive_of(&events(1..=600), &[300, 512, 600], &signer(1));
    let growing = Growing { before: shorter, after: usual(), reads: AtomicUsize::new(0) };
    let report = auditor::verify(&growing, &pinned(1), &mut |_| ()).await.expect("memory can be read");
    assert_eq!((report.findings.as_slice(), report.size), ([].as_slice(), 700));
}

#[tokio::test]
async fn an_archive_that_begins_while_it_is_verified_is_not_taken_for_a_wrong_one() {
    let growing = Growing { before: Made::default(), after: usual(), reads: AtomicUsize::new(0) };
    let report = auditor::verify(&growing, &pinned(1), &mut |_| ()).await.expect("memory can be read");
    assert_eq!((report.findings.as_slice(), report.size), ([].as_slice(), 700));
}

#[tokio::test]
async fn a_region_that_cosigns_for_the_first_time_meanwhile_leaves_no_stranger() {
    let verified = async |key: &str| {
        let mut after = usual();
        after.put(Object { key: key.to_owned(), bytes: b"a cosignature".to_vec() });
        let growing = Growing { before: usual(), after, reads: AtomicUsize::new(0) };
        auditor::verify(&growing, &pinned(1), &mut |_| ()).await.expect("memory can be read").findings
    };
    assert_eq!(verified("witness/us").await, []);
    assert_eq!(verified("witness/us/more").await[0].what, Wrong::Extra);
}

#[tokio::test]
async fn a_checkpoint_whose_manifest_is_being_written_is_not_taken_for_a_wrong_one() {
    let manifest = "manifest/00000004.json";
    let publishing = Publishing { archive: usual(), manifest, asked: AtomicUsize::new(0) };
    let report = auditor::verify(&publishing, &pinned(1), &mut |_| ()).await.expect("memory can be read");
    assert_eq!((report.findings.as_slice(), report.size), ([].as_slice(), 600));
    // A manifest that comes and does not hold what the checkpoint says explains nothing.
    let mut archive = usual();
    *archive.at(manifest) = archive.0["manifest/00000003.json"].clone();
    let publishing = Publishing { archive, manifest, asked: AtomicUsize::new(0) };
    let report = auditor::verify(&publishing, &pinned(1), &mut |_| ()).await.expect("memory can be read");
    assert_eq!(report.findings[0].what, Wrong::CheckpointAhead);
}

#[tokio::test]
async fn partial_tiles_may_go_once_the_full_ones_are_there() {
    let mut archive = usual();
    archive.0.retain(|key, _| !key.contains("/001.p/"));
    assert_eq!(archive.report().await.findings, []);
}

#[tokio::test]
async fn nothing_at_all_is_no_archive() {
    let report = Made::default().report().await;
    assert_eq!(report.findings[0].what, Wrong::NoArchive);
}

#[tokio::test]
async fn a_copied_folder_passes_also_by_hand_with_the_program_in_it() {
    let archive = archive_of(&events(1..=700), &[300, 700], &signer(1));
    let folder = tempfile::tempdir().expect("a folder");
    for (key, bytes) in &archive.0 {
        let path = folder.path().join(key);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    let report = auditor::verify(&Folder::new(folder.path()), &pinned(1), &mut |_| ()).await.expect("reads");
    assert_eq!(report.findings, []);

    let by_hand = |archive: &std::path::Path| {
        let script = "sed -n '/^#begin/,/^#end/p' VERIFY.txt > verify.py && python3 verify.py \"$1\"";
        let verifier = signer(1).verifier().to_string();
        Command::new("sh")
            .args(["-c", script, "sh", &verifier])
            .current_dir(archive)
            .output()
            .expect("sh is everywhere")
    };
    let tools = ["python3", "zstd", "openssl"];
    let missing: Vec<_> =
        tools.into_iter().filter(|tool| Command::new(tool).arg("--version").output().is_err()).collect();
    if !missing.is_empty() {
        testkit::skipped(
            "a_copied_folder_passes_also_by_hand_with_the_program_in_it",
            &format!("needs {}", missing.join(", ")),
        );
        return;
    }
    let done = by_hand(folder.path());
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(said.starts_with(&format!("ok: 700 events, root {}", report.root.expect("a root"))), "{said}");

    let segment = folder.path().join("events/000000000301-000000000700.seg.zst");
    let mut bytes = fs::read(&segment).expect("reads");
    bytes[1000] ^= 1;
    fs::write(&segment, bytes).expect("writes");
    let done = by_hand(folder.path());
    assert!(String::from_utf8_lossy(&done.stdout).starts_with("WRONG: events/000000000301"), "{done:?}");
}
