//! A bit of any object: both readers find the same, by the same words, at the same positions.

use archive::layout;
use futures::{StreamExt, stream};
use serde_json::Value;
use system_tests::vectors::Files;

use crate::{
    readers::{Reader, laid_out},
    vectors::{Vectors, archive_of, checked_in},
};

/// Objects that are tried at the same time; each takes a process of each reader.
const AT_ONCE: usize = 2;

#[tokio::test]
async fn both_readers_find_the_same_where_a_bit_of_any_object_is_flipped() -> anyhow::Result<()> {
    let test = "both_readers_find_the_same_where_a_bit_of_any_object_is_flipped";
    let Some(python) = Reader::second(test).await? else { return Ok(()) };
    let vectors = checked_in()?;
    for archive in ["long", "short"] {
        let objects = archive_of(&vectors.files, archive);
        let tried = stream::iter(objects.keys()).map(|object| found_by_both(&vectors, &objects, object, &python));
        let tried: Vec<_> = tried.buffer_unordered(AT_ONCE).collect().await;
        for found in tried {
            let [ours, second] = found?;
            anyhow::ensure!(!ours.is_empty(), "{archive}: a flipped bit is not found");
            assert_eq!(ours, second, "{archive}");
        }
    }
    Ok(())
}

/// What both readers find after a bit of an object was flipped, at a place that follows from its name.
async fn found_by_both(
    vectors: &Vectors,
    objects: &Files,
    object: &str,
    python: &Reader,
) -> anyhow::Result<[Vec<String>; 2]> {
    let mut flipped = objects.clone();
    let bytes = flipped.get_mut(object).expect("one of them");
    let place = object.bytes().fold(7_usize, |sum, byte| sum * 31 % 65_521 + usize::from(byte));
    let length = bytes.len();
    bytes[place % length] ^= 1 << (place % 8);
    let folder = laid_out(&flipped)?;
    let key = vectors.verifier.to_string();
    let ours = Reader::Ours.verify(folder.path(), Some(&key)).await?.expect(1)?.json()?;
    let second = python.verify(folder.path(), Some(&key)).await?.expect(1)?.json()?;
    Ok([findings(&ours), findings(&second)])
}

/// A report's findings in a form that can be compared. A reason in detail is each reader's own, and how far the events of a
/// broken zstd frame can be read is its library's.
fn findings(report: &Value) -> Vec<String> {
    let line = |finding: &Value| {
        let (object, what) =
            (finding["object"].as_str().unwrap_or_default(), finding["what"].as_str().unwrap_or_default());
        let what = what.split(':').next().unwrap_or_default();
        let position = if object.starts_with(layout::EVENTS) { &Value::Null } else { &finding["position"] };
        format!("{object} at {position}: {what}")
    };
    let mut findings: Vec<_> = report["findings"].as_array().into_iter().flatten().map(line).collect();
    findings.sort();
    findings
}
