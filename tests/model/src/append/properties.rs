//! What must hold in every state, and what must be reached for that to mean something.

use stateright::Property;

use super::{
    AppendModel, TENANTS,
    state::{Answer, At, CallerState, State},
};
use crate::explore::Protocol as _;

/// Positions are dense, unique and in commit order.
pub const DENSE_POSITIONS: &str = "positions are dense and in the order of commits";
/// Versions are dense.
pub const DENSE_VERSIONS: &str = "the versions of a stream are dense";
/// No command is there twice or in part.
pub const ONCE_OR_NOT: &str = "a command is in the log once, whole, or not at all";
/// Acknowledged is there.
pub const ACKNOWLEDGED: &str = "what was acknowledged is in the log at the positions of the answer";
/// Refused is not there.
pub const REFUSED: &str = "what was refused is not in the log, and never will be";
/// One request, one command.
pub const ONE_REQUEST: &str = "of the commands with one idempotency key, one is in the log";
/// No deadlock.
pub const NO_CIRCLE: &str = "backends do not wait for one another in a circle";
/// Everybody learns something.
pub const ANSWERED: &str = "everybody is answered in the end";

impl AppendModel {
    pub(super) fn rules_and_situations(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(DENSE_POSITIONS, |_, state: &State| positions_are_dense(state)),
            Property::always(DENSE_VERSIONS, |_, state: &State| versions_are_dense(state)),
            Property::always(ONCE_OR_NOT, |model: &Self, state: &State| {
                (0..model.callers.len()).all(|index| [0, model.callers[index].events].contains(&state.count_of(index)))
            }),
            Property::always(ACKNOWLEDGED, |model: &Self, state: &State| model.acknowledged_is_there(state)),
            Property::always(REFUSED, |_, state: &State| {
                let answered = state.callers.iter().enumerate();
                answered
                    .filter(|(_, caller)| **caller == CallerState::Answered(Answer::Refused))
                    .all(|(index, _)| state.count_of(index) == 0)
            }),
            Property::always(ONE_REQUEST, |model: &Self, state: &State| {
                let of_key = (0..model.callers.len()).filter(|index| model.callers[*index].key.is_some());
                of_key.filter(|index| state.count_of(*index) > 0).count() <= 1
            }),
            Property::always(NO_CIRCLE, |model: &Self, state: &State| !model.waits_in_a_circle(state)),
            Property::always(ANSWERED, |model: &Self, state: &State| {
                let is_in_work =
                    |caller: &CallerState| !matches!(caller, CallerState::Before | CallerState::Answered(_));
                !model.is_quiet(state) || !state.callers.iter().any(is_in_work)
            }),
            Property::sometimes("a backend waits for another's head row", |model: &Self, state: &State| {
                (0..state.session_count()).any(|session| model.is_blocked(state, session))
            }),
            Property::sometimes("somebody else was first", |_, state: &State| state.was_answered(Answer::Refused)),
        ];
        if self.losses + self.kills == 0 {
            properties.push(Property::sometimes("one commit takes several callers", |_, state: &State| {
                state
                    .sessions
                    .iter()
                    .any(|session| matches!(&session.at, At::Committed { outcomes } if outcomes.len() > 1))
            }));
        } else {
            properties.extend(situations_of_an_outage());
        }
        if self.losses > 0 {
            properties.push(Property::sometimes(
                "a zombie runs a command that was acknowledged",
                |_, state: &State| {
                    let zombies = state.sessions.iter().filter(|session| session.is_orphan && session.at != At::Gone);
                    let mut callers =
                        zombies.flat_map(|session| &session.sent).map(|sent| state.callers[usize::from(sent.caller)]);
                    callers.any(|caller| matches!(caller, CallerState::Answered(Answer::Appended(_))))
                },
            ));
        }
        properties
    }

    fn acknowledged_is_there(&self, state: &State) -> bool {
        self.callers.iter().enumerate().all(|(index, caller)| {
            let (first, of_whom) = match state.callers[index] {
                CallerState::Answered(Answer::Appended(first)) => (first, Some(index)),
                CallerState::Answered(Answer::Replayed(first)) => (first, None),
                _ => return true,
            };
            (first..first + caller.events).all(|position| {
                let mut there =
                    state.log.iter().filter(|event| (event.tenant, event.position) == (caller.tenant, position));
                there.any(|event| of_whom.is_none_or(|command| usize::from(event.command) == command))
            })
        })
    }

    fn waits_in_a_circle(&self, state: &State) -> bool {
        let holder = |id: &u8| self.wanted_lock(state, *id).and_then(|tenant| state.locks[usize::from(tenant)]);
        (0..state.session_count()).any(|session| {
            let chain = std::iter::successors(holder(&session), holder);
            chain.take(state.sessions.len()).any(|next| next == session)
        })
    }
}

fn situations_of_an_outage() -> [Property<AppendModel>; 2] {
    [
        Property::sometimes("a command with an unknown outcome is in the log", |_, state: &State| {
            state.unknown().any(|index| state.count_of(index) > 0)
        }),
        Property::sometimes(
            "a command with an unknown outcome is not in the log, and nobody runs it",
            |_, state: &State| {
                let is_over = (0..state.session_count()).all(|session| !state.is_orphan(session));
                is_over && state.unknown().any(|index| state.count_of(index) == 0)
            },
        ),
    ]
}

fn positions_are_dense(state: &State) -> bool {
    (0..TENANTS).all(|tenant| {
        let positions = state.log.iter().filter(|event| event.tenant == tenant).map(|event| event.position);
        positions.eq(1..=state.heads[usize::from(tenant)])
    })
}

fn versions_are_dense(state: &State) -> bool {
    state.log.iter().enumerate().all(|(place, event)| {
        let before = u8::try_from(place).expect("a model's log is short");
        event.version == state.version((event.tenant, event.stream), before) + 1
    })
}

impl State {
    /// How many events of a command are in the log.
    fn count_of(&self, command: usize) -> u8 {
        let of_command = self.log.iter().filter(|event| usize::from(event.command) == command);
        u8::try_from(of_command.count()).expect("a model's log is short")
    }

    fn was_answered(&self, answer: Answer) -> bool {
        self.callers.contains(&CallerState::Answered(answer))
    }

    fn unknown(&self) -> impl Iterator<Item = usize> {
        let callers = self.callers.iter().enumerate();
        callers.filter(|(_, caller)| **caller == CallerState::Answered(Answer::Unknown)).map(|(index, _)| index)
    }
}
