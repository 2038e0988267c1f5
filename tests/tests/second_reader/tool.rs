//! The second reader as a tool: what it says, and how it ends.

use std::{fs, process::Command};

use anyhow::Context;
use archive::{Manifest, Signer, checkpoint::origin, segment};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::Hash;
use serde_json::Value;
use system_tests::{command, repository, vectors, vectors::Files};

use crate::{
    readers::{Reader, laid_out},
    vectors::{Vectors, archive_of, checked_in, tenant_id},
};

#[tokio::test]
async fn its_exit_codes_and_words_are_those_of_a_well_made_tool() -> anyhow::Result<()> {
    let test = "its_exit_codes_and_words_are_those_of_a_well_made_tool";
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    let vectors = checked_in()?;
    let folder = laid_out(&archive_of(&vectors.files, "short"))?;
    let archive = folder.path().to_str().context("a path of this test")?;
    let key = vectors.verifier.to_string();

    let help = python.run(&["--help"]).await?.expect(0)?;
    assert!(["verify", "print", "proof", "check"].iter().all(|verb| help.stdout.contains(verb)), "{help:?}");
    let whole = python.run(&["verify", archive, "--verifier", &key]).await?.expect(0)?;
    assert!(
        whole.stdout.contains(": verified\n") && !whole.stdout.contains("named by the archive itself"),
        "{whole:?}"
    );
    let unpinned = python.run(&["verify", archive]).await?.expect(0)?;
    assert!(unpinned.stdout.contains("named by the archive itself"), "{unpinned:?}");
    let longer = python.run(&["verify", archive, "--verifier", &key, "--at-least", "9"]).await?.expect(1)?;
    assert!(longer.stdout.contains("position 9: manifest/: the archive ends here"), "{longer:?}");

    for wrong in [
        &["verify"][..],
        &["verify", "/nowhere"],
        &["shrink", archive],
        &["verify", archive, "--verifier", "x"],
        // As from a variable of a shell that is not set: not the same as none.
        &["verify", archive, "--verifier", ""],
        &["verify", archive, "--witness", "x"],
    ] {
        let refused = python.run(wrong).await?.expect(64)?;
        assert!(refused.stderr.contains("domicile-archive"), "{refused:?}");
    }
    let unproven = python.run(&["check", "/dev/null"]).await?.expect(64)?;
    assert!(unproven.stderr.contains("proves nothing without the key"), "{unproven:?}");

    // What an archive holds does not speak to the terminal, and is not printed as if it were the history.
    fs::write(folder.path().join("events/\u{1b}[2J"), b"")?;
    let escaped = python.run(&["verify", archive, "--verifier", &key]).await?.expect(1)?;
    assert!(escaped.stdout.contains("events/\\x1b[2J") && !escaped.stdout.contains('\u{1b}'), "{escaped:?}");
    let print = ["print", archive, "--keys", archive, "--region-key", "/nowhere", "--verifier", &key];
    let refused = python.run(&print).await?.expect(1)?;
    assert!(refused.stdout.is_empty() && refused.stderr.contains("does not verify"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_no_event_is_not_printed_whoever_signed_it() -> anyhow::Result<()> {
    let Some(python) = Reader::second("what_is_no_event_is_not_printed_whoever_signed_it").await? else {
        return Ok(());
    };
    let vectors = checked_in()?;
    let folder = laid_out(&with_no_envelope(&vectors)?)?;
    let archive = folder.path().to_str().context("a path of this test")?;
    let key = vectors.verifier.to_string();
    let print = ["print", archive, "--keys", archive, "--region-key", "/nowhere", "--verifier", &key];
    let refused = python.run(&print).await?.expect(1)?;
    assert!(refused.stderr.contains("the envelope has not the shape of one"), "{refused:?}");
    assert!(refused.stdout.is_empty() && refused.stderr.ends_with("does not verify\n"), "{refused:?}");
    Ok(())
}

/// The short archive with a segment whose first envelope is none, under a manifest that its region signed over it.
fn with_no_envelope(vectors: &Vectors) -> anyhow::Result<Files> {
    let (mut objects, key) = (archive_of(&vectors.files, "short"), "manifest/00000002.json");
    let mut manifest = Manifest::claimed(&objects[key])?;
    let named = &mut manifest.segments[0];
    let mut body = segment::decompress(&objects[&named.object]).0;
    let at = body.windows(2).position(|bytes| bytes == b"{\"").context("an envelope")?;
    body[at] = b'!';
    let object = segment::compress(&body);
    (named.size_bytes, named.sha256) = (object.len() as u64, Hash::of(&[&object]));
    objects.insert(named.object.clone(), object);

    let file: Value = serde_json::from_slice(&vectors.files[&vectors::signing_key(0)])?;
    let secret = STANDARD.decode(file["secret"].as_str().context("a secret")?)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&secret)?;
    let public_key = pair.public_key().as_ref().try_into()?;
    let sign = move |message: &[u8]| pair.sign(message).as_ref().try_into().expect("64 bytes");
    let signer = Signer::new(origin(&"eu".parse()?, tenant_id("short")), public_key, sign);
    objects.insert(key.into(), manifest.sign(&signer));
    Ok(objects)
}

#[tokio::test]
async fn without_its_packages_it_says_which() -> anyhow::Result<()> {
    let mut bare = Command::new("python3");
    // Isolated, and without the folder where packages lie.
    bare.args(["-I", "-S"]).arg(repository().join("tools/domicile-archive")).args(["verify", "/nowhere"]);
    if let Err(error) = bare.output() {
        testkit::skipped("without_its_packages_it_says_which", &format!("no Python 3 ({error})"));
        return Ok(());
    }
    let ran = command::finish(bare).await?.expect(69)?;
    assert!(ran.stderr.contains("zstandard and cryptography is missing: python3 -m pip install"), "{ran:?}");
    Ok(())
}
