//! `domicile audit check`: does a proof hold? From the file and a key, with no archive, no network and no deployment.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use archive::{Checkpoint, EventProof, KeyChain, Verifier};
use auditor::Folder;
use clap::Args;
use jiff::Timestamp;
use schemas::{Actor, EventId, Hash, Position, StreamName, Version};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    exit::{Failure, Outcome},
    output::{Format, print_one},
};

/// More than any proof or tree head has. What is longer is none.
const BYTES_MAX: u64 = 1024 * 1024;

/// `domicile audit check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The proof; - for standard input.
    pub file: PathBuf,
    /// The verifier key of the log or of its region, from elsewhere: a proof proves nothing without it.
    #[arg(long, value_name = "KEY")]
    pub verifier: Verifier,
    /// A copy of the log's archive: its successions say which keys came before and after the given one.
    #[arg(long, value_name = "FOLDER")]
    pub from: Option<PathBuf>,
    /// How to print what it proves.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What is said of an event.
#[derive(Debug, Deserialize)]
struct Entry {
    stream: StreamName,
    version: Version,
    event_id: EventId,
    event_type: String,
    recorded_at: Timestamp,
    actor: Actor,
    payload_sha256: Hash,
}

/// A proof that holds.
pub(super) struct Proven {
    proof: EventProof,
    head: Checkpoint,
    /// The key that signed the head.
    key: Verifier,
    entry: Entry,
}

pub(super) async fn run(options: &Check) -> Outcome {
    let file = options.file.display();
    let keys = match &options.from {
        Some(folder) if folder.is_dir() => auditor::key_chain(&Folder::new(folder), &options.verifier).await?,
        Some(folder) => return Err(Failure::usage(format!("--from: {} is no folder", folder.display()))),
        None => KeyChain::of(*options.verifier.public_key()),
    };
    let proven = read_text(&options.file, "FILE")?
        .ok_or_else(|| "no text of a proof's length".to_owned())
        .and_then(|text| check(&text, (options.verifier.name(), &keys)));
    let said = match &proven {
        Ok(proven) => proven.as_json()?,
        Err(why) => json!({ "holds": false, "why": why }),
    };
    print_one(&said, options.format, || match &proven {
        Ok(proven) => format!("{file}: holds\n{}", proven.in_words()),
        Err(_) => String::new(),
    })?;
    proven.map(drop).map_err(|why| Failure::check(format!("{file} proves nothing: {why}")))
}

/// The text of a small file, or of standard input; `None` if it is none.
pub(super) fn read_text(path: &Path, argument: &str) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().take(BYTES_MAX).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::usage(format!("{argument}: {} cannot be read: {error}", path.display())))?;
    Ok(String::from_utf8(bytes).ok())
}

/// What a proof's text proves under a key of this name; why it does not, otherwise.
pub(super) fn check(text: &str, (name, keys): (&str, &KeyChain)) -> Result<Proven, String> {
    let in_full = |error| format!("{:#}", anyhow::Error::new(error));
    let proof = EventProof::parse(text).map_err(in_full)?;
    let (head, key) = proof.check_with(name, keys).map_err(in_full)?;
    let entry = serde_json::from_slice(&proof.entry).map_err(|error| format!("its entry is no event's: {error}"))?;
    Ok(Proven { proof, head, key, entry })
}

impl Proven {
    /// Where the event lies.
    pub(super) fn position(&self) -> Position {
        Position::new(i64::try_from(self.proof.index).unwrap_or(i64::MAX).saturating_add(1))
    }

    /// Which event it is.
    pub(super) const fn event_id(&self) -> EventId {
        self.entry.event_id
    }

    fn as_json(&self) -> Result<Value, Failure> {
        Ok(json!({
            "holds": true,
            "position": self.proof.index + 1,
            "size": self.head.size,
            "root": self.head.root,
            "origin": self.head.origin,
            "verifier": self.key.to_string(),
            "entry": serde_json::from_slice::<Value>(&self.proof.entry)?,
        }))
    }

    fn in_words(&self) -> String {
        let Self { proof, head, key, entry } = self;
        let (position, size) = (proof.index + 1, head.size);
        [
            format!("  event        {}, {} version {}", entry.event_type.escape_debug(), entry.stream, entry.version),
            format!("  id           {}", entry.event_id),
            format!("  recorded     {} by {}", entry.recorded_at, entry.actor),
            format!("  payload      SHA-256 {}", entry.payload_sha256),
            format!("  log          {}", head.origin),
            format!("  tree root    {}", head.root),
            format!("  key          {key}"),
            format!(
                "  proves       the key signed a history of {size} events, and this one is at position {position} of it"
            ),
            "  not proven   what the payload says (compare its hash), and that the history went on from there"
                .to_owned(),
        ]
        .map(|line| line + "\n")
        .concat()
    }
}
