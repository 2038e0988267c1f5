//! Progress of long work: a bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// A count that goes up to a total.
#[derive(Debug)]
pub struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    total: u64,
    done: std::sync::atomic::AtomicU64,
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
        use std::sync::atomic::Ordering;
        let before = self.done.fetch_add(count, Ordering::Relaxed);
        let (done, tenth) = (before + count, (self.total / 10).max(1));
        match &self.bar {
            Some(bar) => bar.inc(count),
            None if done / tenth > before / tenth || done == self.total => {
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
