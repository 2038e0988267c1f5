//! What must hold in every state, and what must be reached for that to mean something.

use stateright::Property;

use super::{
    SubscriptionModel,
    state::{State, Task},
};
use crate::explore::Protocol as _;

/// No gap, no double, nothing the log does not have.
pub const EXACT_PREFIX: &str = "the rows are of the log's first events, in order, up to the checkpoint";
/// No half commands.
pub const WHOLE_COMMANDS: &str = "a command is applied whole or not at all";
/// Nobody stays behind.
pub const KEEPS_UP: &str = "when nothing more happens, everything is applied";
/// No alarm without a cause.
pub const NO_FALSE_HALT: &str = "nobody is halted where the log is whole";

impl SubscriptionModel {
    pub(super) fn rules_and_situations(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(EXACT_PREFIX, |_, state: &State| {
                state.log.get(..state.checkpoint.into()).is_some_and(|applied| applied == state.rows)
            }),
            Property::always(WHOLE_COMMANDS, |_, state: &State| state.is_between_commands(state.checkpoint)),
            Property::always(NO_FALSE_HALT, |_, state: &State| !state.is_halted),
            Property::always(KEEPS_UP, |model: &Self, state: &State| {
                if model.is_quiet(state) { !state.is_behind() } else { model.comes_to_rest(state) }
            }),
            Property::sometimes("a worker finds the checkpoint held", |_, state: &State| {
                state.lock.is_some() && state.workers.iter().any(|worker| matches!(worker.task, Task::Holding(_)))
            }),
            Property::sometimes("a worker holds events that the log has lost", |_, state: &State| {
                state.workers.iter().any(|worker| match &worker.task {
                    Task::Holding(batch) => !state.vouches_for(&batch.records),
                    _ => false,
                })
            }),
            Property::sometimes("a place in the log was taken again", |_, state: &State| {
                state.head() + 1 < state.next_command
            }),
        ];
        if self.chances.deliveries > 0 {
            properties.push(Property::sometimes("delivered events are applied", |_, state: &State| {
                state.workers.iter().any(|worker| match &worker.task {
                    Task::Holding(batch) => !batch.is_of_log && state.lock.is_none(),
                    _ => false,
                })
            }));
        }
        if self.chances.server_kills > 0 {
            properties.push(Property::sometimes("a batch that does not join is read again", |_, state: &State| {
                let is_second = |task: &Task| matches!(task, Task::Holding(batch) if batch.is_second);
                state.workers.iter().any(|worker| is_second(&worker.task))
            }));
        }
        properties
    }
}
