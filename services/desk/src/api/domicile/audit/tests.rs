use std::time::Duration;

use archive::{
    EventProof, Verifier,
    checkpoint::origin,
    tar::{self, BLOCK, Header},
};
use auditor::{Folder, Options, Report, bundle};
use regions::{BucketRole, DatabaseRole};
use replicator::{ReplicatorDeps, Witnesses, archive_tenant};
use schemas::{Entry, StreamName, TicketId};
use serde_json::{Value, json};
use tempfile::TempDir;
use vault::SigningKeyFolder;

use crate::{
    api::testing::{ADA, ALAN, Bench, GRACE},
    body::room::BUNDLES_MAX,
};

const WHOLE: &str = "/api/domicile/v1/audit/bundle";
const PROOF: &str = "/api/domicile/v1/audit/proof?event=";

/// A desk whose tenant has two tickets, one with a file, and an archive of them.
async fn archived() -> anyhow::Result<Bench> {
    let bench = Bench::start().await?;
    let file = bench.upload(ADA, "filename=smoke.txt", b"much of it").await.body["upload"]["token"].clone();
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes", "uploads": [file]}})).await;
    bench.ticket(ADA, json!({"subject": "Copier", "comment": {"body": "It hums"}})).await;
    let region = &bench.test.region;
    let replicator = ReplicatorDeps {
        region: region.region.clone(),
        pool: region.pool(DatabaseRole::Replicator).await?,
        vault: region.vault(DatabaseRole::Replicator).await?,
        bucket: region.bucket_as(BucketRole::Replicator).await?,
        signing: SigningKeyFolder::new(region.folder.path()),
        witnesses: Witnesses::default(),
        clock: region.clock.clone(),
        ids: region.ids.clone(),
        metrics: region.metrics.clone(),
        interval: Duration::from_millis(20),
    };
    archive_tenant(&replicator, &bench.acme, None).await?;
    Ok(bench)
}

/// The region's key, as an auditor has it.
fn key(bench: &Bench) -> Verifier {
    Verifier::new("domicile/eu", bench.test.region.signing_key.public_key())
}

/// What a bundle holds, in a folder.
async fn unpacked(bench: &Bench, path: &str) -> anyhow::Result<TempDir> {
    let answer = bench.get(GRACE, path).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/x-tar"), "{}", answer.body);
    let (folder, mut rest) = (tempfile::tempdir()?, &answer.bytes[..]);
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        let Header::File { path, size } = tar::read(block).expect("a header") else { break };
        let (content, after) = after.split_at(usize::try_from(size)?);
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().expect("it is below the folder"))?;
        std::fs::write(file, content)?;
        rest = &after[tar::padding(size).len()..];
    }
    assert_eq!(rest, tar::END, "it goes to its end");
    Ok(folder)
}

async fn verified(bench: &Bench, folder: &TempDir) -> anyhow::Result<Report> {
    let options = Options { verifier: Some(key(bench)), ..Options::default() };
    Ok(bundle::verify(&Folder::new(folder.path()), &options, &mut |_| {}).await?)
}

#[tokio::test]
async fn the_bundle_of_a_tenant_is_its_archive_and_verifies() -> anyhow::Result<()> {
    let bench = archived().await?;
    let folder = unpacked(&bench, WHOLE).await?;
    let report = verified(&bench, &folder).await?;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.tenant_id, Some(bench.acme.tenant_id()));
    assert_eq!(report.attachments, 1);
    std::fs::remove_file(folder.path().join("archive/manifest").join(first(&folder, "archive/manifest")?))?;
    assert!(!verified(&bench, &folder).await?.is_clean(), "a file is missing");
    Ok(())
}

/// A file in a folder of a bundle.
fn first(folder: &TempDir, below: &str) -> anyhow::Result<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.path().join(below))?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    names.sort();
    Ok(names.swap_remove(0))
}

#[tokio::test]
async fn the_bundle_of_a_ticket_is_its_events_and_its_files_and_verifies() -> anyhow::Result<()> {
    let bench = archived().await?;
    for (ticket, files) in [(1, 1), (2, 0)] {
        let folder = unpacked(&bench, &format!("/api/domicile/v1/tickets/{ticket}/bundle")).await?;
        let report = verified(&bench, &folder).await?;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(report.attachments, files, "files of ticket {ticket}");
        let streams = streams(&folder)?;
        let own = StreamName::Ticket(TicketId::new(ticket));
        assert_eq!(streams.iter().filter(|stream| **stream == own).count(), 2, "opened, and its comment: {streams:?}");
        let is_of_it = |stream: &StreamName| *stream == own || (files == 1 && matches!(stream, StreamName::Upload(_)));
        assert!(streams.iter().all(is_of_it), "{streams:?}");
        let payload = folder.path().join("events").join(first(&folder, "events")?);
        std::fs::write(payload, b"another payload")?;
        assert!(!verified(&bench, &folder).await?.is_clean(), "a payload was changed");
    }
    assert_eq!(bench.get(GRACE, "/api/domicile/v1/tickets/99/bundle").await.status, 404);
    Ok(())
}

/// Whose events the proofs of a bundle are about.
fn streams(folder: &TempDir) -> anyhow::Result<Vec<StreamName>> {
    let mut streams = Vec::new();
    for entry in std::fs::read_dir(folder.path().join("events"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "tlog-proof") {
            let proof = EventProof::parse(&std::fs::read_to_string(path)?)?;
            streams.push(serde_json::from_slice::<Entry>(&proof.entry)?.envelope.stream);
        }
    }
    Ok(streams)
}

#[tokio::test]
async fn a_proof_holds_under_the_regions_key() -> anyhow::Result<()> {
    let bench = archived().await?;
    let events = bench.get(GRACE, "/api/domicile/v1/events?limit=5").await.body;
    let event = &events["events"][4];
    let log =
        Verifier::new(origin(bench.acme.region(), bench.acme.tenant_id()), bench.test.region.signing_key.public_key());
    for name in [event["position"].to_string(), event["event_id"].as_str().expect("an id").to_owned()] {
        let answer = bench.get(GRACE, &format!("{PROOF}{name}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/plain; charset=utf-8"));
        let proof = EventProof::parse(std::str::from_utf8(&answer.bytes)?)?;
        proof.check(&log)?;
        assert_eq!(proof.index, 4);
        let entry: Entry = serde_json::from_slice(&proof.entry)?;
        assert_eq!(entry.envelope.event_id.to_string(), event["event_id"].as_str().expect("an id"));
    }
    for wrong in ["", "x", "0", "-1", "1000000", "018f0000-0000-7000-8000-000000000042"] {
        let answer = bench.get(GRACE, &format!("{PROOF}{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.body["detail"].as_str().is_some_and(|text| text.contains("event")), "{}", answer.body);
    }
    Ok(())
}

#[tokio::test]
async fn what_leaves_is_in_the_audit_log_and_what_is_refused_is_not() -> anyhow::Result<()> {
    let bench = archived().await?;
    for (path, status) in [(WHOLE, 200), ("/api/domicile/v1/tickets/1/bundle", 200)] {
        assert_eq!(bench.get(GRACE, path).await.status, status);
        for who in [ALAN, ADA] {
            assert_eq!(bench.get(who, path).await.status, 403);
        }
    }
    assert_eq!(bench.get(ALAN, &format!("{PROOF}1")).await.status, 403);
    bench.settle(&bench.acme).await?;
    let log = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=history&sort_order=asc").await.body;
    let told =
        |entry: &Value| json!([entry["action"], entry["actor_id"], entry["source_id"], entry["change_description"]]);
    let told: Vec<_> = log["audit_logs"].as_array().expect("entries").iter().map(told).collect();
    let expected = [
        json!(["exported", GRACE.id, 0, "contents set to everything"]),
        json!(["exported", GRACE.id, 1, "contents set to ticket 1"]),
    ];
    assert_eq!(told, expected);
    Ok(())
}

#[tokio::test]
async fn what_is_not_archived_yet_is_said_to_come() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    for path in [WHOLE, "/api/domicile/v1/tickets/1/bundle", &format!("{PROOF}1")] {
        let answer = bench.get(GRACE, path).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{path}: {}", answer.body);
    }
    Ok(())
}

#[tokio::test]
async fn only_so_many_bundles_are_made_at_once() -> anyhow::Result<()> {
    let bench = archived().await?;
    let room = bench.test.desk.room();
    let held: Vec<_> = (0..BUNDLES_MAX).map_while(|_| room.bundle().ok()).collect();
    let refused = bench.get(GRACE, WHOLE).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "30"));
    drop(held);
    for _ in 0..=BUNDLES_MAX {
        assert_eq!(bench.get(GRACE, WHOLE).await.status, 200, "a place is given back");
    }
    Ok(())
}
