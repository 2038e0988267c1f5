//! What a caller asks of the log, and what it learns.

use std::{collections::HashSet, fmt};

use regions::Resident;
use schemas::{CommandId, Hash, Position, Sealed, StreamName, Version};

use crate::error::Error;

/// The most events one append may hold.
pub const EVENTS_MAX: usize = 1000;

/// All events of one command, to be appended together or not at all.
#[derive(Debug, Clone)]
pub struct Append {
    /// Whose log, and under which epoch.
    pub resident: Resident,
    /// The command that caused the events. An append of the same command to the same versions happens once, however often it
    /// is asked for.
    pub command_id: CommandId,
    /// What the client sent, if it did.
    pub idempotency: Option<Idempotency>,
    /// The events, by stream; none twice. Without any, nothing but the idempotency key is remembered, so there must be one.
    pub streams: Vec<StreamAppend>,
}

/// A client's promise that requests with the same key are one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The key, 1 to 255 bytes.
    pub key: String,
    /// The hash of the request, so that another request under the same key is noticed.
    pub fingerprint: Hash,
}

/// The events of one stream.
#[derive(Debug, Clone)]
pub struct StreamAppend {
    /// Which stream.
    pub stream: StreamName,
    /// Where the caller found it.
    pub expected: Expected,
    /// At least one event, their versions following `expected`.
    pub events: Vec<Sealed>,
}

/// Where a stream must be for an append to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It has no events.
    NoStream,
    /// This is the version of its last event.
    Exact(Version),
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The position of the first event.
    pub first: Position,
    /// The position of the last event; of the head, before `first`, when there were no events.
    pub last: Position,
    /// Whether the idempotency key had been used by the same request before: the positions are of then.
    pub replayed: bool,
}

impl Expected {
    /// The version the stream must have, 0 for none.
    pub const fn version(self) -> Version {
        match self {
            Self::NoStream => Version::ZERO,
            Self::Exact(version) => version,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStream => formatter.write_str("no stream"),
            Self::Exact(version) => write!(formatter, "version {version}"),
        }
    }
}

impl Append {
    /// How many events it holds.
    pub(crate) fn event_count(&self) -> usize {
        self.streams.iter().map(|stream| stream.events.len()).sum()
    }

    /// Refuses what the stored function would take without a question, and what would spoil the log.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let malformed = |what| Err(Error::Malformed { what });
        let mut seen = HashSet::new();
        if self.streams.is_empty() && self.idempotency.is_none() {
            return malformed("neither events nor an idempotency key");
        }
        if self.streams.iter().any(|stream| stream.events.is_empty()) {
            return malformed("a stream without events");
        }
        if self.event_count() > EVENTS_MAX {
            return malformed("too many events");
        }
        if !self.streams.iter().all(|stream| seen.insert(&stream.stream)) {
            return malformed("a stream named twice");
        }
        if self.idempotency.as_ref().is_some_and(|sent| sent.key.is_empty() || sent.key.len() > 255) {
            return malformed("an idempotency key that is not 1 to 255 bytes long");
        }
        self.streams.iter().try_for_each(|stream| self.check_stream(stream))
    }

    fn check_stream(&self, stream: &StreamAppend) -> Result<(), Error> {
        let mut version = stream.expected.version();
        for Sealed { envelope, .. } in &stream.events {
            version = version.next();
            if envelope.version != version || envelope.stream != stream.stream {
                return Err(Error::Malformed { what: "an envelope of another place in the stream" });
            }
            if envelope.tenant_id != self.resident.tenant_id() || envelope.command_id != self.command_id {
                return Err(Error::Malformed { what: "an envelope of another tenant or command" });
            }
        }
        Ok(())
    }
}
