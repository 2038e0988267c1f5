//! Writes histories down while they happen: in memory for the check, and line by line into a file for people.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::time::Instant;

use super::{Attempt, MARKER, Operation, Outcome};

/// Takes operations from many writers.
#[derive(Debug)]
pub struct Recorder {
    begun: Instant,
    next: AtomicU64,
    kept: Mutex<(Vec<Operation>, BufWriter<File>)>,
}

/// How many operations ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Done.
    pub acknowledged: usize,
    /// Not known.
    pub unknown: usize,
    /// Not done.
    pub refused: usize,
}

impl Recorder {
    /// A history without operations, in a new file.
    pub fn start(file: &Path) -> std::io::Result<Self> {
        let kept = Mutex::new((Vec::new(), BufWriter::new(File::create(file)?)));
        Ok(Self { begun: Instant::now(), next: AtomicU64::new(1), kept })
    }

    /// A new operation of a tenant, with a marker nobody else has.
    pub fn operation(&self, tenant: &str, what: &str) -> Operation {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Operation {
            tenant: tenant.to_owned(),
            marker: format!("{MARKER}{number}"),
            what: what.to_owned(),
            attempts: Vec::new(),
        }
    }

    /// Asks once, and notes when and with which outcome.
    pub async fn attempt(&self, ask: impl Future<Output = Outcome>) -> Attempt {
        let asked_at = self.now();
        let outcome = ask.await;
        Attempt { asked_at, answered_at: self.now(), outcome }
    }

    /// Nobody asks for this operation any more.
    pub fn keep(&self, operation: Operation) {
        let (operations, file) = &mut *self.kept();
        let line = serde_json::to_string(&operation).expect("an operation has no map whose keys are no texts");
        // The file is for people: that it cannot be written changes no verdict.
        let _ = writeln!(file, "{line}");
        operations.push(operation);
    }

    /// All operations so far; the file is whole up to here.
    pub fn history(&self) -> Vec<Operation> {
        let (operations, file) = &mut *self.kept();
        let _ = file.flush();
        operations.clone()
    }

    /// How they ended.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for operation in &self.kept().0 {
            match operation.outcome() {
                Outcome::Acknowledged { .. } => counts.acknowledged += 1,
                Outcome::Refused { .. } => counts.refused += 1,
                Outcome::Unknown => counts.unknown += 1,
            }
        }
        counts
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).expect("tests end within the age of the world")
    }

    fn kept(&self) -> MutexGuard<'_, (Vec<Operation>, BufWriter<File>)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
