//! What stands for a proof or a manifest and is none, some of it signed by a region: both readers refuse it, and neither stumbles.

use std::fs;

use anyhow::Context;
use archive::{Checkpoint, EventProof, Signer, Verifier, layout};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::Envelope;
use serde_json::{Value, json};
use system_tests::{folder::Folder, vectors};

use crate::{
    alike::alike,
    readers::{Reader, laid_out},
    vectors::{Vectors, archive_of, checked_in, tenant_id},
};

/// A proof of this one entry in a log of this origin, signed by the key of the vectors' region.
fn proof(vectors: &Vectors, origin: &str, entry: &[u8]) -> anyhow::Result<String> {
    let file: Value = serde_json::from_slice(&vectors.files[&vectors::signing_key(0)])?;
    let secret = STANDARD.decode(file["secret"].as_str().context("a secret")?)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&secret)?;
    let sign = move |message: &[u8]| pair.sign(message).as_ref().try_into().expect("64 bytes");
    let signer = Signer::new(origin, *vectors.verifier.public_key(), sign);
    let head = Checkpoint { origin: origin.to_owned(), size: 1, root: Envelope::leaf_of_entry(entry) };
    let proof = EventProof { entry: entry.to_vec(), index: 0, path: Vec::new(), checkpoint: head.sign(&signer) };
    Ok(proof.to_string())
}

#[tokio::test]
async fn what_a_key_has_signed_and_is_no_event_proves_nothing_to_both() -> anyhow::Result<()> {
    let test = "what_a_key_has_signed_and_is_no_event_proves_nothing_to_both";
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    let (vectors, folder) = (checked_in()?, Folder::new()?);
    let (origin, region) = (vectors.verifier_of("long").name().to_owned(), vectors.verifier.to_string());
    let event = json!({
        "tenant_id": tenant_id("long"), "stream": "ticket-1", "version": 1, "event_id": tenant_id("long"),
        "event_type": "status_set", "schema_version": 1, "recorded_at": "2026-11-22T10:00:00Z", "actor": "system",
        "command_id": tenant_id("long"), "key_id": tenant_id("long"), "payload_sha256": "0".repeat(64),
    });
    let with = |field: &str, value: Value| {
        let mut event = event.clone();
        event[field] = value;
        event.to_string()
    };
    let text = event.to_string();
    let other = |from: &str, to: &str| text.replace(from, to);
    let elsewhere = format!("{}/\u{9b}2J", Verifier::name(&vectors.verifier));
    let file = folder.path().join("1.tlog-proof");
    for (name, code, origin, entry) in [
        ("an event", 0, &origin, text.clone()),
        ("nothing", 1, &origin, String::new()),
        ("no JSON", 1, &origin, "ticket-1".to_owned()),
        ("a list", 1, &origin, "[]".to_owned()),
        ("a depth that nobody writes", 1, &origin, "[".repeat(60_000)),
        ("a number of 5,000 digits", 1, &origin, "2".repeat(5_000)),
        (
            "a version of 5,000 digits",
            1,
            &origin,
            other("\"version\":1", &format!("\"version\":{}", "2".repeat(5_000))),
        ),
        ("a version that is no number", 1, &origin, other("\"version\":1", "\"version\":NaN")),
        ("half a character", 1, &origin, other("status_set", "\\ud800")),
        ("a mark before it", 1, &origin, format!("\u{feff}{text}")),
        ("no stream", 1, &origin, with("stream", Value::Null)),
        ("another tenant's", 1, &origin, with("tenant_id", json!(tenant_id("short")))),
        ("a log that speaks to a terminal", 1, &elsewhere, with("tenant_id", json!("\u{9b}2J"))),
    ] {
        fs::write(&file, proof(&vectors, origin, entry.as_bytes())?)?;
        let ran = [Reader::Ours.check(&file, &region).await?, python.check(&file, &region).await?];
        alike(name, code, ran)?;
    }
    Ok(())
}

#[tokio::test]
async fn manifests_with_half_a_character_are_none_to_both() -> anyhow::Result<()> {
    let Some(python) = Reader::second("manifests_with_half_a_character_are_none_to_both").await? else {
        return Ok(());
    };
    let mut objects = archive_of(&checked_in()?.files, "short");
    let manifests = objects.iter_mut().filter(|(key, _)| key.starts_with(layout::MANIFESTS));
    for (_, manifest) in manifests {
        *manifest = std::str::from_utf8(manifest)?.replace("\"verifier\":\"", "\"verifier\":\"\\ud800").into_bytes();
    }
    let archive = laid_out(&objects)?;
    for reader in [&Reader::Ours, &python] {
        let report = reader.verify(archive.path(), None).await?.expect(1)?.json()?;
        let found = report["findings"].as_array().context("a list")?;
        let is_none = |finding: &Value| finding["what"].as_str().is_some_and(|what| what.contains("not the shape"));
        assert!(found.iter().any(is_none), "{report}");
    }
    Ok(())
}
