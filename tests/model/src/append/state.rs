//! What the database, the backends, the lanes and the callers remember.

use std::fmt;

use super::{LANES, TENANTS};

/// A row of `log.event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    /// Whose.
    pub(crate) tenant: u8,
    /// Its place in the tenant's log.
    pub(crate) position: u8,
    /// Of which stream.
    pub(crate) stream: u8,
    /// Its place there.
    pub(crate) version: u8,
    /// By which caller.
    pub(crate) command: u8,
}

/// A row of `log.idempotency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) tenant: u8,
    pub(crate) key: u8,
    pub(crate) command: u8,
    pub(crate) first: u8,
}

/// An append as it travels: what the caller had read goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sent {
    pub(crate) caller: u8,
    pub(crate) expected: u8,
}

/// What `log.append` says of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// It is in the log from here.
    Appended(u8),
    /// An earlier try of it is.
    HadBeenAppended(u8),
    /// Another request with its key is.
    Replayed(u8),
    /// Somebody else was first.
    WrongExpectedVersion,
}

/// What a backend is about to do. It hopes in `log.append_alone` and `log.append_together`, which write nothing if anything is not as it
/// should be; `log.append` finds out what. `snapshot` is how many events were committed when the statement that locks began, as far as anybody
/// asks; `heads` are the positions it read in the head rows it locked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum At {
    /// Wait for a statement.
    Idle,
    /// Step 1: lock.
    Called { hopes: bool },
    /// Step 1: wait for the next lock.
    Locking { hopes: bool, snapshot: u8, heads: Vec<u8> },
    /// Step 2 to 4: read the versions, decide and write. Nobody else sees where one ends and the next begins.
    Locked { hopes: bool, snapshot: u8, heads: Vec<u8> },
    /// It hoped in vain: commit nothing, and say so.
    Null,
    /// Commit.
    Written { events: Vec<Event>, keys: Vec<Key>, outcomes: Vec<Outcome> },
    /// Send the outcomes.
    Committed { outcomes: Vec<Outcome> },
    /// Nothing: it has ended.
    Gone,
}

/// A backend and its connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    pub(crate) sent: Vec<Sent>,
    pub(crate) at: At,
    /// Whether the connection to its lane is lost: a zombie.
    pub(crate) is_orphan: bool,
}

/// A lane: its connection, and the batches it works off. The first one is being run if the connection is busy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    pub(crate) session: Option<u8>,
    pub(crate) batches: Vec<Vec<u8>>,
}

/// What a caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// `Appended`, from this position.
    Appended(u8),
    /// `Appended` with `replayed`: another request with its key did it, from this position.
    Replayed(u8),
    /// An error that says: nothing was appended.
    Refused,
    /// `Error::OutcomeUnknown`.
    Unknown,
}

/// How far a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CallerState {
    /// It has not come.
    Before,
    /// It waits in the queue.
    Queued { expected: u8 },
    /// It is in a batch.
    Taken { expected: u8, was_sent: bool },
    /// It knows.
    Answered(Answer),
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Committed events, in the order of their commits.
    pub(crate) log: Vec<Event>,
    /// Committed positions of the head rows.
    pub(crate) heads: Vec<u8>,
    pub(crate) keys: Vec<Key>,
    /// Which backend holds each head row.
    pub(crate) locks: Vec<Option<u8>>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) callers: Vec<CallerState>,
    pub(crate) losses_left: u8,
    pub(crate) kills_left: u8,
}

impl State {
    pub(crate) fn new(caller_count: usize, (losses_left, kills_left): (u8, u8)) -> Self {
        let idle = Session { sent: Vec::new(), at: At::Idle, is_orphan: false };
        Self {
            log: Vec::new(),
            heads: vec![0; TENANTS.into()],
            keys: Vec::new(),
            locks: vec![None; TENANTS.into()],
            sessions: vec![idle; LANES.into()],
            lanes: (0..LANES).map(|session| Lane { session: Some(session), batches: Vec::new() }).collect(),
            callers: vec![CallerState::Before; caller_count],
            losses_left,
            kills_left,
        }
    }

    /// The stream's version, as of when the first `snapshot` events were committed.
    pub(crate) fn version(&self, (tenant, stream): (u8, u8), snapshot: u8) -> u8 {
        let seen = &self.log[..usize::from(snapshot)];
        let of_stream = seen.iter().filter(|event| event.tenant == tenant && event.stream == stream);
        of_stream.map(|event| event.version).max().unwrap_or_default()
    }

    /// A snapshot of now.
    pub(crate) fn now(&self) -> u8 {
        u8::try_from(self.log.len()).expect("a model's log is short")
    }

    pub(crate) fn session_count(&self) -> u8 {
        u8::try_from(self.sessions.len()).expect("a model has few backends")
    }

    pub(crate) fn session(&self, id: u8) -> &Session {
        &self.sessions[usize::from(id)]
    }

    pub(crate) fn session_mut(&mut self, id: u8) -> &mut Session {
        &mut self.sessions[usize::from(id)]
    }

    /// A backend that still runs for nobody.
    pub(crate) fn is_orphan(&self, id: u8) -> bool {
        let session = self.session(id);
        session.is_orphan && session.at != At::Gone
    }

    /// A backend ends: what it has not committed never was, and its locks are free.
    pub(crate) fn end(&mut self, id: u8) {
        self.unlock(id);
        let session = self.session_mut(id);
        session.at = At::Gone;
        session.sent.clear();
    }

    pub(crate) fn unlock(&mut self, id: u8) {
        self.locks.iter_mut().filter(|lock| **lock == Some(id)).for_each(|lock| *lock = None);
    }
}

impl fmt::Display for At {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = |hopes: &bool| if *hopes { "log.append_alone or _together" } else { "log.append" };
        match self {
            Self::Called { hopes } => {
                write!(formatter, "{}, 1: locks the first head row, or waits for it", call(hopes))
            }
            Self::Locking { hopes, .. } => {
                write!(formatter, "{}, 1: locks the next head row, and reads that row anew", call(hopes))
            }
            Self::Locked { hopes, .. } => {
                write!(formatter, "{}, 2 to 4: reads the versions, decides, writes", call(hopes))
            }
            Self::Null => formatter.write_str("null: nothing is written, and log.append is asked"),
            Self::Written { .. } => formatter.write_str("commits"),
            Self::Idle | Self::Committed { .. } | Self::Gone => formatter.write_str("rests"),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "the log, in the order of commits")?;
        for Event { tenant, position, stream, version, command } in &self.log {
            writeln!(
                formatter,
                "      tenant {tenant} position {position}: stream {stream} version {version}, of caller {command}"
            )?;
        }
        for (index, caller) in self.callers.iter().enumerate() {
            writeln!(formatter, "      caller {index}: {caller:?}")?;
        }
        Ok(())
    }
}
