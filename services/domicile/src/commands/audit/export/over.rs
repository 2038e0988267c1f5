//! What a copy may be written over: nothing, or an older copy of the same archive that it goes on from.
//!
//! The checkpoint of an older copy is what a fork is proven with, and so is what lies around it. Where the archive does not go on from it,
//! the copy is worth more than a new one.

use std::{fs, io::ErrorKind, path::Path};

use archive::layout;
use auditor::{Consistency, Folder, Log, Source, bundle::copy::Listed};

use super::folder::unmade;
use crate::{
    commands::audit::{archive::Archive, proof::refused},
    exit::{Failure, Outcome},
};

/// Refuses a folder that holds anything else.
pub(super) async fn check(folder: &Path, archive: &Archive, listed: &Listed) -> Outcome {
    if is_empty(folder)? {
        return Ok(());
    }
    let shown = folder.display();
    let foreign = |why: String| {
        Failure::usage(format!(
            "--to: {shown} is not empty, and {why}; nothing was written, take a new or an empty folder"
        ))
    };
    let note = Folder::new(folder).get(layout::CHECKPOINT).await?;
    let note = note.and_then(|note| String::from_utf8(note.into()).ok());
    let note = note.ok_or_else(|| foreign("no whole copy of an archive".to_owned()))?;
    let log = Log::open(&*archive.source, archive.verifier.as_ref()).await.map_err(refused)?;
    let kept = log
        .older(&note)
        .map_err(|_| foreign(format!("its checkpoint is none that {} has signed", log.head().origin)))?;
    let kept_text = format!("holds a copy of {} events with the root {}", kept.size, kept.root);
    let keep = |why: &str| {
        Failure::check(format!(
            "--to: {shown} {kept_text}, and {why}; nothing was written: keep it, and see audit consistency"
        ))
    };
    // The published head may be ahead of the newest manifest, which is what is copied.
    let copied = listed.head(&*archive.source).await.map_err(unmade)?;
    match log.consistency(&kept).await.map_err(refused)? {
        Consistency::Fork(here) => Err(keep(&format!("the archive has the root {here} there"))),
        Consistency::Shorter => Err(keep("the archive ends before")),
        Consistency::Beginning(_) if copied.size < kept.size => Err(keep("the archive's newest manifest ends before")),
        Consistency::Beginning(_) => Ok(()),
    }
}

fn is_empty(folder: &Path) -> Result<bool, Failure> {
    let unread = |error| Failure::usage(format!("--to: {} cannot be read: {error}", folder.display()));
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().transpose().map_err(unread)?.is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(unread(error)),
    }
}
