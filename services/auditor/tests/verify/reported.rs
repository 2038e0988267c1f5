//! What a report says: first what was not checked, then what was found.

use std::time::Duration;

use archive::{BackupManifest, Checkpoint, Signer, backup::FORMAT, backup::TenantBackup, layout, merkle};
use auditor::{
    NotChecked, Options, Report, Wrong,
    report::{About, page, words},
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jiff::Timestamp;
use schemas::{Hash, TenantId};

use crate::made::{Made, events, pinned, signer, signer_named, tenant_id, usual};
use crate::witnessed::cosigned;

fn root_at(size: i64) -> Hash {
    merkle::root_of(&events(1..=size).iter().map(|event| event.sealed.leaf).collect::<Vec<_>>())
}

/// A checkpoint of the usual log, as it was kept.
fn older(size: u64, root: Hash, seed: u8) -> Option<String> {
    let head = Checkpoint { origin: format!("domicile/eu/{}", tenant_id()), size, root };
    Some(head.sign(&signer(seed)))
}

fn backup(tenant_id: TenantId, root: Hash) -> Option<Vec<u8>> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("a seed has 32 bytes");
    let public_key = pair.public_key().as_ref().try_into().expect("a key has 32 bytes");
    let signer = Signer::new("domicile/eu", public_key, move |message| {
        pair.sign(message).as_ref().try_into().expect("64 bytes")
    });
    let tenant = TenantBackup { tenant_id, size: 600, root, generation: 3, manifest_sha256: None, reason: None };
    let manifest = BackupManifest {
        format: FORMAT,
        backup_id: "b-1".into(),
        region: "eu".parse().expect("an id"),
        cut_at: Timestamp::UNIX_EPOCH,
        completed_at: Timestamp::UNIX_EPOCH,
        tenants: vec![tenant],
        verifier: signer.verifier().to_string(),
    };
    Some(manifest.sign(&signer))
}

/// What a report finds wrong, by object.
fn wrong(report: &Report) -> Vec<(&str, &Wrong)> {
    report.findings.iter().map(|finding| (finding.object.as_str(), &finding.what)).collect()
}

#[tokio::test]
async fn what_was_compared_is_not_among_what_was_not() {
    let options =
        Options { older: older(450, root_at(450), 1), backup: backup(tenant_id(), root_at(600)), ..pinned(1) };
    let witnesses = vec![signer_named("domicile/us", 9).verifier().clone()];
    let report = cosigned(700, root_at(700)).verify(Options { witnesses, ..options }).await;
    assert_eq!((wrong(&report), report.not_checked.as_slice()), (vec![], [NotChecked::Payloads].as_slice()));
}

#[tokio::test]
async fn every_form_says_which_older_head_and_which_backup_it_was_held_against() {
    let (kept, backed_up) = (root_at(450), root_at(600));
    let options = Options { older: older(450, kept, 1), backup: backup(tenant_id(), backed_up), ..pinned(1) };
    let report = usual().verify(options).await;
    let json = serde_json::to_string(&report).expect("JSON");
    for text in [words(&report, "acme"), page(&report, &about())] {
        for held in [
            format!("the older checkpoint of 450 events with the root {kept}"),
            format!("the manifest of backup b-1 of 1970-01-01T00:00:00Z of 600 events with the root {backed_up}"),
        ] {
            assert!(text.contains(&held), "{held} in {text}");
        }
    }
    assert!(json.contains(&format!(r#""size":450,"root":"{kept}""#)) && json.contains("backup b-1"), "{json}");
    // What cannot be trusted was not compared with anything.
    let report = usual().verify(Options { older: older(450, kept, 2), ..pinned(1) }).await;
    assert!(report.held_against.is_empty() && words(&report, "acme").contains("nothing that was kept"), "{report:?}");
}

#[tokio::test]
async fn a_fork_of_what_was_kept_is_found() {
    let forked = Options { older: older(450, root_at(449), 1), ..pinned(1) };
    let report = usual().verify(forked).await;
    assert_eq!(wrong(&report), [("the older checkpoint", &Wrong::RootDiffers)]);
    let cut = Options { older: older(900, root_at(450), 1), ..pinned(1) };
    assert_eq!(wrong(&usual().verify(cut).await), [(layout::MANIFESTS, &Wrong::Truncated)]);
    let backed_up = Options { backup: backup(tenant_id(), root_at(450)), ..pinned(1) };
    assert_eq!(wrong(&usual().verify(backed_up).await), [("the backup's manifest", &Wrong::RootDiffers)]);
}

#[tokio::test]
async fn what_a_stranger_signed_or_another_tenant_had_compares_nothing() {
    let stranger = Options { older: older(450, root_at(450), 2), ..pinned(1) };
    let report = usual().verify(stranger).await;
    assert!(matches!(wrong(&report)[..], [("the older checkpoint", Wrong::Signature(_))]), "{:?}", report.findings);
    let elsewhere: TenantId = "018f0000-0000-7000-8000-000000000002".parse().expect("an id");
    let other = Options { backup: backup(elsewhere, root_at(600)), ..pinned(1) };
    assert_eq!(wrong(&usual().verify(other).await), [("the backup's manifest", &Wrong::Belongs("tenant"))]);
}

#[tokio::test]
async fn attachments_that_are_not_read_are_said_to_be_unread_and_still_have_to_be_there() {
    let skipping = || Options { reads_attachments: false, ..pinned(1) };
    let mut archive = usual();
    let file = archive.0.keys().find(|key| key.starts_with(layout::ATTACHMENTS)).cloned().expect("a file");
    *archive.at(&file) = b"other bytes".to_vec();
    let report = archive.verify(skipping()).await;
    assert!(report.is_clean() && report.not_checked.contains(&NotChecked::Attachments(14)), "{:?}", report.not_checked);
    assert!(!archive.report().await.is_clean(), "the twin that reads them");
    archive.0.remove(&file);
    assert_eq!(wrong(&archive.verify(skipping()).await), [(file.as_str(), &Wrong::Missing)]);
}

#[tokio::test]
async fn progress_knows_the_end_from_the_beginning() {
    let mut seen = Vec::new();
    auditor::verify(&usual(), &pinned(1), &mut |at| seen.push((at.events, at.events_total))).await.expect("reads");
    assert_eq!(seen, [(300, 700), (512, 700), (600, 700), (700, 700)]);
}

fn about() -> About {
    About {
        what: "eu/<acme> & co".into(),
        done_at: "2026-11-22T10:00:00.5Z".parse().expect("a time"),
        took: Duration::from_millis(40),
        program: "domicile 0.1.0",
    }
}

#[tokio::test]
async fn the_head_of_every_form_is_what_was_not_checked() {
    let mut archive = usual();
    archive.0.insert("events/<script>alert(1)</script>".into(), b"x".to_vec());
    let report = archive.verify(Options::default()).await;
    let json = serde_json::to_string(&report).expect("JSON");
    let texts = [(words(&report, "acme"), "WRONG"), (page(&report, &about()), ">Wrong<"), (json, "\"findings\"")];
    for (text, found) in texts {
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} in {text}"));
        assert!(place("no key was given") < place(found), "{text}");
        assert!(
            place("they stayed sealed") < place(found) && place(found) < place("not named by any manifest"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_page_is_one_file_that_asks_for_nothing_and_runs_nothing() {
    let mut archive = usual();
    archive.0.insert("events/<script>alert(1)</script>".into(), b"x".to_vec());
    for report in [archive.report().await, usual().report().await, Made::default().report().await] {
        let page = page(&report, &about());
        for foreign in ["<script", "http:", "https:", "url(", "@import", "src=", " onload", " onclick"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.contains("eu/&#60;acme&#62; &#38; co") || page.contains("eu/&lt;acme&gt; &amp; co"), "{page}");
        assert!(page.contains("color-scheme: light") && page.contains("size: A4"));
    }
}

#[tokio::test]
async fn where_nothing_could_be_read_nothing_was_checked() {
    let report = Made::default().report().await;
    assert_eq!(report.not_checked[..2], [NotChecked::Everything, NotChecked::Key]);
}
