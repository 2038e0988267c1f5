//! Appending: lanes of several processes, their backends in Postgres, connections that break.
//!
//! | here | in the code |
//! |---|---|
//! | [`Action::Arrive`] | `desk/src/execute.rs` reads the stream and decides; `Appender::hand_over` queues (`eventlog/src/appender.rs`) |
//! | [`Action::Take`], [`Action::Answer`] | `Lane::take`, `Lane::commit`, `Lane::answer` (`eventlog/src/appender/lane.rs`) |
//! | [`Action::Step`] | one statement of `log.append_alone`, `log.append_together` or `log.append` (`eventlog/migrations/1002_append.sql`, `1004_append_together.sql`), by its number there |
//! | [`Action::RunOutOfPatience`] | `lock_timeout`: `Lane::blocked` (`siding.rs`, a lane like another), `Waiting::refuse_as_busy` |
//! | [`Action::LoseConnection`], [`Action::Reconnect`], [`Action::GiveUp`] | `eventlog/src/appender/outage.rs` |
//! | [`Action::EndOrphan`] | a backend notices that its client is gone, and rolls back |
//! | [`Action::KillServer`] | `kill -9` of Postgres: every open transaction is gone, every commit stays |
//!
//! Postgres is modelled by what the argument needs: READ COMMITTED, in which each statement sees what was committed when it began,
//! a row lock that is held to the end of the transaction, and a statement that waited for one and then reads that row anew and
//! nothing else. There is no unique index here: it is the net, and the rules must hold without it.

mod lane;
mod properties;
mod session;
mod state;

use stateright::{Model, Property};

use crate::explore::Protocol;
pub use properties::{
    ACKNOWLEDGED, ANSWERED, DENSE_POSITIONS, DENSE_VERSIONS, NO_CIRCLE, ONCE_OR_NOT, ONE_REQUEST, REFUSED,
};
use state::CallerState;
pub use state::State;

/// What the argument rests on. A twin of the model breaks one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Step 1 of `log.append` locks the head rows: `for update`.
    LockHeads,
    /// And it does in the order of the tenants' ids, whoever comes.
    LockInOrder,
    /// Step 2, a statement of its own, reads the versions after that.
    ReadVersionsAfterLocking,
    /// Step 3 counts what earlier callers of the same batch have moved: `earlier_streams`.
    CountEarlierCallers,
    /// A version that is taken may be taken by the very command that asks: looked up by stream, version and command id.
    FindOwnCommand,
    /// The idempotency key is looked up under the lock, not only before the work.
    FindKeyUnderLock,
    /// After a lost connection the same append is sent again: nobody decides anew.
    ResendUnchanged,
    /// A commit that was answered is on disk.
    Durable,
}

/// One append that somebody asks for. Its index is its command id.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Which lane it waits for. Lanes here are of different processes: those of one process share no tenant.
    pub lane: u8,
    /// Whose log.
    pub tenant: u8,
    /// Which of the tenant's streams.
    pub stream: u8,
    /// How many events.
    pub events: u8,
    /// The idempotency key, if it came with one; callers with the same key are one request that was sent twice.
    pub key: Option<u8>,
}

/// Callers, and what may go wrong.
#[derive(Debug, Clone)]
pub struct AppendModel {
    /// Who appends.
    pub callers: Vec<Caller>,
    /// How many connections may break.
    pub losses: u8,
    /// How often Postgres is killed.
    pub kills: u8,
    /// The rule that does not hold.
    pub broken: Option<Rule>,
}

/// How many lanes there are.
pub(crate) const LANES: u8 = 2;
/// How many tenants there are.
pub(crate) const TENANTS: u8 = 2;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A caller reads its stream's version, decides and queues.
    Arrive(u8),
    /// A lane takes everyone who waits and sends the batch.
    Take(u8),
    /// A backend carries out its next statement, or commits.
    Step(u8),
    /// A backend waited too long for a lock and rolled back.
    RunOutOfPatience(u8),
    /// A lane reads the outcomes and answers.
    Answer(u8),
    /// A lane's connection breaks while it waits for an answer; the backend goes on.
    LoseConnection(u8),
    /// A lane connects again and sends the batch again.
    Reconnect(u8),
    /// A lane that is not connected answers those it has.
    GiveUp(u8),
    /// A backend without a client notices, and rolls back.
    EndOrphan(u8),
    /// Postgres is killed, and recovers.
    KillServer,
}

impl AppendModel {
    /// Two processes, two tenants; the lanes' batches meet at both. Nothing breaks.
    pub fn contention() -> Self {
        let caller = |lane, tenant, stream, events| Caller { lane, tenant, stream, events, key: None };
        let callers = vec![caller(0, 0, 0, 1), caller(0, 1, 0, 2), caller(1, 0, 0, 1), caller(1, 1, 1, 1)];
        Self { callers, losses: 0, kills: 0, broken: None }
    }

    /// Three callers of one stream, two of them through one lane. Two connections break.
    pub fn outage() -> Self {
        Self { losses: 2, ..Self::one_stream() }
    }

    /// The same callers. Postgres is killed.
    pub fn killed_server() -> Self {
        Self { kills: 1, ..Self::one_stream() }
    }

    fn one_stream() -> Self {
        let caller = |lane, events| Caller { lane, tenant: 0, stream: 0, events, key: None };
        Self { callers: vec![caller(0, 2), caller(0, 1), caller(1, 1)], losses: 0, kills: 0, broken: None }
    }

    /// One request that came twice, to two processes, among others; connections break.
    pub fn repeated_request() -> Self {
        let caller = |lane, stream, key| Caller { lane, tenant: 0, stream, events: 1, key };
        let callers = vec![caller(0, 0, Some(7)), caller(1, 1, Some(7)), caller(1, 0, None)];
        Self { callers, losses: 2, kills: 0, broken: None }
    }

    /// The same with one rule broken.
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        Self { broken: Some(rule), ..self }
    }

    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

    pub(crate) fn caller(&self, index: u8) -> Caller {
        self.callers[usize::from(index)]
    }
}

impl Model for AppendModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.callers.len(), (self.losses, self.kills))]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(self.steps(state));
        actions.extend(self.chances(state));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Arrive(caller) => self.arrive(&mut next, caller),
            Action::Take(lane) => self.take(&mut next, lane),
            Action::Step(session) => self.step(&mut next, session),
            Action::RunOutOfPatience(session) => self.run_out_of_patience(&mut next, session),
            Action::Answer(lane) => self.answer(&mut next, lane),
            Action::LoseConnection(lane) => {
                next.losses_left -= 1;
                next.lose_connection(lane);
            }
            Action::Reconnect(lane) => self.reconnect(&mut next, lane),
            Action::GiveUp(lane) => next.give_up(lane),
            Action::EndOrphan(session) => next.end(session),
            Action::KillServer => self.kill_server(&mut next),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.rules_and_situations()
    }
}

impl Protocol for AppendModel {
    fn describe(&self, state: &State, action: &Action) -> String {
        match action {
            Action::Arrive(caller) => {
                format!("caller {caller} reads its stream, decides and queues (execute, Appender::hand_over)")
            }
            Action::Take(lane) => format!("lane {lane} takes who waits and sends the batch (Lane::take)"),
            Action::Step(session) => format!("backend {session}, {}", state.session(*session).at),
            Action::RunOutOfPatience(session) => {
                format!("backend {session} gives up waiting for a lock and rolls back (Lane::blocked)")
            }
            Action::Answer(lane) => format!("lane {lane} reads the outcomes and answers (Lane::answer)"),
            Action::LoseConnection(lane) => format!("lane {lane} loses its connection; the backend goes on"),
            Action::Reconnect(lane) => format!("lane {lane} connects and sends the batch again (Lane::reconnect)"),
            Action::GiveUp(lane) => format!("lane {lane} answers without a connection (Waiting::give_up)"),
            Action::EndOrphan(session) => format!("backend {session} notices that its client is gone, and rolls back"),
            Action::KillServer => "Postgres is killed, and recovers".to_owned(),
        }
    }

    fn steps(&self, state: &State) -> Vec<Action> {
        let mut steps = Vec::new();
        for lane in 0..LANES {
            steps.extend(self.can_take(state, lane).then_some(Action::Take(lane)));
            steps.extend(state.has_outcomes(lane).then_some(Action::Answer(lane)));
            steps.extend(state.can_reconnect(lane).then_some(Action::Reconnect(lane)));
        }
        let sessions = 0..state.session_count();
        steps.extend(sessions.filter(|session| self.can_step(state, *session)).map(Action::Step));
        steps
    }

    fn chances(&self, state: &State) -> Vec<Action> {
        let mut chances = Vec::new();
        let callers = (0u8..).zip(&state.callers).filter(|(_, caller)| **caller == CallerState::Before);
        chances.extend(callers.map(|(index, _)| Action::Arrive(index)));
        for lane in 0..LANES {
            let may_break = state.losses_left > 0 && state.is_waiting_for_an_answer(lane);
            chances.extend(may_break.then_some(Action::LoseConnection(lane)));
            chances.extend(state.can_reconnect(lane).then_some(Action::GiveUp(lane)));
        }
        for session in 0..state.session_count() {
            chances.extend(self.is_blocked(state, session).then_some(Action::RunOutOfPatience(session)));
            chances.extend(state.is_orphan(session).then_some(Action::EndOrphan(session)));
        }
        chances.extend((state.kills_left > 0).then_some(Action::KillServer));
        chances
    }
}
