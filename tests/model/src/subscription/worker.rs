//! A worker: taking a batch, comparing it with the checkpoint, applying it.

use super::{
    Rule, SubscriptionModel,
    state::{Batch, Record, State, Task},
};

impl SubscriptionModel {
    pub(crate) fn deliver(&self, state: &mut State, worker: u8, place: u8) {
        state.deliveries_left -= 1;
        let record = state.topic[usize::from(place)];
        let delivered = &mut state.worker_mut(worker).delivered;
        delivered.push(record);
        if self.keeps(Rule::ComparePositions) {
            // The order does not matter, so it makes no difference between states.
            delivered.sort_unstable();
        }
    }

    /// What was delivered stands in for the log where it joins the checkpoint without a gap, as whole commands, and where the log
    /// has exactly these events. What cannot be used is dropped.
    pub(crate) fn take_delivered(&self, state: &mut State, worker: u8) {
        let mut records = std::mem::take(&mut state.worker_mut(worker).delivered);
        if self.keeps(Rule::ComparePositions) {
            records = joined(records, state.checkpoint);
        }
        if self.keeps(Rule::WholeCommands) && self.keeps(Rule::ComparePositions) {
            let is_whole = |record: &Record| record.event.number + 1 == record.event.of;
            records.truncate(records.iter().rposition(is_whole).map_or(0, |last| last + 1));
        }
        let is_doubtful = self.keeps(Rule::Vouch) && self.keeps(Rule::ComparePositions) && !state.vouches_for(&records);
        if records.is_empty() || is_doubtful {
            return state.read_log(worker);
        }
        let after = state.checkpoint;
        state.worker_mut(worker).task = Task::Holding(Batch { records, after, is_of_log: false, is_second: false });
    }

    /// A transaction begins. Somebody who holds the checkpoint is left alone, for a later sweep.
    pub(crate) fn lock(&self, state: &mut State, worker: u8) {
        let Task::Holding(batch) = std::mem::replace(&mut state.worker_mut(worker).task, Task::Idle) else {
            unreachable!("it holds a batch")
        };
        if self.keeps(Rule::LockCheckpoint) && state.lock.is_some() {
            return;
        }
        if !self.keeps(Rule::ComparePositions) && !batch.is_of_log {
            return self.apply(state, worker, batch.records);
        }
        let above: Vec<_> = batch.records.iter().filter(|record| record.position > state.checkpoint).copied().collect();
        if joined(above.clone(), state.checkpoint).len() < above.len() {
            return self.read_again(state, worker, &batch);
        }
        let Some(last) = above.last() else { return };
        // Of a log that is lost, it is as good as never read: a later round reads the one there is.
        if state.vouches_for(&[*last]) || !self.keeps(Rule::AskWhenApplying) {
            self.apply(state, worker, above);
        }
    }

    /// Something was lost on the way: the log itself is asked, once. If it has the hole too, the tenant halts.
    fn read_again(&self, state: &mut State, worker: u8, batch: &Batch) {
        let is_hole = joined(batch.records.clone(), batch.after).len() < batch.records.len();
        let after = state.checkpoint;
        let records = state.records_after(after);
        if batch.is_second {
            state.is_halted |= is_hole || !self.keeps(Rule::HaltAtHoles);
        } else if !records.is_empty() {
            let batch = Batch { records, after, is_of_log: true, is_second: true };
            state.worker_mut(worker).task = Task::Holding(batch);
        }
    }

    fn apply(&self, state: &mut State, worker: u8, records: Vec<Record>) {
        state.lock = self.keeps(Rule::LockCheckpoint).then_some(worker);
        state.worker_mut(worker).task = Task::Applying { records, has_rows: false };
    }

    pub(crate) fn commit(&self, state: &mut State, worker: u8) {
        let Task::Applying { records, has_rows } = std::mem::replace(&mut state.worker_mut(worker).task, Task::Idle)
        else {
            unreachable!("it applies a batch")
        };
        if !has_rows {
            state.rows.extend(records.iter().map(|record| record.event));
        }
        if !has_rows && !self.keeps(Rule::MoveCheckpointWithRows) {
            // The twin's transaction ends here, and its lock with it.
            state.lock = None;
            state.worker_mut(worker).task = Task::Applying { records, has_rows: true };
            return;
        }
        state.checkpoint = records.last().expect("a batch has events").position;
        state.lock.take_if(|holder| *holder == worker);
    }
}

impl State {
    /// `feed::read`: whole commands, because an append is atomic.
    pub(crate) fn read_log(&mut self, worker: u8) {
        let after = self.checkpoint;
        let batch = Batch { records: self.records_after(after), after, is_of_log: true, is_second: false };
        let task = if batch.records.is_empty() { Task::Idle } else { Task::Holding(batch) };
        self.worker_mut(worker).task = task;
    }
}

/// The run of records that follow a position, each once.
fn joined(mut records: Vec<Record>, position: u8) -> Vec<Record> {
    records.sort_unstable();
    let mut run: Vec<Record> = Vec::new();
    for record in records {
        let next = position + 1 + u8::try_from(run.len()).expect("a batch is short");
        if record.position == next {
            run.push(record);
        }
    }
    run
}
