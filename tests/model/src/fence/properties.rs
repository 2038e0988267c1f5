//! What must hold in every state, and what must be reached for that to mean something.

use stateright::Property;

use super::{
    FenceModel, REGIONS,
    state::{Answer, At, CallerState, Holder, State},
};
use crate::explore::Protocol as _;

/// The fence.
pub const FENCED: &str = "an event is committed where the tenant is at home, by who has proven it since the last move";
/// One home.
pub const ONE_HOME: &str = "a tenant is active in one region at most";
/// Nothing is lost by a move.
pub const ACKNOWLEDGED: &str = "what was acknowledged is in the log of the home, at its position, wherever that is";
/// Refused is not there.
pub const REFUSED: &str = "what was refused is in no log, and never will be";
/// No doubles.
pub const ONCE: &str = "an event is in a log once";
/// Everybody learns something.
pub const ANSWERED: &str = "everybody is answered in the end";

impl FenceModel {
    pub(super) fn rules_and_situations() -> Vec<Property<Self>> {
        vec![
            Property::always(FENCED, |_, state: &State| {
                state.homes.iter().flat_map(|home| &home.log).all(|event| event.was_at_home)
            }),
            Property::always(ONE_HOME, |_, state: &State| {
                (0..REGIONS).filter(|region| state.is_at_home(*region)).count() <= 1
            }),
            Property::always(ACKNOWLEDGED, |_, state: &State| acknowledged_is_there(state)),
            Property::always(REFUSED, |_, state: &State| {
                let mut refused =
                    callers(state).filter(|(_, caller)| *caller == CallerState::Answered(Answer::Refused));
                refused
                    .all(|(index, _)| state.homes.iter().all(|home| home.log.iter().all(|event| event.caller != index)))
            }),
            Property::always(ONCE, |_, state: &State| {
                let count =
                    |log: &[super::state::Event], index| log.iter().filter(|event| event.caller == index).count();
                callers(state).all(|(index, _)| state.homes.iter().all(|home| count(&home.log, index) <= 1))
            }),
            Property::always(ANSWERED, |model: &Self, state: &State| {
                let is_done = |caller| matches!(caller, CallerState::Before | CallerState::Answered(_));
                !model.is_quiet(state) || callers(state).all(|(_, caller)| is_done(caller))
            }),
            Property::sometimes("somebody comes too late and is refused", |_, state: &State| {
                callers(state).any(|(_, caller)| caller == CallerState::Answered(Answer::Refused))
            }),
            Property::sometimes("an append waits for the mover", |_, state: &State| {
                let waits = |id| matches!(state.session(id).at, At::Locking { .. });
                let is_held = state.homes.iter().any(|home| home.lock == Some(Holder::Mover));
                is_held && (0..state.session_count()).any(waits)
            }),
            Property::sometimes("a zombie of before a move that came back is still to run", |_, state: &State| {
                state.generation == 2
                    && (0..state.session_count())
                        .any(|id| state.is_orphan(id) && state.session(id).proof.generation == 0)
            }),
            Property::sometimes("a zombie appends what its caller could not learn", |_, state: &State| {
                let mut unknown =
                    callers(state).filter(|(_, caller)| *caller == CallerState::Answered(Answer::Unknown));
                unknown.any(|(index, _)| state.home(state.from).log.iter().any(|event| event.caller == index))
            }),
        ]
    }
}

fn callers(state: &State) -> impl Iterator<Item = (u8, CallerState)> {
    (0u8..).zip(state.callers.iter().copied())
}

fn acknowledged_is_there(state: &State) -> bool {
    callers(state).all(|(index, caller)| match caller {
        CallerState::Answered(Answer::Appended(position)) => {
            let event = state.home(state.from).log.get(usize::from(position) - 1);
            event.is_some_and(|event| event.caller == index)
        }
        _ => true,
    })
}
