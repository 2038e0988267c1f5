//! Jobs: work on many things that one request asked for, each a command of its own.
//!
//! ```text
//! nothing --queue--> queued --finish an item--> … --finish--> finished
//! ```
//!
//! An item is finished once: whoever would do it again, because a process died or two work on the same job, is refused, and with it
//! the command that did the item, which is of the same append.

use std::collections::BTreeSet;

use schemas::{
    JobId, PersonId, Personal, TenantLogEvent, TokenId,
    job::{JobDescribed, JobEvent, JobFinished, JobItemDone, JobQueued},
    values::{JobKind, Means},
};

use crate::aggregate::Aggregate;

/// How many items a job has at most, where a client names them.
pub const ITEMS_MAX: usize = 100;
/// About how many bytes of items one event holds: payloads stay small, however much a request says.
const DESCRIBED_BYTES: usize = 128 * 1024;

/// A job, or the id of one that nobody asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Job {
    queued: Option<JobQueued>,
    items: Vec<Personal<String>>,
    shared: Personal<Option<String>>,
    done: BTreeSet<u32>,
    is_finished: bool,
}

impl Job {
    /// What was asked for, once somebody did.
    pub const fn queued(&self) -> Option<&JobQueued> {
        self.queued.as_ref()
    }

    /// An item that waits, as JSON; none, if the key of what was asked is destroyed.
    pub fn item(&self, index: u32) -> Option<&Personal<String>> {
        self.items.get(usize::try_from(index).ok()?)
    }

    /// What is the same for every item, as a JSON object.
    pub fn shared(&self) -> Option<&str> {
        self.shared.expose().as_deref()
    }

    /// The places of the items that wait.
    pub fn waiting(&self) -> Vec<u32> {
        let total = self.queued.as_ref().map_or(0, |queued| queued.total);
        (0..total).filter(|index| !self.done.contains(index)).collect()
    }

    /// How many items are done.
    pub fn done(&self) -> usize {
        self.done.len()
    }

    /// Whether all of it is done, and said so.
    pub const fn is_finished(&self) -> bool {
        self.is_finished
    }
}

/// What may be asked of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin it.
    Queue(Queue),
    /// An item was done, or refused.
    FinishItem(FinishItem),
    /// Nothing waits any more.
    Finish,
}

/// Begins a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Its id.
    pub job: JobId,
    /// What is done to each item.
    pub kind: JobKind,
    /// The items, each as a JSON object.
    pub items: Personal<Vec<String>>,
    /// What is the same for every item, as a JSON object.
    pub shared: Personal<Option<String>>,
    /// Who asks.
    pub by: PersonId,
    /// By what whoever asks came in.
    pub means: Means,
    /// The API token, if it was one.
    pub token: Option<TokenId>,
}

/// Says what became of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishItem {
    /// Its place, from 0.
    pub index: u32,
    /// What it was done to, if that is known.
    pub item: Option<i64>,
    /// Why it was refused, if it was: in a word and in a sentence.
    pub refused: Option<(String, Personal<String>)>,
}

/// Why a job refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such job.
    #[error("there is no such job")]
    Unknown,
    /// The id is in use.
    #[error("the job is queued already")]
    AlreadyQueued,
    /// Somebody else did it.
    #[error("the item is done already")]
    ItemDone,
    /// It is not done yet.
    #[error("the job has items that wait")]
    Waiting,
}

impl From<Queue> for Command {
    fn from(queue: Queue) -> Self {
        Self::Queue(queue)
    }
}

impl From<FinishItem> for Command {
    fn from(finish: FinishItem) -> Self {
        Self::FinishItem(finish)
    }
}

impl Job {
    fn queue(&self, queue: &Queue) -> Result<Vec<JobEvent>, Rejection> {
        if self.queued.is_some() {
            return Err(Rejection::AlreadyQueued);
        }
        let Queue { job, kind, items, shared, by, means, token } = queue;
        let total = place(items.expose().len());
        let queued = JobQueued { job: *job, kind: *kind, total, by: *by, means: *means, token: *token };
        let mut described = described(items.expose());
        if let Some(first) = described.first_mut() {
            first.shared = shared.clone();
        }
        Ok(std::iter::once(queued.into()).chain(described.into_iter().map(Into::into)).collect())
    }

    fn finish_item(&self, finish: &FinishItem) -> Result<Vec<JobEvent>, Rejection> {
        self.queued.as_ref().filter(|queued| finish.index < queued.total).ok_or(Rejection::Unknown)?;
        if self.done.contains(&finish.index) {
            return Err(Rejection::ItemDone);
        }
        let (error, details) = finish.refused.clone().unzip();
        let details = details.map(Personal::into_inner).into();
        Ok(vec![JobItemDone { index: finish.index, item: finish.item, error, details }.into()])
    }

    fn finish(&self) -> Result<Vec<JobEvent>, Rejection> {
        match &self.queued {
            None => Err(Rejection::Unknown),
            Some(_) if self.is_finished => Ok(Vec::new()),
            Some(_) if !self.waiting().is_empty() => Err(Rejection::Waiting),
            Some(_) => Ok(vec![JobFinished {}.into()]),
        }
    }
}

/// The items in events of about the same size.
fn described(items: &[String]) -> Vec<JobDescribed> {
    let mut events: Vec<JobDescribed> = Vec::new();
    let mut bytes = 0;
    for (index, item) in items.iter().enumerate() {
        bytes += item.len();
        match events.last_mut() {
            Some(last) if bytes <= DESCRIBED_BYTES => {
                let mut items = std::mem::take(&mut last.items).into_inner();
                items.push(item.clone());
                last.items = items.into();
            }
            _ => {
                bytes = item.len();
                events.push(JobDescribed {
                    first: place(index),
                    items: vec![item.clone()].into(),
                    shared: None.into(),
                });
            }
        }
    }
    events
}

fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl Aggregate for Job {
    type Command = Command;
    type Event = JobEvent;
    type Rejection = Rejection;

    fn decide(&self, command: &Command) -> Result<Vec<JobEvent>, Rejection> {
        match command {
            Command::Queue(queue) => self.queue(queue),
            Command::FinishItem(finish) => self.finish_item(finish),
            Command::Finish => self.finish(),
        }
    }

    fn evolve(&mut self, event: &JobEvent) {
        match event {
            JobEvent::JobQueued(queued) => self.queued = Some(queued.clone()),
            JobEvent::JobDescribed(described) => {
                self.items.extend(described.items.expose().iter().cloned().map(Personal::new));
                if described.first == 0 {
                    self.shared = described.shared.clone();
                }
            }
            JobEvent::JobItemDone(done) => {
                self.done.insert(done.index);
            }
            JobEvent::JobFinished(_) => self.is_finished = true,
        }
    }

    fn pick(event: TenantLogEvent) -> Option<JobEvent> {
        match event {
            TenantLogEvent::Job(event) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
