//! Both readers say the same of every older tree head of the vectors, and take no proof but the right one.

use std::process::Command;

use archive::{
    Checkpoint,
    merkle::proof::{Tree, consistency_holds},
};
use schemas::Hash;
use serde_json::{Value, json};
use system_tests::{
    command,
    folder::Folder,
    repository,
    vectors::{self, Found, Head},
};

use crate::{
    readers::{Reader, laid_out},
    vectors::{Vectors, archive_of, checked_in},
};

fn heads(vectors: &Vectors) -> anyhow::Result<Vec<Head>> {
    Ok(serde_json::from_slice(&vectors.files[vectors::HEADS])?)
}

/// What a reader does not say of a head as it should; nothing, if all of it.
async fn tried(reader: &Reader, vectors: &Vectors, head: &Head) -> anyhow::Result<Option<String>> {
    let (archive, folder) = (laid_out(&archive_of(&vectors.files, &head.archive))?, Folder::new()?);
    let old = folder.path().join("checkpoint");
    std::fs::write(&old, &head.checkpoint)?;
    let key = vectors.verifier_of(&head.archive).to_string();
    let ran = reader.consistency(archive.path(), &old, &key).await?;
    let code = i32::from(head.found != Found::Beginning);
    let found = match head.found {
        Found::Refused => return Ok((ran.code != Some(code) || !ran.stdout.is_empty()).then(|| format!("{ran:?}"))),
        found => serde_json::to_value(found)?,
    };
    let said = ran.json()?;
    let is_right = ran.code == Some(code) && said["found"] == found && said["proof"] == json!(head.proof);
    Ok((!is_right).then(|| format!("{}: {ran:?}", head.name)))
}

async fn says_what_is_true(reader: &Reader) -> anyhow::Result<()> {
    let vectors = checked_in()?;
    let mut wrong = Vec::new();
    for head in heads(&vectors)? {
        wrong.extend(tried(reader, &vectors, &head).await?);
    }
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[tokio::test]
async fn our_reader_says_of_every_older_head_how_it_stands_to_the_archive() -> anyhow::Result<()> {
    says_what_is_true(&Reader::Ours).await
}

#[tokio::test]
async fn the_second_reader_says_of_every_older_head_how_it_stands_to_the_archive() -> anyhow::Result<()> {
    let test = "the_second_reader_says_of_every_older_head_how_it_stands_to_the_archive";
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    says_what_is_true(&python).await?;
    // In the same words of JSON.
    let (vectors, folder) = (checked_in()?, Folder::new()?);
    let archive = laid_out(&archive_of(&vectors.files, "long"))?;
    let (key, ours) = (vectors.verifier_of("long").to_string(), Reader::Ours);
    for head in heads(&vectors)?.iter().filter(|head| head.archive == "long" && head.found != Found::Refused) {
        let old = folder.path().join("checkpoint");
        std::fs::write(&old, &head.checkpoint)?;
        let [ours, theirs] = [&ours, &python].map(|reader| reader.consistency(archive.path(), &old, &key));
        assert_eq!(ours.await?.json()?, theirs.await?.json()?, "{}", head.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_answer_about_a_head_is_noticed() -> anyhow::Result<()> {
    let vectors = checked_in()?;
    let heads = heads(&vectors)?;
    let of = |found| heads.iter().find(|head| head.found == found && head.archive == "long").expect("one").clone();
    let proven =
        heads.iter().find(|head| head.proof.as_ref().is_some_and(|proof| proof.len() > 1)).expect("one").clone();
    for wrong in [
        Head { found: Found::Fork, ..of(Found::Beginning) },
        Head { found: Found::Beginning, ..of(Found::Fork) },
        Head { found: Found::Refused, ..of(Found::Shorter) },
        Head { found: Found::Shorter, ..of(Found::Fork) },
        Head { proof: Some(Vec::new()), ..proven },
    ] {
        assert!(tried(&Reader::Ours, &vectors, &wrong).await?.is_some(), "{wrong:?}");
    }
    Ok(())
}

/// A proof, and two trees that it is held against.
struct Case {
    old: Tree,
    new: Tree,
    proof: Vec<Hash>,
}

/// The right proofs of the vectors, and everything that can be done to each.
fn cases(vectors: &Vectors) -> anyhow::Result<Vec<(bool, Case)>> {
    let other = Hash::of(&[b"another history"]);
    let tree = |note: &str| Checkpoint::claimed(note).map(|head| Tree { size: head.size, root: head.root });
    let mut cases = Vec::new();
    for head in heads(vectors)? {
        let Some(proof) = head.proof else { continue };
        let published = &archive_of(&vectors.files, &head.archive)[archive::layout::CHECKPOINT];
        let (old, new) = (tree(&head.checkpoint)?, tree(std::str::from_utf8(published)?)?);
        let mut case = |holds, old, new, proof: Vec<Hash>| cases.push((holds, Case { old, new, proof }));
        case(true, old, new, proof.clone());
        case(false, Tree { root: other, ..old }, new, proof.clone());
        // Of no events at all everything is the continuation.
        case(old.size == 0, old, Tree { root: other, ..new }, proof.clone());
        case(false, Tree { size: new.size + 1, ..old }, new, proof.clone());
        case(false, old, new, [&proof[..], &[other]].concat());
        for at in 0..proof.len() {
            let (mut changed, mut shorter) = (proof.clone(), proof.clone());
            changed[at] = other;
            shorter.remove(at);
            case(false, old, new, changed);
            case(false, old, new, shorter);
        }
        if proof.len() > 1 {
            case(false, old, new, proof.iter().rev().copied().collect());
        }
    }
    Ok(cases)
}

/// The second reader's own check of proofs, fed with one case a line.
const CHECK: &str = "
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from merkle import is_beginning
for line in open(sys.argv[2]):
    case = json.loads(line)
    tree = lambda name: (case[name]['size'], bytes.fromhex(case[name]['root']))
    print(json.dumps(is_beginning(tree('old'), tree('new'), [bytes.fromhex(hash) for hash in case['proof']])))
";

#[tokio::test]
async fn both_readers_take_the_right_proof_and_no_other() -> anyhow::Result<()> {
    let cases = cases(&checked_in()?)?;
    assert!(cases.iter().filter(|(holds, _)| !holds).count() > 100);
    for (holds, Case { old, new, proof }) in &cases {
        assert_eq!(consistency_holds(old, new, proof), *holds, "{old:?} {new:?} {proof:?}");
    }
    let Some(Reader::Python(python)) = Reader::second("both_readers_take_the_right_proof_and_no_other").await? else {
        return Ok(());
    };
    let folder = Folder::new()?;
    let file = folder.path().join("cases");
    let tree = |tree: &Tree| json!({"size": tree.size, "root": tree.root});
    let line = |case: &Case| json!({"old": tree(&case.old), "new": tree(&case.new), "proof": case.proof}).to_string();
    std::fs::write(&file, cases.iter().map(|(_, case)| line(case) + "\n").collect::<String>())?;
    let mut check = Command::new(python);
    check.args(["-c", CHECK]).arg(repository().join("tools/domicile-archive")).arg(&file);
    let said = command::finish(check).await?.expect(0)?.stdout;
    let said = said.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    assert_eq!(said.len(), cases.len());
    for (said, (holds, Case { old, new, proof })) in said.iter().zip(&cases) {
        assert_eq!(said, &json!(holds), "{old:?} {new:?} {proof:?}");
    }
    Ok(())
}
