//! Wrong inputs beside an archive, a proof, an older tree head, keys: both readers take the same ones, and refuse the others with
//! the same exit code; the second one in one line.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::Context;
use archive::layout;
use serde_json::{Value, json};
use system_tests::{Ran, folder::Folder};

use crate::{
    readers::{Reader, laid_out},
    running::lines,
    vectors::{archive_of, checked_in, tenant_id},
};

/// That both readers end with this code, and without an answer unless it is 0.
pub(crate) fn alike(name: &str, code: i32, ran: [Ran; 2]) -> anyhow::Result<[Ran; 2]> {
    let speaks = ['\u{1b}', '\u{9b}'];
    for (reader, ran) in ["ours", "second"].into_iter().zip(&ran) {
        anyhow::ensure!(ran.code == Some(code), "{name}, {reader}: {ran:?}");
        anyhow::ensure!(!ran.stderr.contains(speaks) && !ran.stdout.contains(speaks), "{name}, {reader}: {ran:?}");
    }
    let second = &ran[1];
    let is_one_line = second.stderr.starts_with("domicile-archive: ") && second.stderr.lines().count() == 1;
    anyhow::ensure!(code == 0 || (second.stdout.is_empty() && is_one_line), "{name}: {second:?}");
    Ok(ran)
}

#[tokio::test]
async fn a_second_spelling_of_a_proof_is_refused_by_both() -> anyhow::Result<()> {
    let Some(python) = Reader::second("a_second_spelling_of_a_proof_is_refused_by_both").await? else { return Ok(()) };
    let (vectors, folder) = (checked_in()?, Folder::new()?);
    let (archive, key) = (laid_out(&archive_of(&vectors.files, "long"))?, vectors.verifier_of("long").to_string());
    let path = archive.path().to_str().context("a path of this test")?;
    let proof = python.run(&["proof", path, "--position", "3", "--verifier", &key]).await?.expect(0)?.stdout;
    let (head, note) = proof.split_once("\n\n").context("a checkpoint follows")?;
    let index = |spelt: &str| proof.replace("\nindex 2\n", &format!("\nindex {spelt}\n"));
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let origin = note.lines().next().context("an origin")?;
    let spellings = [
        ("CRLF", crlf(&proof)),
        ("CRLF before the checkpoint", format!("{}\r\n\r\n{note}", crlf(head))),
        ("CRLF in the checkpoint", format!("{head}\n\n{}", crlf(note))),
        ("CR", proof.replace('\n', "\r")),
        ("a zero before the index", index("02")),
        ("a digit of another script", index("٢")),
        ("a sign before the index", index("+2")),
        ("a space after the index", index("2 ")),
        ("an underscore between digits", index("0_2")),
        ("5,000 digits", index(&"2".repeat(5_000))),
        ("no index", index("")),
        ("a space after the entry", proof.replace("\nindex", " \nindex")),
        ("a mark before it", format!("\u{feff}{proof}")),
        ("no newline at the end", proof.trim_end().to_owned()),
        ("an origin that speaks to a terminal", proof.replace(origin, &format!("{origin}\u{1b}[2J"))),
        ("another log that speaks to a terminal", proof.replace(origin, "\u{1b}[2J")),
        ("nothing", String::new()),
    ];
    let file = folder.path().join("3.tlog-proof");
    let check = async |name: &str, code: i32, proof: &[u8]| {
        fs::write(&file, proof)?;
        alike(name, code, [Reader::Ours.check(&file, &key).await?, python.check(&file, &key).await?])
    };
    check("as it was written", 0, proof.as_bytes()).await?;
    for (name, spelling) in spellings {
        anyhow::ensure!(spelling != proof, "{name}: changes something");
        check(name, 1, spelling.as_bytes()).await?;
    }
    check("no text", 1, &[proof.as_bytes(), b"\xff"].concat()).await?;
    Ok(())
}

#[tokio::test]
async fn a_second_spelling_of_an_older_tree_head_is_refused_by_both() -> anyhow::Result<()> {
    let test = "a_second_spelling_of_an_older_tree_head_is_refused_by_both";
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    let (vectors, folder) = (checked_in()?, Folder::new()?);
    let objects = archive_of(&vectors.files, "long");
    let (archive, key) = (laid_out(&objects)?, vectors.verifier_of("long").to_string());
    let note = String::from_utf8(objects[layout::CHECKPOINT].clone())?;
    let old = folder.path().join("checkpoint");
    for (name, code, spelling) in [
        ("as it was published", 0, note.clone().into_bytes()),
        ("CRLF", 1, note.replace('\n', "\r\n").into_bytes()),
        ("CR", 1, note.replace('\n', "\r").into_bytes()),
        ("CRLF after the size", 1, note.replace("\n270\n", "\n270\r\n").into_bytes()),
        ("a zero before the size", 1, note.replace("\n270\n", "\n0270\n").into_bytes()),
        ("5,000 digits", 1, note.replace("\n270\n", &format!("\n{}\n", "2".repeat(5_000))).into_bytes()),
        ("a mark before it", 1, format!("\u{feff}{note}").into_bytes()),
        ("no text", 1, [note.as_bytes(), b"\xff"].concat()),
        ("nothing", 1, Vec::new()),
    ] {
        fs::write(&old, spelling)?;
        let [ours, second] = [&Reader::Ours, &python].map(|reader| reader.consistency(archive.path(), &old, &key));
        alike(name, code, [ours.await?, second.await?])?;
    }
    Ok(())
}

/// What is done to a folder of keys, and how the readers end then.
type KeyCase = (&'static str, i32, fn(&Keys) -> anyhow::Result<()>);

/// The short archive's, as the test changes them.
struct Keys {
    folder: Folder,
}

impl Keys {
    /// The folder that is given to the readers.
    fn exports(&self) -> std::path::PathBuf {
        self.folder.path().join("keys")
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
        Ok(fs::write(self.exports().join(name), bytes)?)
    }

    /// One more export, of these fields in place of the first one's.
    fn export(&self, change: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
        let mut export = serde_json::from_slice(&fs::read(self.exports().join("00000001.json"))?)?;
        change(&mut export);
        self.put("00000009.json", export.to_string())
    }

    fn region_key(&self, change: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
        let path = self.folder.path().join("region.key");
        let mut key = serde_json::from_slice(&fs::read(&path)?)?;
        change(&mut key);
        Ok(fs::write(path, key.to_string())?)
    }
}

/// Without the exports, as far as the folder goes.
fn emptied(keys: &Keys) -> anyhow::Result<()> {
    fs::remove_dir_all(keys.exports())?;
    Ok(fs::create_dir(keys.exports())?)
}

/// Moves the exports into the tenant's folder of a copy of `keys/`, with another tenant's beside it.
fn a_copied_root(keys: &Keys) -> anyhow::Result<()> {
    let (root, tenant) = (keys.exports(), keys.folder.path().join("tenant"));
    fs::rename(&root, &tenant)?;
    fs::create_dir_all(root.join(tenant_id("long").to_string()))?;
    Ok(fs::rename(tenant, root.join(tenant_id("short").to_string()))?)
}

const KEY_CASES: &[KeyCase] = &[
    ("the tenant's folder", 0, |_| Ok(())),
    ("a copy of keys/", 0, a_copied_root),
    ("other files beside the exports", 0, |keys| {
        keys.put("README.txt", "no JSON")?;
        keys.put("00000001.json.part", "{")?;
        keys.put(".json", "{")?;
        Ok(fs::create_dir(keys.exports().join("older"))?)
    }),
    ("an export with more fields", 0, |keys| keys.export(|export| export["data_keys"][0]["note"] = json!({}))),
    ("an export of a tenant without a key", 0, |keys| {
        keys.export(|export| *export = json!({"tenant_id": export["tenant_id"], "data_keys": []}))
    }),
    ("no folder", 64, |keys| Ok(fs::remove_dir_all(keys.exports())?)),
    ("a file", 64, |keys| {
        fs::remove_dir_all(keys.exports())?;
        Ok(fs::write(keys.exports(), "{}")?)
    }),
    ("an empty folder", 64, emptied),
    ("a folder of other files", 64, |keys| {
        emptied(keys)?;
        keys.put("README.txt", "no JSON")
    }),
    ("a copy of keys/ with nothing of the tenant", 64, |keys| {
        a_copied_root(keys)?;
        Ok(fs::remove_dir_all(keys.exports().join(tenant_id("short").to_string()))?)
    }),
    ("a folder that is called an export", 64, |keys| Ok(fs::create_dir(keys.exports().join("9.json"))?)),
    ("an export that is no JSON", 64, |keys| keys.put("9.json", "no JSON")),
    ("an export that is no text", 64, |keys| keys.put("9.json", b"\xff\xfe{\0}\0")),
    ("an export that is a list", 64, |keys| keys.put("9.json", "[]")),
    ("an export of a depth that nobody writes", 64, |keys| keys.put("9.json", "[".repeat(100_000))),
    ("a number of 5,000 digits", 64, |keys| keys.put("9.json", "2".repeat(5_000))),
    ("an export of the tenant's id alone", 64, |keys| {
        keys.export(|export| *export = json!({"tenant_id": export["tenant_id"]}))
    }),
    ("an export without a tenant", 64, |keys| keys.export(|export| export["tenant_id"] = Value::Null)),
    ("another tenant's export", 64, |keys| keys.export(|export| export["tenant_id"] = json!(tenant_id("long")))),
    ("a tenant key of another shape", 64, |keys| keys.export(|export| export["tenant_key"] = json!(7))),
    ("a tenant key that does not say whose", 64, |keys| {
        keys.export(|export| export["tenant_key"] = json!({"wrapped": export["tenant_key"]["wrapped"]}))
    }),
    ("a tenant key under another region key", 64, |keys| {
        keys.export(|export| export["tenant_key"]["region_key_id"] = json!("another"))
    }),
    ("a tenant key that is no base64", 64, |keys| keys.export(|export| export["tenant_key"]["wrapped"] = json!("?"))),
    ("a tenant key that was changed", 64, |keys| keys.export(|export| export["tenant_key"]["wrapped"] = json!("AAAA"))),
    ("a data key without its scope", 64, |keys| keys.export(|export| export["data_keys"][0]["scope"] = Value::Null)),
    ("a data key that is no base64", 64, |keys| keys.export(|export| export["data_keys"][0]["wrapped"] = json!("AB="))),
    ("no region key file", 64, |keys| Ok(fs::remove_file(keys.folder.path().join("region.key"))?)),
    ("a region key file without an id", 64, |keys| {
        keys.region_key(|key| *key = json!({"kind": key["kind"], "secret": key["secret"]}))
    }),
    ("a region key file with more fields", 64, |keys| keys.region_key(|key| key["note"] = json!(""))),
    ("a region key file of another kind", 64, |keys| keys.region_key(|key| key["kind"] = json!("key"))),
    ("a region key file with half a key", 64, |keys| keys.region_key(|key| key["secret"] = json!("AAAA"))),
    ("a region key file with another key", 64, |keys| {
        keys.region_key(|key| key["secret"] = json!(format!("{}=", "A".repeat(43))))
    }),
    ("a region key file that is a list", 64, |keys| keys.region_key(|key| *key = json!([]))),
];

#[tokio::test]
async fn keys_of_every_shape_are_taken_or_refused_by_both() -> anyhow::Result<()> {
    let Some(python) = Reader::second("keys_of_every_shape_are_taken_or_refused_by_both").await? else { return Ok(()) };
    let vectors = checked_in()?;
    let (archive, key) = (laid_out(&archive_of(&vectors.files, "short"))?, vectors.verifier_of("short").to_string());
    for (name, code, change) in KEY_CASES {
        let keys = Keys { folder: Folder::new()? };
        let region_key = keys.folder.path().join("region.key");
        fs::create_dir(keys.exports())?;
        for (path, bytes) in &vectors.files {
            if let Some(name) = path.strip_prefix(&format!("bucket/keys/{}/", tenant_id("short"))) {
                keys.put(name, bytes)?;
            }
        }
        fs::write(&region_key, &vectors.files["region-key.json"])?;
        fs::set_permissions(&region_key, fs::Permissions::from_mode(0o600))?;
        change(&keys).context(*name)?;
        let [ours, second] = printed(&python, (archive.path(), &key), Some((&keys.exports(), &region_key))).await?;
        let ran = alike(name, *code, [ours, second])?;
        if *code == 0 {
            let [ours, second] = told(&ran)?;
            assert_eq!(ours, second, "{name}");
            let opened = second.iter().filter(|event| !event["data"].is_null()).count();
            assert!((1..second.len()).contains(&opened), "{name}: some are erased: {second:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn who_has_a_copy_and_no_keys_sees_what_lies_open_in_it() -> anyhow::Result<()> {
    let test = "who_has_a_copy_and_no_keys_sees_what_lies_open_in_it";
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    let vectors = checked_in()?;
    let (archive, key) = (laid_out(&archive_of(&vectors.files, "short"))?, vectors.verifier_of("short").to_string());
    let ran = alike("no keys", 0, printed(&python, (archive.path(), &key), None).await?)?;
    let [ours, second] = told(&ran)?;
    assert_eq!(ours, second);
    assert!(second.len() == 8 && second.iter().all(|event| event["is_sealed"] == true), "{second:?}");

    let path = archive.path().to_str().context("a path of this test")?;
    let text = python.run(&["print", path, "--verifier", &key]).await?.expect(0)?.stdout;
    assert!(text.lines().count() == 8 && text.lines().all(|line| line.ends_with("(sealed)")), "{text}");
    for half in [["--keys", path], ["--region-key", path], ["--files", path]] {
        let print = [["print", path, "--verifier", &key].as_slice(), &half].concat();
        let refused = python.run(&print).await?.expect(64)?;
        assert!(refused.stdout.is_empty() && refused.stderr.contains(half[0]), "{refused:?}");
    }
    // Of a whole bucket it says where an archive lies.
    let bucket = laid_out(&vectors.files)?;
    let bucket = bucket.path().to_str().context("a path of this test")?;
    let refused = python.run(&["print", bucket, "--verifier", &key]).await?.expect(1)?;
    let hint = format!("note: an archive lies in bucket/tenants/{} of it\n", tenant_id("short"));
    assert!(refused.stdout.is_empty() && refused.stderr.contains(&hint), "{refused:?}");
    Ok(())
}

async fn printed(python: &Reader, archive: (&Path, &str), keys: Option<(&Path, &Path)>) -> anyhow::Result<[Ran; 2]> {
    Ok([Reader::Ours.events(archive, keys).await?, python.events(archive, keys).await?])
}

/// Of each event its place, and what can be seen of it. The product shows what it says in the newest shape.
fn told(ran: &[Ran; 2]) -> anyhow::Result<[Vec<Value>; 2]> {
    let [ours, second] = ran;
    let told = |ran: &Ran| {
        let seen = |event: Value| {
            json!({
                "position": event["position"],
                "stream": event["stream"],
                "event_type": event["event_type"],
                "is_erased": event["is_erased"],
                "is_sealed": event["is_sealed"] == true,
                "data": if event["data"].is_null() { json!(null) } else { json!("there") },
            })
        };
        anyhow::Ok(lines(&ran.stdout)?.into_iter().map(seen).collect::<Vec<_>>())
    };
    Ok([told(ours)?, told(second)?])
}
