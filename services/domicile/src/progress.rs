//! Progress of long work: a bar on a terminal, plain lines elsewhere.

use std::{
    io::{IsTerminal, stderr},
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use auditor::report::size;
use indicatif::{ProgressBar, ProgressStyle};

/// A count that goes up to a total.
#[derive(Debug)]
pub struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    total: u64,
    done: AtomicU64,
    bytes: AtomicU64,
    begun: Instant,
}

impl Progress {
    /// Shows `what`, of `total` steps. Progress goes to standard error; results go to standard output.
    pub fn new(what: &str, total: u64) -> Self {
        let style = ProgressStyle::with_template("{msg:24} {bar:30} {pos}/{len} {per_sec} {prefix}{eta} left")
            .expect("the template is a literal that indicatif reads");
        let bar =
            stderr().is_terminal().then(|| ProgressBar::new(total).with_style(style).with_message(what.to_owned()));
        if bar.is_none() {
            eprintln!("{what}: 0/{total}");
        }
        Self { what: what.to_owned(), bar, total, done: 0.into(), bytes: 0.into(), begun: Instant::now() }
    }

    /// `count` more steps are done. Without a terminal, a line is printed at every tenth of the total.
    pub fn advance(&self, count: u64) {
        let before = self.done.fetch_add(count, Ordering::Relaxed);
        self.show(before, before + count);
    }

    /// `done` steps are done in all.
    pub fn set(&self, done: u64) {
        let before = self.done.swap(done, Ordering::Relaxed);
        self.show(before, done);
    }

    /// `done` steps are done in all, and so many bytes were read for them.
    pub fn set_with_bytes(&self, done: u64, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.set_prefix(self.throughput());
        }
        self.set(done);
    }

    fn show(&self, before: u64, done: u64) {
        let tenth = (self.total / 10).max(1);
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if done / tenth > before / tenth || (done == self.total && done > before) => {
                eprintln!("{}: {done}/{}{}", self.what, self.total, self.pace(done))
            }
            None => {}
        }
    }

    /// How fast it goes and how long it will take, as far as that can be told.
    fn pace(&self, done: u64) -> String {
        let per_second = done as f64 / self.begun.elapsed().as_secs_f64();
        match self.total.saturating_sub(done) {
            left if left > 0 && per_second >= 1.0 => {
                let throughput = self.throughput();
                format!(", {per_second:.0}/s, {throughput}{:.0} s left", left as f64 / per_second)
            }
            _ => String::new(),
        }
    }

    /// The bytes so far and how fast they come; nothing where none are told.
    fn throughput(&self) -> String {
        match self.bytes.load(Ordering::Relaxed) {
            0 => String::new(),
            bytes => {
                let per_second = bytes as f64 / self.begun.elapsed().as_secs_f64().max(1e-3);
                format!("{}, {}/s, ", size(bytes), size(per_second as u64))
            }
        }
    }

    /// Prints a line without tearing the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    /// Ends the bar and leaves it standing.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
    }
}
