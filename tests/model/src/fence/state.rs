//! Two regions' head rows and logs, the backends, the callers and the mover.

use std::fmt;

use super::FenceModel;

/// A head row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Head {
    pub(crate) epoch: u8,
    pub(crate) is_active: bool,
}

/// An event, and what was so when it was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    pub(crate) caller: u8,
    /// Whether the tenant was at home there, and had not moved since the caller proved it.
    pub(crate) was_at_home: bool,
}

/// Who holds a head row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Backend(u8),
    Mover,
}

/// A region's database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Home {
    pub(crate) head: Option<Head>,
    pub(crate) lock: Option<Holder>,
    pub(crate) log: Vec<Event>,
}

/// What a backend is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum At {
    /// Step 1: look for the head row, and lock it.
    Called,
    /// Step 1: wait for that lock, having seen this row.
    Locking { seen: Head },
    /// Step 3 and 4: nothing refuses it; write and commit.
    Locked,
    /// Send this: the position, or that the tenant is not at home.
    Decided(Option<u8>),
    /// Nothing: it has ended.
    Gone,
}

/// A backend, and the append it carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    pub(crate) caller: u8,
    pub(crate) proof: Proof,
    pub(crate) at: At,
    pub(crate) is_orphan: bool,
}

/// `Resident`. The generation is for the properties only: how many moves there had been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Proof {
    pub(crate) region: u8,
    pub(crate) epoch: u8,
    pub(crate) generation: u8,
}

/// What a caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Appended(u8),
    Refused,
    Unknown,
}

/// How far a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CallerState {
    Before,
    Proven(Proof),
    /// Without a session: the connection broke.
    Waiting {
        proof: Proof,
        session: Option<u8>,
        was_sent: bool,
    },
    Answered(Answer),
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Moving {
    Not,
    /// Only a twin does this: the log was copied before the fence.
    Prepared,
    /// The head row is locked and changed, and not committed.
    Fencing {
        copied: bool,
    },
    Fenced {
        copied: bool,
    },
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub(crate) homes: Vec<Home>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) callers: Vec<CallerState>,
    /// Where the tenant is at home, or moves from.
    pub(crate) from: u8,
    pub(crate) moving: Moving,
    pub(crate) copy: Vec<Event>,
    pub(crate) generation: u8,
    pub(crate) moves_left: u8,
    pub(crate) cancels_left: u8,
    pub(crate) losses_left: u8,
}

impl State {
    pub(crate) fn new(model: &FenceModel) -> Self {
        let home = |head| Home { head, lock: None, log: Vec::new() };
        Self {
            homes: vec![home(Some(Head { epoch: 1, is_active: true })), home(None)],
            sessions: Vec::new(),
            callers: vec![CallerState::Before; model.callers.into()],
            from: 0,
            moving: Moving::Not,
            copy: Vec::new(),
            generation: 0,
            moves_left: model.moves,
            cancels_left: model.cancels,
            losses_left: model.losses,
        }
    }

    pub(crate) fn home(&self, region: u8) -> &Home {
        &self.homes[usize::from(region)]
    }

    pub(crate) fn home_mut(&mut self, region: u8) -> &mut Home {
        &mut self.homes[usize::from(region)]
    }

    pub(crate) fn is_at_home(&self, region: u8) -> bool {
        self.home(region).head.is_some_and(|head| head.is_active)
    }

    pub(crate) fn session_count(&self) -> u8 {
        u8::try_from(self.sessions.len()).expect("a model has few backends")
    }

    pub(crate) fn session(&self, id: u8) -> Session {
        self.sessions[usize::from(id)]
    }

    pub(crate) fn is_orphan(&self, id: u8) -> bool {
        self.session(id).is_orphan && self.session(id).at != At::Gone
    }

    pub(crate) fn has_outcome(&self, id: u8) -> bool {
        matches!(self.session(id).at, At::Decided(_))
    }

    pub(crate) fn can_step(&self, id: u8) -> bool {
        let Session { proof, at, .. } = self.session(id);
        match at {
            At::Called | At::Locked => true,
            At::Locking { .. } => self.home(proof.region).lock.is_none(),
            At::Decided(_) | At::Gone => false,
        }
    }

    pub(crate) fn end(&mut self, id: u8) {
        self.set(id, At::Gone);
        for home in &mut self.homes {
            home.lock.take_if(|holder| *holder == Holder::Backend(id));
        }
    }

    pub(crate) fn set(&mut self, id: u8, at: At) {
        self.sessions[usize::from(id)].at = at;
    }

    // The callers and their lanes.

    pub(crate) fn prove(&mut self, caller: u8, region: u8) {
        let epoch = self.home(region).head.expect("the tenant is at home there").epoch;
        let proof = Proof { region, epoch, generation: self.generation };
        self.callers[usize::from(caller)] = CallerState::Proven(proof);
    }

    pub(crate) fn send(&mut self, caller: u8) {
        let (proof, was_sent) = match self.callers[usize::from(caller)] {
            CallerState::Proven(proof) => (proof, false),
            CallerState::Waiting { proof, .. } => (proof, true),
            CallerState::Before | CallerState::Answered(_) => unreachable!("it has something to send"),
        };
        let session = Some(self.session_count());
        self.sessions.push(Session { caller, proof, at: At::Called, is_orphan: false });
        self.callers[usize::from(caller)] = CallerState::Waiting { proof, session, was_sent };
    }

    pub(crate) fn lose_connection(&mut self, caller: u8) {
        let CallerState::Waiting { session, was_sent, .. } = &mut self.callers[usize::from(caller)] else {
            unreachable!("it waits for an answer")
        };
        *was_sent = true;
        let id = session.take().expect("it has a connection");
        self.losses_left -= 1;
        self.sessions[usize::from(id)].is_orphan = true;
        if self.has_outcome(id) {
            self.end(id);
        }
    }

    pub(crate) fn give_up(&mut self, caller: u8) {
        self.callers[usize::from(caller)] = CallerState::Answered(Answer::Unknown);
    }

    // The mover.

    pub(crate) fn may_move(&self) -> bool {
        self.moving == Moving::Not && self.moves_left > 0 && self.may_lock()
    }

    pub(crate) fn may_lock(&self) -> bool {
        self.home(self.from).lock.is_none()
    }

    pub(crate) fn fence(&mut self) {
        let Moving::Fencing { copied } = self.moving else { unreachable!("a move has begun") };
        self.moving = Moving::Fenced { copied };
        self.set_active(true, false);
    }

    pub(crate) fn cancel(&mut self) {
        self.cancels_left -= 1;
        self.moving = Moving::Not;
        self.copy.clear();
        self.set_active(false, true);
    }

    fn set_active(&mut self, unlock: bool, is_active: bool) {
        let from = self.from;
        let home = self.home_mut(from);
        home.head.as_mut().expect("it is at home there").is_active = is_active;
        home.lock.take_if(|_| unlock);
    }

    pub(crate) fn copy(&mut self) {
        self.copy = self.home(self.from).log.clone();
        self.moving = Moving::Fenced { copied: true };
    }

    pub(crate) fn describe_step(&self, id: u8) -> String {
        let Session { caller, proof, at, .. } = self.session(id);
        let does = match at {
            At::Called => "log.append 1: looks for the head row and locks it, or waits for it",
            At::Locking { .. } => "log.append 1: gets the lock it waited for, and reads that row anew",
            At::Locked => "log.append 3 and 4: writes and commits, unless it is there already",
            At::Decided(_) | At::Gone => "rests",
        };
        format!("backend {id} of region {} for caller {caller}, {does}", proof.region)
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "the tenant is at home in region {}, or moves from there", self.from)?;
        for (region, home) in self.homes.iter().enumerate() {
            writeln!(formatter, "      region {region}: {:?}, log {:?}", home.head, home.log)?;
        }
        for (index, caller) in self.callers.iter().enumerate() {
            writeln!(formatter, "      caller {index}: {caller:?}")?;
        }
        Ok(())
    }
}
