//! Progress of long work: a bar on a terminal, plain lines elsewhere.

use std::{
    io::{IsTerminal, stderr},
    sync::atomic::{AtomicU64, Ordering},
};

use indicatif::{ProgressBar, ProgressStyle};

/// A count that goes up to a total.
#[derive(Debug)]
pub struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    total: u64,
    done: AtomicU64,
}

impl Progress {
    /// Shows `what`, of `total` steps. Progress goes to standard error; results go to standard output.
    pub fn new(what: &str, total: u64) -> Self {
        let style = ProgressStyle::with_template("{msg:24} {bar:30} {pos}/{len} {per_sec} {eta} left")
            .expect("the template is a literal that indicatif reads");
        let bar =
            stderr().is_terminal().then(|| ProgressBar::new(total).with_style(style).with_message(what.to_owned()));
        if bar.is_none() {
            eprintln!("{what}: 0/{total}");
        }
        Self { what: what.to_owned(), bar, total, done: 0.into() }
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

    fn show(&self, before: u64, done: u64) {
        let tenth = (self.total / 10).max(1);
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if done / tenth > before / tenth || (done == self.total && done > before) => {
                eprintln!("{}: {done}/{}", self.what, self.total)
            }
            None => {}
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
