//! Both readers answer every mutation as the list says.

use futures::{StreamExt, stream};
use serde_json::Value;
use system_tests::{
    Ran, vectors,
    vectors::{Expected, Files, Mutation, mutation::Key},
};

use crate::{
    readers::{Reader, laid_out},
    vectors::{Vectors, archive_of, checked_in},
};

/// Mutations that are tried at the same time; each runs a process.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn our_reader_answers_every_mutation_as_the_list_says() -> anyhow::Result<()> {
    answers(&Reader::Ours).await
}

#[tokio::test]
async fn the_second_reader_answers_every_mutation_as_the_list_says() -> anyhow::Result<()> {
    let test = "the_second_reader_answers_every_mutation_as_the_list_says";
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    answers(&python).await
}

async fn answers(reader: &Reader) -> anyhow::Result<()> {
    let vectors = checked_in()?;
    anyhow::ensure!(vectors.mutations.len() > 70, "the list is there");
    let judged = stream::iter(&vectors.mutations).map(|mutation| tried(reader, &vectors, mutation));
    let judged: Vec<_> = judged.buffer_unordered(AT_ONCE).collect().await;
    let judged = judged.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let wrong: Vec<_> = judged.into_iter().flatten().collect();
    anyhow::ensure!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// What is wrong with a reader's answer to a mutation.
async fn tried(reader: &Reader, vectors: &Vectors, mutation: &Mutation) -> anyhow::Result<Option<String>> {
    let mut objects = archive_of(&vectors.files, &mutation.archive);
    mutation.apply(&mut objects, &vectors.files);
    let folder = laid_out(&objects)?;
    let key = match mutation.key {
        Key::Region => Some(vectors.verifier.to_string()),
        Key::Newest => Some(vectors.newest.to_string()),
        Key::OtherLog => {
            Some(vectors.verifier_of(if mutation.archive == "long" { "short" } else { "long" }).to_string())
        }
        Key::None => None,
    };
    let witness = vectors.witness.to_string();
    let ran = reader.verify_witnessed(folder.path(), key.as_deref(), Some(&witness)).await?;
    let fault = fault(&ran, mutation.finds.as_ref()).err();
    Ok(fault.map(|fault| format!("{}: {fault}\n{}", mutation.name, ran.stdout)))
}

/// Holds an answer against what it should be.
fn fault(ran: &Ran, expected: Option<&Expected>) -> Result<(), String> {
    let code = if expected.is_some() { 1 } else { 0 };
    if ran.code != Some(code) {
        return Err(format!("exit code {:?} instead of {code}: {}", ran.code, ran.stderr));
    }
    let report = ran.json().map_err(|error| format!("{error:#}"))?;
    let Some(findings) = report["findings"].as_array() else { return Err("no findings in the report".into()) };
    let Some(expected) = expected else {
        return if findings.is_empty() { Ok(()) } else { Err("findings in an archive that is whole".into()) };
    };
    let positions = || findings.iter().filter_map(|finding| finding["position"].as_i64());
    match (positions().min(), expected.first_wrong) {
        (None, None) => {}
        (Some(first), Some([low, high])) if (low..=high).contains(&first) => {}
        (found, wanted) => return Err(format!("first wrong at {found:?} instead of {wanted:?}")),
    }
    let names = |finding: &&Value| finding["object"] == expected.object.as_str();
    findings.iter().find(names).map(drop).ok_or_else(|| format!("{} is not named", expected.object))
}

#[tokio::test]
async fn a_wrong_answer_of_a_reader_is_noticed() -> anyhow::Result<()> {
    let vectors = checked_in()?;
    let whole = vectors.named("nothing was done to it");
    let flipped = vectors.named("a bit of the last tile is flipped");
    let expected = flipped.finds.clone().expect("it is found");
    let elsewhere = Expected { first_wrong: Some([1, 256]), ..expected.clone() };
    let other = Expected { object: "log/checkpoint".into(), ..expected.clone() };
    for wrong in [
        Mutation { finds: Some(expected), ..whole },
        Mutation { finds: None, ..flipped.clone() },
        Mutation { finds: Some(elsewhere), ..flipped.clone() },
        Mutation { finds: Some(other), ..flipped },
    ] {
        assert!(tried(&Reader::Ours, &vectors, &wrong).await?.is_some(), "{wrong:?}");
    }
    Ok(())
}

/// Every kind of object is changed by some mutation, so that no kind goes unread.
#[test]
fn every_kind_of_object_is_touched() -> anyhow::Result<()> {
    let vectors = checked_in()?;
    let list = String::from_utf8(vectors.files[vectors::MUTATIONS].clone())?;
    for kind in [
        "events/",
        "audit/",
        "manifest/",
        "attachments/",
        "schemas/",
        "log/checkpoint",
        "VERIFY.txt",
        "successions/",
        "witness/",
    ] {
        assert!(list.contains(&format!(":\"{kind}")), "{kind}");
    }
    for kind in ["log/tile/0/", "log/tile/1/", "log/tile/entries/"] {
        assert!(list.contains(kind), "{kind}");
    }
    let used =
        |files: &Files| files.keys().filter(|path| path.starts_with("replaced/")).all(|path| list.contains(path));
    assert!(used(&vectors.files), "every replaced object belongs to a mutation");
    Ok(())
}
