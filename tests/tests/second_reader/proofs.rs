//! What `domicile audit proof`, `check` and `consistency` say is held against the second reader and the clients of others.

use std::{fs, path::Path};

use anyhow::Context;
use archive::{EventProof, Manifest, layout, merkle::proof::Tree};
use schemas::Hash;
use system_tests::{Ran, command, folder::Folder};

use crate::{
    readers::{Reader, laid_out},
    tlog::{Clients, checkpoint, forked},
    vectors::{Vectors, archive_of, checked_in},
};

/// An archive of the vectors as a folder, and a file beside it.
struct Laid {
    folder: Folder,
    key: String,
}

impl Laid {
    fn out(vectors: &Vectors, archive: &str) -> anyhow::Result<Self> {
        Ok(Self {
            folder: laid_out(&archive_of(&vectors.files, archive))?,
            key: vectors.verifier_of(archive).to_string(),
        })
    }

    fn path(&self) -> anyhow::Result<&str> {
        text(self.folder.path())
    }

    /// A file of this text, outside of the archive.
    fn file(text: &str) -> anyhow::Result<(Folder, std::path::PathBuf)> {
        let folder = Folder::new()?;
        let path = folder.path().join("42.tlog-proof");
        fs::write(&path, text)?;
        Ok((folder, path))
    }

    async fn proof(&self, event: &str, more: &[&str]) -> anyhow::Result<Ran> {
        let proof = ["audit", "proof", "--from", self.path()?, "--verifier", &self.key, "--event", event];
        ours(&[&proof, more].concat()).await
    }

    async fn check(&self, proof: &Path) -> anyhow::Result<Ran> {
        ours(&["audit", "check", text(proof)?, "--verifier", &self.key, "--format", "json"]).await
    }

    async fn consistency(&self, old: &Path) -> anyhow::Result<Ran> {
        let consistency = ["audit", "consistency", "--from", self.path()?, "--verifier", &self.key];
        ours(&[&consistency, ["--format", "json", "--old", text(old)?].as_slice()].concat()).await
    }
}

#[tokio::test]
async fn a_proof_of_ours_is_the_second_readers_and_holds_for_everybody() -> anyhow::Result<()> {
    let test = "a_proof_of_ours_is_the_second_readers_and_holds_for_everybody";
    let python = Reader::second(&format!("{test}: by the second reader")).await?;
    let clients = Clients::find(&format!("{test}: by others")).await?;
    let vectors = checked_in()?;
    for (archive, positions) in [("long", &[1, 3, 4, 256, 257, 270][..]), ("short", &[1, 5, 6, 8])] {
        let laid = Laid::out(&vectors, archive)?;
        for position in positions {
            let position = position.to_string();
            let proof = laid.proof(&position, &[]).await?.expect(0)?.stdout;
            let (_folder, file) = Laid::file(&proof)?;
            let checked = laid.check(&file).await?.expect(0)?.json()?;
            assert_eq!((&checked["holds"], checked["position"].to_string()), (&true.into(), position.clone()));
            if let Some(python) = &python {
                let second = python.run(&["proof", laid.path()?, "--position", &position]).await?.expect(0)?;
                assert_eq!(proof, second.stdout, "{archive} {position}");
                let second = python.run(&["check", text(&file)?, "--verifier", &laid.key]).await?.expect(0)?.json()?;
                for field in ["position", "size", "origin", "entry"] {
                    assert_eq!(checked[field], second[field], "{field}");
                }
            }
            if let Some(clients) = &clients {
                clients.run("proof", &[&file], &laid.key).await?.expect(0)?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_event_is_found_by_its_id_and_its_proof_written_to_a_file() -> anyhow::Result<()> {
    let (vectors, folder) = (checked_in()?, Folder::new()?);
    let (laid, file) = (Laid::out(&vectors, "long")?, folder.path().join("258.tlog-proof"));
    let by_position = laid.proof("258", &[]).await?.expect(0)?.stdout;
    let entry: serde_json::Value = serde_json::from_slice(&EventProof::parse(&by_position)?.entry)?;
    let id = entry["event_id"].as_str().context("an id")?;
    let written = laid.proof(id, &["--output", text(&file)?]).await?.expect(0)?;
    assert!(written.stdout.contains(": the event at position 258 of 270 in domicile/eu/"), "{written:?}");
    assert_eq!(fs::read_to_string(&file)?, by_position);

    // The region's key speaks for its tenants; the words say what was proven, and what was not.
    let region = vectors.verifier.to_string();
    let words = ours(&["audit", "check", text(&file)?, "--verifier", &region]).await?.expect(0)?.stdout;
    for part in [": holds\n", id, "270 events, and this one is at position 258", "not proven"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    Ok(())
}

#[tokio::test]
async fn a_proof_with_any_line_changed_or_missing_is_refused() -> anyhow::Result<()> {
    let test = "a_proof_with_any_line_changed_or_missing_is_refused: by the second reader";
    let python = Reader::second(test).await?;
    let vectors = checked_in()?;
    let laid = Laid::out(&vectors, "long")?;
    let proof = laid.proof("257", &[]).await?.expect(0)?.stdout;
    let twins = twins(&proof);
    anyhow::ensure!(twins.len() >= 2 * 12, "every line is touched: {}", twins.len());
    for twin in twins {
        let (_folder, file) = Laid::file(&twin)?;
        let refused = laid.check(&file).await?.expect(1).with_context(|| twin.clone())?;
        assert!(refused.stderr.contains(" proves nothing: "), "{refused:?}");
        assert_eq!(refused.json()?["holds"], false);
        if let Some(python) = &python {
            let check = ["check", text(&file)?, "--verifier", &laid.key];
            python.run(&check).await?.expect(1).with_context(|| twin.clone())?;
        }
    }
    Ok(())
}

/// The proof with a character of each line another one, and with each line left out.
fn twins(proof: &str) -> Vec<String> {
    let lines: Vec<_> = proof.lines().map(str::to_owned).collect();
    let joined = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let changed = |place: usize| {
        let mut lines = lines.clone();
        let mut line: Vec<_> = lines[place].chars().collect();
        match line.len() / 2 {
            0 => line.push('x'),
            middle => line[middle] = if line[middle] == 'A' { 'B' } else { 'A' },
        }
        lines[place] = line.into_iter().collect();
        joined(&lines)
    };
    let without = |place: usize| joined(&[&lines[..place], &lines[place + 1..]].concat());
    (0..lines.len()).flat_map(|place| [changed(place), without(place)]).collect()
}

#[tokio::test]
async fn what_cannot_be_proven_is_said_by_exit_code_and_words() -> anyhow::Result<()> {
    let vectors = checked_in()?;
    let laid = Laid::out(&vectors, "long")?;
    for absent in ["0", "271", "018f0000-0000-7000-8000-ffffffffffff"] {
        let refused = laid.proof(absent, &[]).await?.expect(64)?;
        assert!(refused.stderr.contains("its positions are 1 to 270") && refused.stdout.is_empty(), "{refused:?}");
    }
    let (_folder, file) = Laid::file(&laid.proof("7", &[]).await?.expect(0)?.stdout)?;
    let file = text(&file)?;
    for wrong in [
        &["proof", "--from", "/nowhere", "--event", "1"][..],
        &["proof", "--from", laid.path()?, "--event", "ticket-42"],
        &["proof", "--event", "1"],
        &["check", file],
        &["check", file, "--verifier", "x"],
        &["check", "/nowhere", "--verifier", &laid.key],
        &["consistency", "--from", laid.path()?],
        &["consistency", "--from", laid.path()?, "--old", "/nowhere"],
    ] {
        ours(&[&["audit"], wrong].concat()).await?.expect(64).with_context(|| format!("{wrong:?}"))?;
    }
    let other = vectors.verifier_of("short").to_string();
    let refused = ours(&["audit", "check", file, "--verifier", &other]).await?.expect(1)?;
    assert!(refused.stderr.contains("does not speak") && refused.stdout.is_empty(), "{refused:?}");

    fs::write(laid.folder.path().join("log/tile/0/000"), b"")?;
    let refused = laid.proof("7", &[]).await?.expect(1)?;
    assert!(refused.stderr.contains("do not make the root") && refused.stdout.is_empty(), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn older_tree_heads_are_beginnings_and_a_fork_is_named() -> anyhow::Result<()> {
    let test = "older_tree_heads_are_beginnings_and_a_fork_is_named: by others";
    let clients = Clients::find(test).await?;
    let vectors = checked_in()?;
    let laid = Laid::out(&vectors, "long")?;
    let log = laid.folder.path().join("log");
    let objects = archive_of(&vectors.files, "long");
    let manifests = objects.iter().filter(|(key, _)| key.starts_with(layout::MANIFESTS));
    let manifests = manifests.map(|(_, object)| Ok(Manifest::claimed(object)?));
    let manifests = manifests.collect::<anyhow::Result<Vec<_>>>()?;
    let at_260 = manifests[1].root;
    let longer = checkpoint(&vectors, Tree { size: 271, root: Hash::of(&[b"more"]) })?;
    let beginnings = manifests.into_iter().map(|manifest| (0, "beginning", manifest.checkpoint));
    let others = [(1, "fork", forked(&vectors)?), (1, "shorter", longer)];
    for (code, found, old) in beginnings.chain(others) {
        let (_folder, file) = Laid::file(&old)?;
        let compared = laid.consistency(&file).await?.expect(code)?;
        assert_eq!(compared.json()?["found"], found);
        if found == "fork" {
            let roots = [Hash::of(&[b"another history"]), at_260].map(|root| root.to_string());
            assert!(compared.stderr.contains("of its first 260 events the key signed two"), "{compared:?}");
            assert!(roots.iter().all(|root| compared.stderr.contains(root)), "{compared:?}");
        }
        if let Some(clients) = &clients {
            clients.run("grown", &[&log, &file], &laid.key).await?.expect(code)?;
        }
    }

    let elsewhere = archive_of(&vectors.files, "short")[layout::CHECKPOINT].clone();
    let (_folder, file) = Laid::file(&String::from_utf8(elsewhere)?)?;
    let refused = laid.consistency(&file).await?.expect(1)?;
    assert!(refused.stderr.contains("does not speak"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn the_help_says_what_they_take() -> anyhow::Result<()> {
    let help = ours(&["audit", "--help"]).await?.expect(0)?.stdout;
    for verb in ["proof", "check", "consistency"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(verb)), "{verb}: {help}");
    }
    for (verb, takes) in [
        ("proof", &["--event <POSITION|ID>", "--output <FILE>", "--from <FOLDER|URL>", "--verifier <KEY>"][..]),
        ("check", &["<FILE>", "--verifier <KEY>", "--format <FORMAT>"]),
        ("consistency", &["--old <FILE>", "--from <FOLDER|URL>", "--verifier <KEY>", "--format <FORMAT>"]),
    ] {
        let help = ours(&["audit", verb, "--help"]).await?.expect(0)?.stdout;
        assert!(takes.iter().all(|option| help.contains(option)), "{verb}: {help}");
    }
    Ok(())
}

async fn ours(arguments: &[&str]) -> anyhow::Result<Ran> {
    command::run(arguments, &[]).await
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path of this test")
}
