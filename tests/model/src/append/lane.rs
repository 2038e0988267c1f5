//! A lane: batches, answers, lost connections.

use super::{
    AppendModel, LANES, Rule,
    state::{Answer, At, CallerState, Outcome, Sent, Session, State},
};

impl AppendModel {
    /// The desk reads the stream, decides on what it read, and queues.
    pub(crate) fn arrive(&self, state: &mut State, index: u8) {
        let caller = self.caller(index);
        let expected = state.version((caller.tenant, caller.stream), state.now());
        state.callers[usize::from(index)] = CallerState::Queued { expected };
    }

    fn queue(&self, state: &State, lane: u8) -> Vec<u8> {
        let callers = (0u8..).zip(&state.callers);
        let queued = callers.filter(|(_, caller)| matches!(caller, CallerState::Queued { .. }));
        queued.map(|(index, _)| index).filter(|index| self.caller(*index).lane == lane).collect()
    }

    pub(crate) fn can_take(&self, state: &State, lane: u8) -> bool {
        state.lanes[usize::from(lane)].batches.is_empty() && !self.queue(state, lane).is_empty()
    }

    pub(crate) fn take(&self, state: &mut State, lane: u8) {
        let mut batch = self.queue(state, lane);
        // Stable: callers of one tenant stay in their order.
        batch.sort_by_key(|index| self.caller(*index).tenant);
        for index in &batch {
            let caller = &mut state.callers[usize::from(*index)];
            let CallerState::Queued { expected } = *caller else { unreachable!("it waits in the queue") };
            *caller = CallerState::Taken { expected, was_sent: false };
        }
        state.lanes[usize::from(lane)].batches.push(batch);
        self.send(state, lane);
    }

    /// Sends the first batch, if there is one.
    fn send(&self, state: &mut State, lane: u8) {
        let at = &state.lanes[usize::from(lane)];
        let Some(batch) = at.batches.first().cloned() else { return };
        let Some(id) = at.session else {
            // The connection broke while nobody used it; that shows now.
            state.lose_connection(lane);
            return;
        };
        let expected = |caller: u8| match state.callers[usize::from(caller)] {
            CallerState::Taken { expected, .. } => expected,
            _ => unreachable!("it is in a batch"),
        };
        let sent: Vec<_> = batch.iter().map(|caller| Sent { caller: *caller, expected: expected(*caller) }).collect();
        let at = At::Called { hopes: self.may_hope(&batch) };
        *state.session_mut(id) = Session { sent, at, is_orphan: false };
    }

    /// Without a key, and without a stream that is named twice.
    fn may_hope(&self, batch: &[u8]) -> bool {
        let mut streams: Vec<_> =
            batch.iter().map(|index| (self.caller(*index).tenant, self.caller(*index).stream)).collect();
        streams.sort_unstable();
        streams.dedup();
        streams.len() == batch.len() && batch.iter().all(|index| self.caller(*index).key.is_none())
    }

    pub(crate) fn answer(&self, state: &mut State, lane: u8) {
        let id = state.lanes[usize::from(lane)].session.expect("it is connected");
        let session =
            std::mem::replace(state.session_mut(id), Session { sent: Vec::new(), at: At::Idle, is_orphan: false });
        let At::Committed { outcomes } = session.at else { unreachable!("it has outcomes") };
        for (sent, outcome) in session.sent.iter().zip(outcomes) {
            let answer = match outcome {
                Outcome::Appended(first) | Outcome::HadBeenAppended(first) => Answer::Appended(first),
                Outcome::Replayed(first) => Answer::Replayed(first),
                Outcome::WrongExpectedVersion => Answer::Refused,
            };
            state.callers[usize::from(sent.caller)] = CallerState::Answered(answer);
        }
        state.lanes[usize::from(lane)].batches.remove(0);
        self.send(state, lane);
    }

    pub(crate) fn reconnect(&self, state: &mut State, lane: u8) {
        let id = state.session_count();
        state.sessions.push(Session { sent: Vec::new(), at: At::Idle, is_orphan: false });
        state.lanes[usize::from(lane)].session = Some(id);
        if !self.keeps(Rule::ResendUnchanged) {
            for index in state.lanes[usize::from(lane)].batches[0].clone() {
                let caller = self.caller(index);
                let expected = state.version((caller.tenant, caller.stream), state.now());
                state.callers[usize::from(index)] = CallerState::Taken { expected, was_sent: true };
            }
        }
        self.send(state, lane);
    }

    /// Rolled back, and the database said so: the tenants of the batch go on apart from one another; one
    /// that is alone already is refused.
    pub(crate) fn run_out_of_patience(&self, state: &mut State, id: u8) {
        state.unlock(id);
        if state.session(id).is_orphan {
            return state.end(id);
        }
        let lane = (0..LANES).find(|lane| state.lanes[usize::from(*lane)].session == Some(id));
        let lane = lane.expect("a backend that is no orphan has a lane");
        let batch = state.lanes[usize::from(lane)].batches.remove(0);
        let parts: Vec<_> = batch
            .chunk_by(|one, next| self.caller(*one).tenant == self.caller(*next).tenant)
            .map(<[u8]>::to_vec)
            .collect();
        if let [part] = parts.as_slice() {
            part.iter().for_each(|index| state.refuse(*index));
        } else {
            state.lanes[usize::from(lane)].batches.splice(0..0, parts);
        }
        *state.session_mut(id) = Session { sent: Vec::new(), at: At::Idle, is_orphan: false };
        self.send(state, lane);
    }

    /// Every open transaction is gone and every commit stays, unless a commit does not wait for the disk.
    pub(crate) fn kill_server(&self, state: &mut State) {
        state.kills_left -= 1;
        for lane in 0..LANES {
            if state.is_waiting_for_an_answer(lane) || state.has_outcomes(lane) {
                state.lose_connection(lane);
            }
            state.lanes[usize::from(lane)].session = None;
        }
        (0..state.session_count()).for_each(|id| state.end(id));
        if let Some(lost) = state.log.last().copied().filter(|_| !self.keeps(Rule::Durable)) {
            state.log.retain(|event| event.command != lost.command);
            let kept = state.log.iter().filter(|event| event.tenant == lost.tenant);
            state.heads[usize::from(lost.tenant)] = kept.map(|event| event.position).max().unwrap_or_default();
        }
    }
}

impl State {
    fn at(&self, lane: u8) -> Option<&At> {
        self.lanes[usize::from(lane)].session.map(|id| &self.session(id).at)
    }

    /// Whether a lane's backend is at work, or has an answer on its way.
    pub(crate) fn is_waiting_for_an_answer(&self, lane: u8) -> bool {
        self.at(lane).is_some_and(|at| !matches!(at, At::Idle | At::Gone))
    }

    pub(crate) fn has_outcomes(&self, lane: u8) -> bool {
        matches!(self.at(lane), Some(At::Committed { .. }))
    }

    pub(crate) fn can_reconnect(&self, lane: u8) -> bool {
        let lane = &self.lanes[usize::from(lane)];
        lane.session.is_none() && !lane.batches.is_empty()
    }

    /// What became of the batch is unknown from here on. The backend goes on alone, unless it has only its answer left to give.
    pub(crate) fn lose_connection(&mut self, lane: u8) {
        let at = &mut self.lanes[usize::from(lane)];
        let session = at.session.take();
        for index in at.batches.first().into_iter().flatten() {
            if let CallerState::Taken { was_sent, .. } = &mut self.callers[usize::from(*index)] {
                *was_sent = true;
            }
        }
        if let Some(id) = session {
            self.session_mut(id).is_orphan = true;
            if matches!(self.session(id).at, At::Committed { .. }) {
                self.end(id);
            }
        }
    }

    pub(crate) fn give_up(&mut self, lane: u8) {
        let batches = std::mem::take(&mut self.lanes[usize::from(lane)].batches);
        batches.into_iter().flatten().for_each(|index| self.refuse(index));
    }

    /// Nothing was appended, as far as this lane knows; that is not far for what was sent on a connection that broke.
    fn refuse(&mut self, index: u8) {
        let caller = &mut self.callers[usize::from(index)];
        let was_sent = matches!(caller, CallerState::Taken { was_sent: true, .. });
        *caller = CallerState::Answered(if was_sent { Answer::Unknown } else { Answer::Refused });
    }
}
