//! `domicile audit consistency`: is what was signed once still the beginning of what is published now?

use std::path::PathBuf;

use auditor::{Consistency as Found, Log};
use clap::Args;
use schemas::Hash;
use serde_json::{Value, json};

use super::{
    archive::{ArchiveOption, trust},
    check::read_text,
    proof::refused,
};
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
    output::{Format, print_one},
};

/// `domicile audit consistency`.
#[derive(Debug, Args)]
pub struct Consistency {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub archive: ArchiveOption,
    /// An older tree head: a log/checkpoint that somebody kept; - for standard input.
    #[arg(long, value_name = "FILE")]
    pub old: PathBuf,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Two tree heads of one log, and how they stand to each other.
struct Compared<'log> {
    log: &'log Log<'log>,
    old: archive::Checkpoint,
    found: Found,
}

pub(super) async fn run(place: &Place, options: &Consistency) -> Outcome {
    let no_text = || Failure::check(format!("--old: {} is no tree head", options.old.display()));
    let old = read_text(&options.old, "--old")?.ok_or_else(no_text)?;
    let archive = options.archive.open(place).await?;
    let log = Log::open(&*archive.source, archive.verifier.as_ref()).await.map_err(refused)?;
    let old = log.older(&old).map_err(refused)?;
    let found = log.consistency(&old).await.map_err(refused)?;
    let compared = Compared { log: &log, old, found };
    let in_words = || compared.in_words(&archive.name, archive.verifier.is_some());
    print_one(&compared.as_json(), options.format, in_words)?;
    compared.verdict(&archive.name)
}

impl Compared<'_> {
    fn verdict(&self, name: &str) -> Outcome {
        let (old, new) = (self.old.size, self.log.head().size);
        match self.found {
            Found::Beginning(_) => Ok(()),
            Found::Fork(here) => Err(Failure::check(format!(
                "{name} is forked: of its first {old} events the key signed two histories, with the roots {} and {here}",
                self.old.root
            ))),
            Found::Shorter => Err(Failure::check(format!(
                "{name} has lost its end: it holds {new} events (root {}), and {old} were signed (root {})",
                self.log.head().root,
                self.old.root
            ))),
        }
    }

    fn as_json(&self) -> Value {
        let tree = |size: u64, root: Hash| json!({ "size": size, "root": root });
        let (found, proof, here) = match &self.found {
            Found::Beginning(proof) => ("beginning", Some(proof), None),
            Found::Fork(here) => ("fork", None, Some(tree(self.old.size, *here))),
            Found::Shorter => ("shorter", None, None),
        };
        let head = self.log.head();
        json!({
            "origin": head.origin,
            "found": found,
            "old": tree(self.old.size, self.old.root),
            "published": tree(head.size, head.root),
            "published_at_old_size": here,
            "proof": proof,
            "verifier": self.log.key().to_string(),
        })
    }

    fn in_words(&self, name: &str, is_key_pinned: bool) -> String {
        let (old, new) = (&self.old, self.log.head());
        let (verdict, last) = match &self.found {
            Found::Beginning(proof) => (
                "consistent",
                format!(
                    "  proves       the first {} of {} events are the ones that were signed then ({} hashes)",
                    old.size,
                    new.size,
                    proof.len()
                ),
            ),
            Found::Fork(here) => ("FORKED", format!("  here         {} events, root {here}", old.size)),
            Found::Shorter => ("SHORTER", "  wrong        the published history ends before the older one".to_owned()),
        };
        [
            format!("{name}: {verdict}"),
            format!("  log          {}", new.origin),
            format!("  older head   {} events, root {}", old.size, old.root),
            format!("  published    {} events, root {}", new.size, new.root),
            format!("  key          {}{}", self.log.key(), trust(is_key_pinned)),
            last,
        ]
        .map(|line| line + "\n")
        .concat()
    }
}
