//! The database, the topic and what the workers hold.

use std::fmt;

use super::{Chances, WORKERS};

/// An event. A command's number says which it is; numbers are never used twice, so an event that was lost is told from the one that
/// came to its place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Event {
    pub(crate) command: u8,
    /// Its place in the command.
    pub(crate) number: u8,
    /// How many events the command has.
    pub(crate) of: u8,
}

/// An event with its position: in the topic, and on its way from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Record {
    pub(crate) position: u8,
    pub(crate) event: Event,
}

/// What a worker has taken, to be applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    pub(crate) is_of_log: bool,
    /// Where the checkpoint stood then.
    pub(crate) after: u8,
    /// Whether it was read because another batch did not join.
    pub(crate) is_second: bool,
}

/// What a worker is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// Wait.
    Idle,
    /// Begin a transaction and lock the checkpoint.
    Holding(Batch),
    /// Commit this. Whether the rows are there already: only a twin commits twice.
    Applying { records: Vec<Record>, has_rows: bool },
}

/// A worker and its buffer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Worker {
    /// In the order in which they came, for a twin that cares.
    pub(crate) delivered: Vec<Record>,
    pub(crate) task: Task,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    // The database.
    pub(crate) log: Vec<Event>,
    pub(crate) rows: Vec<Event>,
    pub(crate) checkpoint: u8,
    pub(crate) lock: Option<u8>,
    /// Whether anybody was ever halted: no event here gives cause for it.
    pub(crate) is_halted: bool,
    // Outside of it.
    pub(crate) relay: Vec<Record>,
    /// Sorted: it keeps no order that anybody may rely on.
    pub(crate) topic: Vec<Record>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) next_command: u8,
    pub(crate) appends_left: u8,
    pub(crate) wakeups_left: u8,
    pub(crate) deliveries_left: u8,
    pub(crate) worker_kills_left: u8,
    pub(crate) server_kills_left: u8,
    pub(crate) failovers_left: u8,
}

impl State {
    pub(crate) fn new(chances: Chances) -> Self {
        Self {
            log: Vec::new(),
            rows: Vec::new(),
            checkpoint: 0,
            lock: None,
            is_halted: false,
            relay: Vec::new(),
            topic: Vec::new(),
            workers: vec![Worker { delivered: Vec::new(), task: Task::Idle }; WORKERS.into()],
            next_command: 1,
            appends_left: chances.appends,
            wakeups_left: chances.wakeups,
            deliveries_left: chances.deliveries,
            worker_kills_left: chances.worker_kills,
            server_kills_left: chances.server_kills,
            failovers_left: chances.failovers,
        }
    }

    pub(crate) fn worker(&self, id: u8) -> &Worker {
        &self.workers[usize::from(id)]
    }

    pub(crate) fn worker_mut(&mut self, id: u8) -> &mut Worker {
        &mut self.workers[usize::from(id)]
    }

    pub(crate) fn head(&self) -> u8 {
        u8::try_from(self.log.len()).expect("a model's log is short")
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.head() > self.checkpoint
    }

    // The log and its relay.

    pub(crate) fn append(&mut self) {
        let of = if self.next_command.is_multiple_of(2) { 2 } else { 1 };
        self.log.extend((0..of).map(|number| Event { command: self.next_command, number, of }));
        self.next_command += 1;
        self.appends_left -= 1;
    }

    /// The log after a position.
    pub(crate) fn records_after(&self, position: u8) -> Vec<Record> {
        let events = (position + 1..).zip(&self.log[usize::from(position).min(self.log.len())..]);
        events.map(|(position, event)| Record { position, event: *event }).collect()
    }

    pub(crate) fn may_relay_read(&self) -> bool {
        self.relay.is_empty() && self.records_after(0).iter().any(|record| !self.topic.contains(record))
    }

    pub(crate) fn relay_read(&mut self) {
        self.relay = self.records_after(0).into_iter().filter(|record| !self.topic.contains(record)).collect();
    }

    pub(crate) fn relay_publish(&mut self) {
        self.topic.append(&mut self.relay);
        self.topic.sort_unstable();
        self.topic.dedup();
    }

    /// Whether the log holds exactly these events. The leaf of an event says which it is.
    pub(crate) fn vouches_for(&self, records: &[Record]) -> bool {
        records.iter().all(|record| self.log.get(usize::from(record.position) - 1) == Some(&record.event))
    }

    // Faults.

    pub(crate) fn kill_worker(&mut self, worker: u8) {
        self.worker_kills_left -= 1;
        self.lock.take_if(|holder| *holder == worker);
        *self.worker_mut(worker) = Worker { delivered: Vec::new(), task: Task::Idle };
    }

    /// Where a checkpoint may have stood before: after whole commands.
    pub(crate) fn applied_before(&self) -> impl Iterator<Item = u8> {
        (0..=self.checkpoint).filter(|applied| self.is_between_commands(*applied))
    }

    /// What a database that lost its tail may hold. The write-ahead log keeps the order of commits, so what is applied is in the log.
    pub(crate) fn cuts(&self) -> impl Iterator<Item = (u8, u8)> {
        let events = (0..=self.head()).filter(|events| self.is_between_commands(*events));
        events.flat_map(|events| {
            self.applied_before().filter(move |applied| *applied <= events).map(move |applied| (events, applied))
        })
    }

    pub(crate) fn is_between_commands(&self, position: u8) -> bool {
        self.log.get(usize::from(position)).is_none_or(|next| next.number == 0)
    }

    pub(crate) fn kill_server(&mut self, applied: u8) {
        self.server_kills_left -= 1;
        self.lose_since(applied);
    }

    pub(crate) fn fail_over(&mut self, events: u8, applied: u8) {
        self.failovers_left -= 1;
        self.lose_since(applied);
        self.log.truncate(events.into());
    }

    /// Open transactions are gone. What workers have in memory is not: they connect again and go on.
    fn lose_since(&mut self, applied: u8) {
        self.lock = None;
        if applied < self.checkpoint {
            self.checkpoint = applied;
            self.rows.truncate(applied.into());
        }
        for worker in &mut self.workers {
            if matches!(worker.task, Task::Applying { .. }) {
                worker.task = Task::Idle;
            }
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "command {} event {}/{}", self.command, self.number + 1, self.of)
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "the log is {:?}", self.log)?;
        writeln!(formatter, "      checkpoint {}, the rows are of {:?}", self.checkpoint, self.rows)?;
        for (id, worker) in self.workers.iter().enumerate() {
            writeln!(formatter, "      worker {id}: {worker:?}")?;
        }
        Ok(())
    }
}
