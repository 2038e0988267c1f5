//! A backend: the statements of `log.append_alone`, `log.append_together` and `log.append`, whose order is the same.

use super::{
    AppendModel, Rule,
    state::{At, Event, Key, Outcome, Sent, State},
};

impl AppendModel {
    /// Whether a backend waits for a head row that another one holds.
    pub(crate) fn is_blocked(&self, state: &State, id: u8) -> bool {
        self.wanted_lock(state, id)
            .is_some_and(|tenant| state.locks[usize::from(tenant)].is_some_and(|holder| holder != id))
    }

    /// The head row a backend wants next.
    pub(crate) fn wanted_lock(&self, state: &State, id: u8) -> Option<u8> {
        match &state.session(id).at {
            At::Locking { heads, .. } => self.tenants(state, id).get(heads.len()).copied(),
            _ => None,
        }
    }

    /// The tenants of a batch, in the order in which their head rows are locked.
    fn tenants(&self, state: &State, id: u8) -> Vec<u8> {
        let mut tenants: Vec<_> = state.session(id).sent.iter().map(|sent| self.caller(sent.caller).tenant).collect();
        tenants.dedup();
        if !self.keeps(Rule::LockInOrder) && id % 2 == 1 {
            tenants.reverse();
        }
        tenants
    }

    pub(crate) fn can_step(&self, state: &State, id: u8) -> bool {
        match state.session(id).at {
            At::Idle | At::Committed { .. } | At::Gone => false,
            _ => !self.is_blocked(state, id),
        }
    }

    /// One statement; one that has to wait for a lock is two steps, and a lock of several rows a step for each.
    pub(crate) fn step(&self, state: &mut State, id: u8) {
        let at = std::mem::replace(&mut state.session_mut(id).at, At::Idle);
        let next = match at {
            At::Called { hopes } => self.lock(state, id, (hopes, self.snapshot(state), Vec::new())),
            At::Locking { hopes, snapshot, heads } => self.lock(state, id, (hopes, snapshot, heads)),
            At::Locked { hopes, snapshot, heads } => self.decide(state, id, (hopes, snapshot, heads)),
            At::Null => {
                state.unlock(id);
                At::Called { hopes: false }
            }
            At::Written { events, keys, outcomes } => {
                write(state, &events);
                state.keys.extend(keys);
                state.unlock(id);
                At::Committed { outcomes }
            }
            At::Idle | At::Committed { .. } | At::Gone => unreachable!("it has no statement to do"),
        };
        state.session_mut(id).at = next;
        let session = state.session(id);
        if session.is_orphan && matches!(session.at, At::Committed { .. } | At::Called { .. }) {
            // Whom it would answer is gone, and so is whoever would call again.
            state.end(id);
        }
    }

    /// Where a statement that begins now stands. Only a twin ever asks for it later.
    fn snapshot(&self, state: &State) -> u8 {
        if self.keeps(Rule::ReadVersionsAfterLocking) { 0 } else { state.now() }
    }

    fn lock(&self, state: &mut State, id: u8, (hopes, snapshot, mut heads): (bool, u8, Vec<u8>)) -> At {
        state.session_mut(id).at = At::Locking { hopes, snapshot, heads: heads.clone() };
        if self.is_blocked(state, id) {
            return At::Locking { hopes, snapshot, heads };
        }
        heads.push(self.lock_next(state, id, heads.len()));
        let is_last = heads.len() == self.tenants(state, id).len();
        if is_last { At::Locked { hopes, snapshot, heads } } else { At::Locking { hopes, snapshot, heads } }
    }

    /// Waits no more: holds the row, and reads it as it is now, however old the statement's snapshot is.
    fn lock_next(&self, state: &mut State, id: u8, place: usize) -> u8 {
        let tenant = usize::from(self.tenants(state, id)[place]);
        if self.keeps(Rule::LockHeads) {
            state.locks[tenant] = Some(id);
        }
        state.heads[tenant]
    }

    /// A statement of its own sees what is committed now; the locking one would see what was when it began.
    fn version_snapshot(&self, state: &State, locking_snapshot: u8) -> u8 {
        if self.keeps(Rule::ReadVersionsAfterLocking) { state.now() } else { locking_snapshot }
    }

    /// Step 2; step 3, for each caller in turn; step 4. The look-ups in between see what is committed now; of the tenants it
    /// holds, nobody else commits anything.
    fn decide(&self, state: &State, id: u8, (hopes, snapshot, mut heads): (bool, u8, Vec<u8>)) -> At {
        let tenants = self.tenants(state, id);
        let seen = self.version_snapshot(state, snapshot);
        let (mut events, mut keys, mut outcomes) = (Vec::<Event>::new(), Vec::new(), Vec::new());
        for sent in &state.session(id).sent {
            let caller = self.caller(sent.caller);
            let found = state.version((caller.tenant, caller.stream), seen);
            let slot = tenants.iter().position(|tenant| *tenant == caller.tenant).expect("its tenant was locked");
            let earlier =
                events.iter().rev().find(|event| (event.tenant, event.stream) == (caller.tenant, caller.stream));
            let version =
                earlier.filter(|_| self.keeps(Rule::CountEarlierCallers)).map_or(found, |event| event.version);
            let outcome = self.outcome(state, (sent, version), (heads[slot], &keys));
            if let Outcome::Appended(first) = outcome {
                for number in 0..caller.events {
                    let (position, version) = (first + number, sent.expected + 1 + number);
                    let (tenant, stream) = (caller.tenant, caller.stream);
                    events.push(Event { tenant, position, stream, version, command: sent.caller });
                }
                heads[slot] += caller.events;
                keys.extend(caller.key.map(|key| Key { tenant: caller.tenant, key, command: sent.caller, first }));
            }
            outcomes.push(outcome);
        }
        if hopes && outcomes.iter().any(|outcome| !matches!(outcome, Outcome::Appended(_))) {
            return At::Null;
        }
        At::Written { events, keys, outcomes }
    }

    fn outcome(&self, state: &State, (sent, version): (&Sent, u8), (head, new_keys): (u8, &[Key])) -> Outcome {
        let caller = self.caller(sent.caller);
        let known = state.keys.iter().chain(new_keys).filter(|_| self.keeps(Rule::FindKeyUnderLock));
        let known = known.filter(|known| known.tenant == caller.tenant);
        if let Some(known) = known.into_iter().find(|known| Some(known.key) == caller.key) {
            return if known.command == sent.caller {
                Outcome::HadBeenAppended(known.first)
            } else {
                Outcome::Replayed(known.first)
            };
        }
        if version == sent.expected {
            return Outcome::Appended(head + 1);
        }
        let own = state.log.iter().find(|event| {
            (event.tenant, event.stream) == (caller.tenant, caller.stream)
                && (event.version, event.command) == (sent.expected + 1, sent.caller)
        });
        match own.filter(|_| self.keeps(Rule::FindOwnCommand)) {
            Some(event) => Outcome::HadBeenAppended(event.position),
            None => Outcome::WrongExpectedVersion,
        }
    }
}

fn write(state: &mut State, events: &[Event]) {
    state.log.extend(events);
    for event in events {
        state.heads[usize::from(event.tenant)] = event.position;
    }
}
