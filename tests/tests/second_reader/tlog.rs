//! The Merkle log of an archive, read by clients that nobody here wrote (`tests/tlog`): tessera's fsck, its proofs, and the Go
//! project's check of a record.

use std::{fs, path::Path, process::Command};

use anyhow::Context;
use archive::{Checkpoint, Manifest, Signer, layout, merkle::proof::Tree, tile::Tail};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, engine::general_purpose::STANDARD};
use schemas::{Envelope, Hash};
use system_tests::{
    Ran, command, others,
    vectors::{Files, Mutation, mutation::Change},
};

use crate::{
    readers::{Reader, laid_out},
    vectors::{Vectors, archive_of, checked_in},
};

/// The clients, or nothing: the test is skipped under this name.
pub(crate) struct Clients(std::path::PathBuf);

impl Clients {
    pub(crate) async fn find(test: &str) -> anyhow::Result<Option<Self>> {
        Ok(others::program(others::TLOG, test).await?.map(Self))
    }

    pub(crate) async fn run(&self, verb: &str, paths: &[&Path], key: &str) -> anyhow::Result<Ran> {
        let mut command = Command::new(&self.0);
        command.arg(verb).arg(paths[0]).arg(key).args(&paths[1..]);
        command::finish(command).await
    }
}

#[tokio::test]
async fn clients_of_others_read_the_log_and_find_what_was_changed_in_it() -> anyhow::Result<()> {
    let test = "clients_of_others_read_the_log_and_find_what_was_changed_in_it";
    let Some(clients) = Clients::find(test).await? else { return Ok(()) };
    let vectors = checked_in()?;
    for archive in ["long", "short", "rotated"] {
        let log = laid_out(&archive_of(&vectors.files, archive))?;
        let key = vectors.verifier_of(archive).to_string();
        let read = clients.run("fsck", &[&log.path().join("log")], &key).await?.expect(0)?;
        assert!(read.stderr.contains("Successfully fsck'd log"), "{read:?}");
        let other = vectors.verifier_of(if archive == "long" { "short" } else { "long" }).to_string();
        clients.run("fsck", &[&log.path().join("log")], &other).await?.expect(1)?;
    }
    let mut tried = 0;
    for mutation in vectors.mutations.iter().filter(|mutation| is_of_the_tree(mutation)) {
        tried += 1;
        let mut objects = archive_of(&vectors.files, &mutation.archive);
        mutation.apply(&mut objects, &vectors.files);
        let log = laid_out(&objects)?;
        let key = vectors.verifier_of(&mutation.archive).to_string();
        let read = clients.run("fsck", &[&log.path().join("log")], &key).await?;
        let wanted = if mutation.finds.is_some() && !is_beyond_a_log_client(mutation) { 1 } else { 0 };
        anyhow::ensure!(read.code == Some(wanted), "{}: {read:?}", mutation.name);
    }
    assert!(tried > 20, "the list changes tiles, bundles and checkpoints: {tried}");
    Ok(())
}

/// Whether every change is one to the log.
fn is_of_the_tree(mutation: &Mutation) -> bool {
    let is_log = |object: &String| object.starts_with("log/");
    !mutation.changes.is_empty()
        && mutation.changes.iter().all(|change| match change {
            Change::Flip { object, .. } | Change::Truncate { object, .. } => is_log(object),
            Change::Drop { object } | Change::Put { object, .. } => is_log(object),
            Change::Swap { objects } => objects.iter().all(is_log),
        })
}

/// Who has the log alone reads a checkpoint and what it covers: objects that it does not cover, a narrower one that a wider
/// one followed, and a checkpoint that was true once are nothing to them. Of a key's signatures they read the first.
fn is_beyond_a_log_client(mutation: &Mutation) -> bool {
    ["misspelt", "without its events", "one followed", "an old checkpoint", "a second signature"]
        .iter()
        .any(|part| mutation.name.contains(part))
}

#[tokio::test]
async fn old_checkpoints_are_beginnings_of_the_newest() -> anyhow::Result<()> {
    let Some(clients) = Clients::find("old_checkpoints_are_beginnings_of_the_newest").await? else { return Ok(()) };
    let vectors = checked_in()?;
    let (objects, key) = (archive_of(&vectors.files, "long"), vectors.verifier_of("long").to_string());
    let folder = laid_out(&objects)?;
    let (log, old) = (folder.path().join("log"), folder.path().join("old"));
    for (_, manifest) in objects.iter().filter(|(key, _)| key.starts_with("manifest/")) {
        fs::write(&old, Manifest::claimed(manifest)?.checkpoint)?;
        clients.run("grown", &[&log, &old], &key).await?.expect(0)?;
    }
    fs::write(&old, forked(&vectors)?)?;
    clients.run("grown", &[&log, &old], &key).await?.expect(1)?;
    Ok(())
}

/// A checkpoint that the log's key signed over another tree of 260 events.
pub(crate) fn forked(vectors: &Vectors) -> anyhow::Result<String> {
    let root = Hash::of(&[b"another history"]);
    checkpoint(vectors, Tree { size: 260, root })
}

/// A checkpoint of the long archive's log, signed by its key.
pub(crate) fn checkpoint(vectors: &Vectors, tree: Tree) -> anyhow::Result<String> {
    let file: serde_json::Value = serde_json::from_slice(&vectors.files["signing-key.json"])?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&STANDARD.decode(file["secret"].as_str().context("a secret")?)?)?;
    let verifier = vectors.verifier_of("long");
    let sign = move |message: &[u8]| pair.sign(message).as_ref().try_into().expect("64 bytes");
    let signer = Signer::new(verifier.name(), *verifier.public_key(), sign);
    Ok(Checkpoint { origin: verifier.name().to_owned(), size: tree.size, root: tree.root }.sign(&signer))
}

#[tokio::test]
async fn clients_of_others_read_a_log_of_three_levels() -> anyhow::Result<()> {
    let Some(clients) = Clients::find("clients_of_others_read_a_log_of_three_levels").await? else { return Ok(()) };
    let (vectors, mut tail, mut objects) = (checked_in()?, Tail::new(), Files::new());
    for number in 0..70_000_u32 {
        let entry = number.to_string().into_bytes();
        let completed = tail.push(&entry, Envelope::leaf_of_entry(&entry))?;
        objects.extend(completed.into_iter().map(|object| (object.key, object.bytes)));
    }
    objects.extend(tail.partial().into_iter().map(|object| (object.key, object.bytes)));
    let tree = Tree { size: tail.edge().size(), root: tail.edge().root() };
    objects.insert(layout::CHECKPOINT.into(), checkpoint(&vectors, tree)?.into_bytes());
    let (folder, key) = (laid_out(&objects)?, vectors.verifier_of("long").to_string());
    reads(&clients, folder.path(), &key).await?;

    let upper = objects.get_mut("log/tile/2/000.p/1").context("a tile of the third level")?;
    upper[31] ^= 1;
    let changed = laid_out(&objects)?;
    clients.run("fsck", &[&changed.path().join("log")], &key).await?.expect(1)?;
    Ok(())
}

#[tokio::test]
async fn a_proof_of_the_second_reader_holds_for_others_and_a_changed_one_does_not() -> anyhow::Result<()> {
    let test = "a_proof_of_the_second_reader_holds_for_others_and_a_changed_one_does_not";
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    let clients = Clients::find(&format!("{test}: by others")).await?;
    let vectors = checked_in()?;
    let (folder, key) = (laid_out(&archive_of(&vectors.files, "long"))?, vectors.verifier_of("long").to_string());
    let archive = folder.path().to_str().context("a path of this test")?;
    let file = folder.path().join("event.tlog-proof");
    for position in [1, 256, 257, 270] {
        let proof = python.run(&["proof", archive, "--position", &position.to_string()]).await?.expect(0)?.stdout;
        for (is_changed, text) in twins(&proof) {
            fs::write(&file, text)?;
            let code = i32::from(is_changed);
            let path = file.to_str().context("a path of this test")?;
            let checked = python.run(&["check", path, "--verifier", &key]).await?.expect(code)?;
            assert!(is_changed || checked.json()?["position"] == position, "{checked:?}");
            if let Some(clients) = &clients {
                clients.run("proof", &[&file], &key).await?.expect(code)?;
            }
        }
        fs::remove_file(&file)?;
    }
    let beyond = python.run(&["proof", archive, "--position", "271"]).await?.expect(64)?;
    assert!(beyond.stderr.contains("takes 1 to 270"), "{beyond:?}");
    Ok(())
}

/// The proof, and it with another entry, another place, a hash less, and another root.
fn twins(proof: &str) -> Vec<(bool, String)> {
    let lines: Vec<_> = proof.lines().collect();
    let with = |place: usize, line: &str| {
        let mut lines = lines.clone();
        lines[place] = line;
        lines.join("\n") + "\n"
    };
    let mut shorter = lines.clone();
    shorter.remove(3);
    let root = lines.iter().position(|line| line.is_empty()).expect("a checkpoint follows") + 3;
    let other = STANDARD.encode([7; 32]);
    vec![
        (false, proof.to_owned()),
        (true, with(1, "extra e30=")),
        (true, with(2, "index 2")),
        (true, shorter.join("\n") + "\n"),
        (true, with(root, &other)),
    ]
}

/// A client of others reads the log of an archive to its end.
pub(crate) async fn reads(clients: &Clients, archive: &Path, key: &str) -> anyhow::Result<()> {
    let read = clients.run("fsck", &[&archive.join("log")], key).await?.expect(0)?;
    anyhow::ensure!(read.stderr.contains("Successfully fsck'd log"), "{read:?}");
    Ok(())
}
