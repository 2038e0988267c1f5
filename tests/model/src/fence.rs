//! A tenant that moves, and the epoch that keeps those out who have not heard of it.
//!
//! | here | in the code |
//! |---|---|
//! | [`Action::Prove`] | `Resident::prove` (`regions/src/resident.rs`): region and epoch, as of then |
//! | [`Action::Send`], [`Action::Resend`], [`Action::GiveUp`] | `Lane::commit`, `Lane::reconnect`, `Waiting::give_up` (`eventlog/src/appender/`) |
//! | [`Action::Step`] | step 1 of `log.append`: `where state = 'active' ... for update`; step 3: `head_epoch is distinct from epochs[caller]`, and the look-up of the own command for who is not at home; the commit |
//! | [`Action::Answer`] | `Waiting::result` (`lane.rs`): who was sent before and is not at home learns that nobody knows |
//! | [`Action::BeginMove`] to [`Action::Open`] | what a move has to do: under the head row's lock the tenant becomes `moving`; then its log is copied; then it is `active` elsewhere under the next epoch |
//!
//! Each caller appends to a stream of its own, so nothing but the fence refuses it.

mod properties;
mod session;
mod state;

use stateright::{Model, Property};

use crate::explore::Protocol;
pub use properties::{ACKNOWLEDGED, ANSWERED, FENCED, ONCE, ONE_HOME, REFUSED};
pub use state::State;
use state::{CallerState, Moving};

/// What the argument rests on. A twin of the model breaks one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The append compares its epoch with the head row's.
    CheckEpoch,
    /// It looks at the row it locked, not at the row as it was when the statement began.
    CheckLockedRow,
    /// Who becomes home anew does so under the next epoch.
    RaiseEpoch,
    /// The log is copied when the tenant takes no more appends, not before.
    CopyAfterFence,
    /// After a lost connection, "not at home" is no answer: a zombie may find the tenant at home again.
    DoubtAfterLoss,
}

/// Callers, moves, and what may go wrong.
#[derive(Debug, Clone)]
pub struct FenceModel {
    /// How many callers there are.
    pub callers: u8,
    /// How often the tenant moves: away, and back.
    pub moves: u8,
    /// How many moves are called off.
    pub cancels: u8,
    /// How many connections may break.
    pub losses: u8,
    /// The rule that does not hold.
    pub broken: Option<Rule>,
}

/// How many regions there are.
pub(crate) const REGIONS: u8 = 2;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A desk proves that the tenant is at home in this region.
    Prove(u8, u8),
    /// A lane of that desk sends the caller's append.
    Send(u8),
    /// A backend carries out its next statement, or commits.
    Step(u8),
    /// The caller is answered.
    Answer(u8),
    /// The connection breaks before the answer; the backend goes on.
    LoseConnection(u8),
    /// The lane is connected again and sends the append again.
    Resend(u8),
    /// The lane answers without a connection.
    GiveUp(u8),
    /// A backend without a client notices, and rolls back.
    EndOrphan(u8),
    /// The mover locks the head row, and writes that the tenant moves.
    BeginMove,
    /// And commits that.
    Fence,
    /// The move is called off.
    Cancel,
    /// The log is copied.
    Copy,
    /// The tenant is at home in the other region.
    Open,
}

impl FenceModel {
    /// Two callers; the tenant moves away and back, one move is called off, two connections break.
    pub const fn new() -> Self {
        Self { callers: 2, moves: 2, cancels: 1, losses: 2, broken: None }
    }

    /// The same with one rule broken.
    #[must_use]
    pub fn without(self, rule: Rule) -> Self {
        Self { broken: Some(rule), ..self }
    }

    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }
}

impl Default for FenceModel {
    fn default() -> Self {
        Self::new()
    }
}

impl Model for FenceModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(self.steps(state));
        actions.extend(self.chances(state));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Prove(caller, region) => next.prove(caller, region),
            Action::Send(caller) | Action::Resend(caller) => next.send(caller),
            Action::Step(session) => self.step(&mut next, session),
            Action::Answer(caller) => self.answer(&mut next, caller),
            Action::LoseConnection(caller) => next.lose_connection(caller),
            Action::GiveUp(caller) => next.give_up(caller),
            Action::EndOrphan(session) => next.end(session),
            Action::BeginMove => self.begin_move(&mut next),
            Action::Fence => next.fence(),
            Action::Cancel => next.cancel(),
            Action::Copy => next.copy(),
            Action::Open => self.open(&mut next),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        Self::rules_and_situations()
    }
}

impl Protocol for FenceModel {
    fn describe(&self, state: &State, action: &Action) -> String {
        match action {
            Action::Prove(caller, region) => {
                format!(
                    "caller {caller}: a desk of region {region} proves that the tenant is at home (Resident::prove)"
                )
            }
            Action::Send(caller) => format!("caller {caller}: the append is sent (Lane::commit)"),
            Action::Step(session) => state.describe_step(*session),
            Action::Answer(caller) => format!("caller {caller} is answered (Waiting::result)"),
            Action::LoseConnection(caller) => format!("caller {caller}: the connection breaks; the backend goes on"),
            Action::Resend(caller) => format!("caller {caller}: the append is sent again (Lane::reconnect)"),
            Action::GiveUp(caller) => format!("caller {caller} is answered without a connection (Waiting::give_up)"),
            Action::EndOrphan(session) => format!("backend {session} notices that its client is gone, and rolls back"),
            Action::BeginMove if state.moving == Moving::Not && !self.keeps(Rule::CopyAfterFence) => {
                "the mover copies the log, too early".to_owned()
            }
            Action::BeginMove => "the mover locks the head row and writes state = 'moving'".to_owned(),
            Action::Fence => "the mover commits: no append is taken any more".to_owned(),
            Action::Cancel => "the move is called off: state = 'active' again, under the same epoch".to_owned(),
            Action::Copy => "the mover copies the log".to_owned(),
            Action::Open => "the mover makes the tenant at home in the other region".to_owned(),
        }
    }

    fn steps(&self, state: &State) -> Vec<Action> {
        let mut steps = Vec::new();
        for (index, caller) in (0u8..).zip(&state.callers) {
            steps.extend(match caller {
                CallerState::Proven { .. } => Some(Action::Send(index)),
                CallerState::Waiting { session: None, .. } => Some(Action::Resend(index)),
                CallerState::Waiting { session: Some(id), .. } if state.has_outcome(*id) => Some(Action::Answer(index)),
                CallerState::Before | CallerState::Waiting { .. } | CallerState::Answered(_) => None,
            });
        }
        let sessions = (0..state.session_count()).filter(|session| state.can_step(*session));
        steps.extend(sessions.map(Action::Step));
        steps.extend(match state.moving {
            Moving::Prepared if state.may_lock() => Some(Action::BeginMove),
            Moving::Not | Moving::Prepared => None,
            Moving::Fencing { .. } => Some(Action::Fence),
            Moving::Fenced { copied: false } => Some(Action::Copy),
            Moving::Fenced { copied: true } => Some(Action::Open),
        });
        steps
    }

    fn chances(&self, state: &State) -> Vec<Action> {
        let mut chances = Vec::new();
        for (index, caller) in (0u8..).zip(&state.callers) {
            match caller {
                CallerState::Before => {
                    let homes = (0..REGIONS).filter(|region| state.is_at_home(*region));
                    chances.extend(homes.map(|region| Action::Prove(index, region)));
                }
                CallerState::Waiting { session: Some(_), .. } if state.losses_left > 0 => {
                    chances.push(Action::LoseConnection(index));
                }
                CallerState::Waiting { session: None, .. } => chances.push(Action::GiveUp(index)),
                _ => {}
            }
        }
        let orphans = (0..state.session_count()).filter(|session| state.is_orphan(*session));
        chances.extend(orphans.map(Action::EndOrphan));
        chances.extend(state.may_move().then_some(Action::BeginMove));
        let may_cancel = state.cancels_left > 0 && matches!(state.moving, Moving::Fenced { .. });
        chances.extend(may_cancel.then_some(Action::Cancel));
        chances
    }
}
