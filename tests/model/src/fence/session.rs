//! A backend's statements, what a caller is told of them, and the mover's.

use super::{
    FenceModel, REGIONS, Rule,
    state::{Answer, At, CallerState, Event, Head, Holder, Home, Moving, Session, State},
};

impl FenceModel {
    pub(crate) fn step(&self, state: &mut State, id: u8) {
        let Session { caller, proof, at, .. } = state.session(id);
        let home = state.home(proof.region);
        let next = match at {
            At::Called => match home.head.filter(|head| head.is_active) {
                None => At::Decided(place(home, caller)),
                Some(seen) if home.lock.is_some() => At::Locking { seen },
                Some(seen) => self.lock(state, id, seen),
            },
            At::Locking { seen } => self.lock(state, id, seen),
            At::Locked => {
                let home = state.home(proof.region);
                let was_at_home = state.is_at_home(proof.region) && proof.generation == state.generation;
                let own = place(home, caller);
                let home = state.home_mut(proof.region);
                if own.is_none() {
                    home.log.push(Event { caller, was_at_home });
                }
                let position = own.or_else(|| place(home, caller));
                home.lock.take_if(|holder| *holder == Holder::Backend(id));
                At::Decided(position)
            }
            At::Decided(_) | At::Gone => unreachable!("it has no statement to do"),
        };
        state.set(id, next);
        if state.session(id).is_orphan && state.has_outcome(id) {
            state.end(id);
        }
    }

    /// Holds the row, and judges it as it is now.
    fn lock(&self, state: &mut State, id: u8, seen: Head) -> At {
        let Session { caller, proof, .. } = state.session(id);
        let now = state.home(proof.region).head.expect("a head row stays");
        let judged = if self.keeps(Rule::CheckLockedRow) { now } else { seen };
        if judged.is_active && (judged.epoch == proof.epoch || !self.keeps(Rule::CheckEpoch)) {
            state.home_mut(proof.region).lock = Some(Holder::Backend(id));
            return At::Locked;
        }
        At::Decided(place(state.home(proof.region), caller))
    }

    pub(crate) fn answer(&self, state: &mut State, caller: u8) {
        let CallerState::Waiting { session: Some(id), was_sent, .. } = state.callers[usize::from(caller)] else {
            unreachable!("it waits for an answer")
        };
        let At::Decided(position) = state.session(id).at else { unreachable!("there is an outcome") };
        let answer = match position {
            Some(position) => Answer::Appended(position),
            None if was_sent && self.keeps(Rule::DoubtAfterLoss) => Answer::Unknown,
            None => Answer::Refused,
        };
        state.end(id);
        state.callers[usize::from(caller)] = CallerState::Answered(answer);
    }

    pub(crate) fn begin_move(&self, state: &mut State) {
        let from = state.from;
        let copied = state.moving == Moving::Prepared;
        state.moves_left -= u8::from(!copied);
        if copied || self.keeps(Rule::CopyAfterFence) {
            state.home_mut(from).lock = Some(Holder::Mover);
            state.moving = Moving::Fencing { copied };
        } else {
            state.copy = state.home(from).log.clone();
            state.moving = Moving::Prepared;
        }
    }

    pub(crate) fn open(&self, state: &mut State) {
        let epoch = state.home(state.from).head.expect("it was at home there").epoch;
        let epoch = if self.keeps(Rule::RaiseEpoch) { epoch + 1 } else { epoch };
        state.from = (state.from + 1) % REGIONS;
        state.generation += 1;
        state.moving = Moving::Not;
        let (target, log) = (state.from, std::mem::take(&mut state.copy));
        let home = state.home_mut(target);
        home.log = log;
        home.head = Some(Head { epoch, is_active: true });
    }
}

/// Where a caller's event lies, by command id.
fn place(home: &Home, caller: u8) -> Option<u8> {
    (1u8..).zip(&home.log).find(|(_, event)| event.caller == caller).map(|(position, _)| position)
}
