//! A ticket's bundle: each event with a proof under one checkpoint, its sealed payload, its schema, its files.
//!
//! What is there is proven. What is not there is found where it leaves a gap in a stream, or the bundle without the ticket; that the
//! streams end where they end here is not shown, since nobody signed which events a ticket has.

use std::collections::{BTreeMap, BTreeSet};

use archive::{Checkpoint, EventProof, Verifier, layout};
use schemas::{CommandId, Entry, Hash, Position, StreamName, TicketId, Version};

use super::{Bundle, CHECKPOINT, EVENTS, VERIFIER};
use crate::{
    log::key_chain,
    report::{NotChecked, Report, Wrong},
    source::{Error, Source},
    verify::Options,
};

const PROOF: &str = ".tlog-proof";

/// Where the proof of an event lies.
pub fn proof(position: Position) -> String {
    format!("{EVENTS}{:012}{PROOF}", position.get())
}

/// Where its sealed payload lies.
pub fn payload(position: Position) -> String {
    format!("{EVENTS}{:012}.payload", position.get())
}

/// What the events of a bundle have in common.
struct Common<'bundle> {
    source: &'bundle dyn Source,
    bundle: &'bundle Bundle,
    key: Verifier,
    note: String,
    streams: BTreeMap<StreamName, Stream>,
}

/// What was found of a stream.
#[derive(Default)]
struct Stream {
    version: Option<Version>,
    commands: BTreeSet<CommandId>,
    proofs: Vec<(Position, String)>,
}

pub(super) async fn verify(
    source: &dyn Source,
    bundle: &Bundle,
    ticket: TicketId,
    options: &Options,
) -> Result<Report, Error> {
    let mut report = Report {
        tenant_id: Some(bundle.tenant_id),
        region: Some(bundle.region.clone()),
        ticket: Some(ticket),
        is_key_pinned: options.verifier.is_some(),
        not_checked: vec![NotChecked::BesideTicket, NotChecked::Shapes],
        ..Report::default()
    };
    if let Some((key, head, note)) = head(source, bundle, options, &mut report).await? {
        report.root = Some(head.root);
        let mut common = Common { source, bundle, key, note, streams: BTreeMap::new() };
        let mut proofs: Vec<_> = source.list().await?.into_iter().filter(|path| path.ends_with(PROOF)).collect();
        proofs.sort();
        for path in proofs {
            match common.event(&path, &mut report).await? {
                Ok(()) => report.size += 1,
                Err(wrong) => report.add(position_of(&path), path, wrong),
            }
        }
        strangers(&common.streams, ticket, &mut report);
    }
    report.conclude(&Options { reads_attachments: true, ..options.clone() });
    Ok(report)
}

/// Events of anything but the ticket and the files that its commands took.
fn strangers(streams: &BTreeMap<StreamName, Stream>, ticket: TicketId, report: &mut Report) {
    let name = StreamName::Ticket(ticket);
    let Some(own) = streams.get(&name) else {
        return report.add(None, EVENTS, Wrong::Belongs("ticket"));
    };
    let is_file = |of: &StreamName, stream: &Stream| {
        matches!(of, StreamName::Upload(_)) && !stream.commands.is_disjoint(&own.commands)
    };
    let strangers = streams.iter().filter(|(of, stream)| **of != name && !is_file(of, stream));
    for (position, path) in strangers.flat_map(|(_, stream)| &stream.proofs) {
        report.add(*position, path.as_str(), Wrong::Belongs("ticket"));
    }
}

/// The checkpoint that all proofs lead to, and the key it is checked with: the given one or, where the bundle's successions lead from
/// the one to the other, a later or an earlier one of the region.
async fn head(
    source: &dyn Source,
    bundle: &Bundle,
    options: &Options,
    report: &mut Report,
) -> Result<Option<(Verifier, Checkpoint, String)>, Error> {
    let origin = archive::checkpoint::origin(&bundle.region, bundle.tenant_id);
    let beside = source.get(VERIFIER).await?.and_then(|text| String::from_utf8(text.into()).ok());
    let beside = beside.and_then(|text| text.trim().parse().ok());
    let Some(key) = options.verifier.clone().or(beside) else {
        report.add(None, VERIFIER, Wrong::Unreadable("not the shape of a verifier key".to_owned()));
        return Ok(None);
    };
    let key = Verifier::new(origin.as_str(), *key.public_key());
    let keys = key_chain(source, &key).await?;
    let note = source.get(CHECKPOINT).await?.and_then(|text| String::from_utf8(text.into()).ok());
    let Some(note) = note else {
        report.add(None, CHECKPOINT, Wrong::Missing);
        return Ok(None);
    };
    match keys.checkpoint(&origin, &note) {
        Ok((head, number)) => {
            report.verifier = Some(key.to_string());
            report.verifiers = keys.verifiers(&origin).map(|verifier| verifier.to_string()).collect();
            let key = keys.verifiers(&origin).nth(number).expect("a key of the chain has signed");
            Ok(Some((key, head, note)))
        }
        Err(error) => {
            report.add(None, CHECKPOINT, Wrong::Signature(error.to_string()));
            Ok(None)
        }
    }
}

fn position_of(path: &str) -> Option<Position> {
    path.strip_prefix(EVENTS)?.strip_suffix(PROOF)?.parse().ok()
}

impl Common<'_> {
    /// Checks one event and what hangs on it.
    async fn event(&mut self, path: &str, report: &mut Report) -> Result<Result<(), Wrong>, Error> {
        let unreadable = |what: &str| Wrong::Unreadable(what.to_owned());
        let text = self.source.get(path).await?.and_then(|text| String::from_utf8(text.into()).ok());
        let Some(found) = text.and_then(|text| EventProof::parse(&text).ok()) else {
            return Ok(Err(unreadable("not the shape of a proof")));
        };
        if found.checkpoint != self.note {
            return Ok(Err(Wrong::Belongs("checkpoint")));
        }
        if let Err(error) = found.check(&self.key) {
            return Ok(Err(unreadable(&error.to_string())));
        }
        let position = Position::new(i64::try_from(found.index).unwrap_or(i64::MAX).saturating_add(1));
        if path != proof(position) {
            return Ok(Err(Wrong::Belongs("position")));
        }
        let Ok(entry) = serde_json::from_slice::<Entry>(&found.entry) else {
            return Ok(Err(unreadable("the envelope has not the shape of one")));
        };
        let envelope = &entry.envelope;
        let stream = self.streams.entry(envelope.stream.clone()).or_default();
        if stream.version.unwrap_or(Version::ZERO).next() != envelope.version {
            report.add(position, path, Wrong::StreamVersion);
        }
        stream.version = Some(envelope.version);
        stream.commands.insert(envelope.command_id);
        stream.proofs.push((position, path.to_owned()));
        self.hangs_on(position, payload(position), entry.payload_sha256, report).await?;
        if let Some(blob) = envelope.blob {
            self.hangs_on(position, layout::attachment(blob), blob, report).await?;
            report.attachments += 1;
        }
        // An archive holds the shape that was current when it was written, which an older event may differ from.
        let schemas = format!("{}{}@", layout::SCHEMAS, envelope.event_type);
        if !self.bundle.files.iter().any(|file| file.path.starts_with(&schemas)) {
            report.add(
                position,
                layout::schema(&format!("{}@{}", envelope.event_type, envelope.schema_version)),
                Wrong::Missing,
            );
        }
        Ok(Ok(()))
    }

    /// A file that the event speaks of, with the hash it must have. What is missing has been said of the list already.
    async fn hangs_on(&self, position: Position, path: String, wanted: Hash, report: &mut Report) -> Result<(), Error> {
        let is_listed = self.bundle.files.iter().any(|file| file.path == path);
        let wrong = match self.source.get(&path).await? {
            None if is_listed => return Ok(()),
            None => Wrong::Missing,
            Some(bytes) if Hash::of(&[&bytes]) != wanted => Wrong::HashDiffers,
            Some(_) => return Ok(()),
        };
        report.add(position, path, wrong);
        Ok(())
    }
}
