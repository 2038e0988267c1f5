//! `domicile audit proof`: that an event is in its tenant's log, as a file that needs neither.

use std::{fs, path::PathBuf};

use archive::KeyChain;
use auditor::{Log, Wanted, log};
use clap::Args;
use schemas::{EventId, Position};

use super::{
    archive::{ArchiveOption, trust},
    check::check,
    granted::Granted,
};
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
};

/// `domicile audit proof`.
#[derive(Debug, Args)]
pub struct Proof {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub archive: ArchiveOption,
    /// The event: its position in the tenant's log, or its id.
    #[arg(long, value_name = "POSITION|ID")]
    pub event: Event,
    /// The file to write, such as 42.tlog-proof; standard output when absent.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// An event, as people name one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event(Wanted);

impl std::str::FromStr for Event {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let position = || text.parse::<Position>().map(Wanted::Position);
        let id = |_| text.parse::<EventId>().map(Wanted::Id);
        position().or_else(id).map(Self).map_err(|_| "takes a position such as 42, or an event's id")
    }
}

pub(super) async fn run(place: &Place, options: &Proof) -> Outcome {
    if let Some(granted) = Granted::by(&options.archive)? {
        return from_address(options, &granted).await;
    }
    let archive = options.archive.open(place).await?;
    let log = Log::open(&*archive.source, archive.verifier.as_ref()).await.map_err(refused)?;
    let proof = log.prove(options.event.0).await.map_err(refused)?;
    let place = format!("at position {} of {} in {}", proof.index + 1, log.head().size, log.head().origin);
    let key = format!("the key it holds under: {}{}", log.key(), trust(archive.verifier.is_some()));
    options.write(&proof.to_string(), &place, &key)
}

/// Takes what the address says only if it holds under the key that is known from elsewhere.
async fn from_address(options: &Proof, granted: &Granted) -> Outcome {
    let text = granted.proof(options.event.0).await?;
    let place = format!("as {} has it", granted.name());
    let Some(key) = &options.archive.verifier else {
        return options.write(
            &text,
            &place,
            "not checked: --verifier names the region's key, as you have it from elsewhere",
        );
    };
    let keys = KeyChain::of(*key.public_key());
    let proven = check(&text, (key.name(), &keys));
    let proven =
        proven.map_err(|why| Failure::check(format!("{} sent a proof that proves nothing: {why}", granted.name())))?;
    let is_asked_for = match options.event.0 {
        Wanted::Position(position) => proven.position() == position,
        Wanted::Id(id) => proven.event_id() == id,
    };
    if !is_asked_for {
        return Err(Failure::check(format!("{} sent the proof of another event", granted.name())));
    }
    options.write(&text, &place, &format!("it holds under {key}"))
}

impl Proof {
    /// Writes it where it is wanted; says what it is only where that is no part of it.
    fn write(&self, proof: &str, place: &str, key: &str) -> Outcome {
        let Some(path) = &self.output else {
            print!("{proof}");
            return Ok(());
        };
        let file = path.display();
        let unwritten = |error| Failure::usage(format!("--output: {file} cannot be written: {error}"));
        fs::write(path, proof).map_err(unwritten)?;
        println!("{file}: the event {place}");
        println!("check it anywhere with: domicile audit check {file} --verifier KEY");
        println!("{key}");
        Ok(())
    }
}

/// Why there is no proof. Only a store that does not answer says nothing about the archive.
pub(super) fn refused(error: log::Error) -> Failure {
    match error {
        log::Error::Source(error) => Failure::unavailable(error),
        log::Error::NoSuchEvent { .. } => Failure::usage(format!("--event: {error}")),
        error => Failure::check(format!("{:#}", anyhow::Error::new(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_by_its_position_or_its_id() {
        assert_eq!("42".parse(), Ok(Event(Wanted::Position(Position::new(42)))));
        let id = "018f0000-0000-7000-8000-000000000042";
        assert_eq!(id.parse(), Ok(Event(Wanted::Id(id.parse().expect("an id")))));
        assert!("ticket-42".parse::<Event>().is_err());
    }
}
