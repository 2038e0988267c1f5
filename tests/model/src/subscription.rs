//! Reading: two workers of a projection, a relay, a topic that promises nothing, a database that may lose its tail.
//!
//! | here | in the code |
//! |---|---|
//! | [`Action::Append`] | a commit of `log.append`: the events of one command, all at once |
//! | [`Action::RelayRead`], [`Action::RelayPublish`] | `round` (`relay/src/round.rs`): reads the log, then publishes |
//! | [`Action::Deliver`] | a record reaches a worker's buffer (`Delivered::add`, `topic/src/delivered.rs`): any record, in any order, as often as it likes, or never |
//! | [`Action::Notice`] | a wake-up (`eventlog/src/wakeup.rs`): one round of `follow::round` (`projector/src/follow.rs`) from the log |
//! | [`Action::TakeDelivered`] | a round on delivered events, where they join the checkpoint as whole commands (`Delivered::after`) and the log vouches for them (`topic::vouched`); from the log where they do not (`projector/src/delivery.rs`) |
//! | [`Action::Sweep`] | `sweep::behind` (`projector/src/sweep.rs`) finds the tenant: a round from the log |
//! | [`Action::Lock`] | `step::attempt` (`projector/src/step.rs`): `checkpoint::lock` with `skip locked`, `batch::above`, `batch::first_gap`; on a gap `follow::hand_over` reads the log anew |
//! | [`Action::Commit`] | `checkpoint::advance`, which asks whether the log still has the last event; the rows; the commit of that transaction |
//! | [`Action::KillWorker`], [`Action::KillServer`] | `kill -9`. Rows and checkpoints commit without waiting for the disk, so Postgres may lose the last of them, together |
//! | [`Action::FailOver`] | a standby, or a restore, that lacks the tail of the log, and goes on in another way. What clients hold in memory stays, and so does the topic |
//!
//! A topic that is wiped is one that delivers nothing more; a doubled record is one that is delivered twice. So neither needs an action.

mod properties;
mod state;
mod worker;

use stateright::{Model, Property};

use crate::explore::Protocol;
pub use properties::{EXACT_PREFIX, KEEPS_UP, NO_FALSE_HALT, WHOLE_COMMANDS};
pub use state::State;
use state::Task;

/// What the argument rests on. A twin of the model breaks one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The checkpoint is locked while a batch is applied.
    LockCheckpoint,
    /// And moves in the transaction that writes the rows.
    MoveCheckpointWithRows,
    /// What is applied is compared with the checkpoint by position, not by the order in which it came.
    ComparePositions,
    /// Only whole commands are applied.
    WholeCommands,
    /// What was delivered is taken only if the log holds exactly these events: they are then of one history, the database's.
    Vouch,
    /// The log is asked again, for the last event of a batch, by the statement that moves the checkpoint; also for what was read
    /// from it a moment ago. Two logs that have one event have all before it.
    AskWhenApplying,
    /// A tenant halts where the log has a hole, and not where a checkpoint went back.
    HaltAtHoles,
    /// Somebody compares heads with checkpoints, whatever hints there are.
    Sweep,
}

/// What may happen to a worker.
#[derive(Debug, Clone, Copy)]
pub struct Chances {
    /// How many commands are appended. Every second one has two events.
    pub appends: u8,
    /// How many wake-ups arrive.
    pub wakeups: u8,
    /// How many records the topic delivers.
    pub deliveries: u8,
    /// How many workers are killed.
    pub worker_kills: u8,
    /// How often Postgres is killed.
    pub server_kills: u8,
    /// How often the database loses its tail.
    pub failovers: u8,
}

/// Workers, and what may go wrong.
#[derive(Debug, Clone, Copy)]
pub struct SubscriptionModel {
    /// What may happen.
    pub chances: Chances,
    /// The rule that does not hold.
    pub broken: Option<Rule>,
}

/// How many workers there are.
pub(crate) const WORKERS: u8 = 2;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A command is appended.
    Append,
    /// The relay reads what is not in the topic.
    RelayRead,
    /// And publishes it.
    RelayPublish,
    /// The record at this place of the topic reaches a worker.
    Deliver(u8, u8),
    /// A worker hears that there is something, and reads the log.
    Notice(u8),
    /// A worker takes what was delivered, or reads the log.
    TakeDelivered(u8),
    /// A worker finds the tenant behind, and reads the log.
    Sweep(u8),
    /// A worker locks the checkpoint and compares the batch with it.
    Lock(u8),
    /// A worker commits rows and checkpoint.
    Commit(u8),
    /// A worker is killed, and started again.
    KillWorker(u8),
    /// Postgres is killed, and recovers with so many events applied.
    KillServer(u8),
    /// The database goes on with so many events, so many of them applied.
    FailOver(u8, u8),
}

impl SubscriptionModel {
    /// Workers that tail the log.
    pub const fn from_log() -> Self {
        let chances = Chances { appends: 3, wakeups: 2, deliveries: 0, worker_kills: 1, server_kills: 2, failovers: 1 };
        Self { chances, broken: None }
    }

    /// Workers behind a topic.
    pub const fn from_topic() -> Self {
        let chances = Chances { appends: 3, wakeups: 0, deliveries: 2, worker_kills: 0, server_kills: 0, failovers: 1 };
        Self { chances, broken: None }
    }

    /// The same with one rule broken.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self { broken: Some(rule), ..self }
    }

    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }
}

impl Model for SubscriptionModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.chances)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(self.steps(state));
        actions.extend(self.chances(state));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Append => next.append(),
            Action::RelayRead => next.relay_read(),
            Action::RelayPublish => next.relay_publish(),
            Action::Deliver(worker, record) => self.deliver(&mut next, worker, record),
            Action::Notice(worker) => {
                next.wakeups_left -= 1;
                next.read_log(worker);
            }
            Action::TakeDelivered(worker) => self.take_delivered(&mut next, worker),
            Action::Sweep(worker) => next.read_log(worker),
            Action::Lock(worker) => self.lock(&mut next, worker),
            Action::Commit(worker) => self.commit(&mut next, worker),
            Action::KillWorker(worker) => next.kill_worker(worker),
            Action::KillServer(applied) => next.kill_server(applied),
            Action::FailOver(events, applied) => next.fail_over(events, applied),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.rules_and_situations()
    }
}

impl Protocol for SubscriptionModel {
    fn describe(&self, state: &State, action: &Action) -> String {
        match action {
            Action::Append => "a command is appended (log.append)".to_owned(),
            Action::RelayRead => "the relay reads the log".to_owned(),
            Action::RelayPublish => "the relay publishes what it read".to_owned(),
            Action::Deliver(worker, record) => {
                format!("worker {worker} is delivered {:?}", state.topic[usize::from(*record)])
            }
            Action::Notice(worker) => format!("worker {worker} is woken and reads the log (follow::round)"),
            Action::TakeDelivered(worker) => format!("worker {worker} takes what was delivered, if it joins"),
            Action::Sweep(worker) => {
                format!("worker {worker} finds the tenant behind and reads the log (sweep::behind)")
            }
            Action::Lock(worker) => {
                format!("worker {worker} locks the checkpoint and compares its batch with it (step::attempt)")
            }
            Action::Commit(worker) => format!("worker {worker} commits rows and checkpoint (checkpoint::advance)"),
            Action::KillWorker(worker) => format!("worker {worker} is killed"),
            Action::KillServer(applied) => format!("Postgres is killed and recovers with {applied} events applied"),
            Action::FailOver(events, applied) => {
                format!("the database fails over to one with {events} events, {applied} of them applied")
            }
        }
    }

    fn steps(&self, state: &State) -> Vec<Action> {
        let mut steps = Vec::new();
        for worker in 0..WORKERS {
            steps.extend(match &state.worker(worker).task {
                Task::Idle if state.is_behind() && self.keeps(Rule::Sweep) => Some(Action::Sweep(worker)),
                Task::Idle => None,
                Task::Holding(_) => Some(Action::Lock(worker)),
                Task::Applying { .. } => Some(Action::Commit(worker)),
            });
        }
        steps
    }

    fn chances(&self, state: &State) -> Vec<Action> {
        let mut chances = Vec::new();
        chances.extend((state.appends_left > 0).then_some(Action::Append));
        chances.extend(self.chances_of_the_topic(state));
        for worker in 0..WORKERS {
            let is_idle = state.worker(worker).task == Task::Idle;
            let may_notice = state.wakeups_left > 0 && is_idle && state.is_behind();
            chances.extend(may_notice.then_some(Action::Notice(worker)));
            let may_die = state.worker_kills_left > 0 && !is_idle;
            chances.extend(may_die.then_some(Action::KillWorker(worker)));
        }
        if state.server_kills_left > 0 {
            chances.extend(state.applied_before().map(Action::KillServer));
        }
        if state.failovers_left > 0 {
            chances.extend(state.cuts().map(|(events, applied)| Action::FailOver(events, applied)));
        }
        chances
    }
}

impl SubscriptionModel {
    fn chances_of_the_topic(&self, state: &State) -> Vec<Action> {
        let mut chances = Vec::new();
        if self.chances.deliveries == 0 {
            return chances;
        }
        chances.extend(state.may_relay_read().then_some(Action::RelayRead));
        chances.extend((!state.relay.is_empty()).then_some(Action::RelayPublish));
        for worker in 0..WORKERS {
            let may_take = state.worker(worker).task == Task::Idle && !state.worker(worker).delivered.is_empty();
            chances.extend(may_take.then_some(Action::TakeDelivered(worker)));
            for (place, record) in (0u8..).zip(&state.topic) {
                let is_new = !state.worker(worker).delivered.contains(record);
                chances.extend((state.deliveries_left > 0 && is_new).then_some(Action::Deliver(worker, place)));
            }
        }
        chances
    }
}
