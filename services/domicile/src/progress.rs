//! Progress of long work: a bar on a terminal, plain lines elsewhere.

mod pace;

use std::{
    io::{IsTerminal, stderr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use auditor::report::size;
use indicatif::{ProgressBar, ProgressStyle};

use self::pace::Pace;

/// A count that goes up to a total.
#[derive(Debug)]
pub struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    total: u64,
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    done: u64,
    bytes: u64,
    /// What the count is made of, in words.
    parts: String,
    /// Whether no line has said so yet.
    has_new_parts: bool,
    pace: Pace,
}

impl Progress {
    /// Shows `what`, of `total` steps. Progress goes to standard error; results go to standard output.
    pub fn new(what: &str, total: u64) -> Self {
        Self::going_on(what, total, 0)
    }

    /// The same for work of which `done` steps were done before. They count, and say nothing of how fast it goes.
    pub fn going_on(what: &str, total: u64, done: u64) -> Self {
        let style = ProgressStyle::with_template("{msg:24} {bar:30} {pos}/{len}{prefix}")
            .expect("the template is a literal that indicatif reads");
        let bar =
            stderr().is_terminal().then(|| ProgressBar::new(total).with_style(style).with_message(what.to_owned()));
        let begun = Instant::now();
        let state = State { done, bytes: 0, parts: String::new(), has_new_parts: false, pace: Pace::from(begun, done) };
        let progress = Self { what: what.to_owned(), bar, total, begun, state: Mutex::new(state) };
        match &progress.bar {
            Some(bar) => bar.set_position(done),
            None => eprintln!("{what}: {done}/{total}"),
        }
        progress
    }

    /// `count` more steps are done. Without a terminal, a line is printed at every tenth of the total.
    pub fn advance(&self, count: u64) {
        let mut state = self.state();
        let done = state.done + count;
        self.show(&mut state, done);
    }

    /// `done` steps are done in all.
    pub fn set(&self, done: u64) {
        self.show(&mut self.state(), done);
    }

    /// `done` steps are done in all, and so many bytes were read for them.
    pub fn set_with_bytes(&self, done: u64, bytes: u64) {
        let mut state = self.state();
        state.bytes = bytes;
        self.show(&mut state, done);
    }

    /// `done` steps are done in all, which are made of these parts.
    pub fn set_with_parts(&self, done: u64, parts: String) {
        let mut state = self.state();
        state.has_new_parts |= state.parts != parts;
        state.parts = parts;
        self.show(&mut state, done);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &mut State, done: u64) {
        let now = Instant::now();
        match (&self.bar, self.line(state, done, now)) {
            (Some(bar), _) => {
                bar.set_prefix(self.rest(state, now));
                bar.set_position(done);
            }
            (None, Some(line)) => eprintln!("{line}"),
            (None, None) => {}
        }
    }

    /// Takes what is done, and gives the line to print, if it is time for one: at every tenth of the total, and at its end, where
    /// it is one for each change of what the count is made of.
    fn line(&self, state: &mut State, done: u64, now: Instant) -> Option<String> {
        let before = std::mem::replace(&mut state.done, done);
        state.pace.take(now, done);
        let tenth = (self.total / 10).max(1);
        let is_news = done > before || state.has_new_parts;
        let is_time = done / tenth > before / tenth || (done == self.total && is_news);
        state.has_new_parts &= !is_time;
        is_time.then(|| format!("{}: {done}/{}{}", self.what, self.total, self.rest(state, now)))
    }

    /// What the count is made of, how fast it goes and how long it will take, as far as that can be told.
    fn rest(&self, state: &State, now: Instant) -> String {
        let parts = if state.parts.is_empty() { String::new() } else { format!(" ({})", state.parts) };
        let (left, per_second) = (self.total.saturating_sub(state.done), state.pace.per_second(now));
        match per_second {
            Some(per_second) if left > 0 && per_second >= 1.0 => {
                let throughput = self.throughput(state, now);
                format!("{parts}, {per_second:.0}/s, {throughput}{:.0} s left", left as f64 / per_second)
            }
            _ => parts,
        }
    }

    /// The bytes so far and how fast they come; nothing where none are told.
    fn throughput(&self, state: &State, now: Instant) -> String {
        match state.bytes {
            0 => String::new(),
            bytes => {
                let per_second = bytes as f64 / now.duration_since(self.begun).as_secs_f64().max(1e-3);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    impl Progress {
        /// The line that is printed when so much is done so many seconds after the beginning.
        fn line_at(&self, seconds: u64, done: u64) -> Option<String> {
            self.line(&mut self.state(), done, self.begun + Duration::from_secs(seconds))
        }
    }

    #[test]
    fn a_line_comes_at_every_tenth_with_the_rate_and_the_time_that_is_left() {
        let progress = Progress::new("restore, events", 1_000);
        let told = [(1, 50), (2, 100), (3, 120), (4, 400), (5, 1_000)];
        let lines: Vec<_> = told.into_iter().filter_map(|(seconds, done)| progress.line_at(seconds, done)).collect();
        let expected = [
            "restore, events: 100/1000, 50/s, 18 s left",
            "restore, events: 400/1000, 100/s, 6 s left",
            "restore, events: 1000/1000",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_was_done_before_counts_and_is_not_how_fast_it_goes() {
        let progress = Progress::going_on("restore, events", 1_000, 800);
        assert_eq!(progress.line_at(2, 900).as_deref(), Some("restore, events: 900/1000, 50/s, 2 s left"));
    }

    #[test]
    fn work_that_has_become_slow_is_told_by_what_was_done_lately() {
        let progress = Progress::new("restore, events", 3_000);
        // Verified in a second, and written over minutes.
        progress.line_at(1, 1_000);
        for seconds in 2..=100 {
            progress.line_at(seconds, 1_000 + seconds * 10);
        }
        let line = progress.line_at(101, 2_100);
        assert_eq!(line.as_deref(), Some("restore, events: 2100/3000, 14/s, 62 s left"));
    }

    #[test]
    fn what_the_count_is_made_of_is_named() {
        let progress = Progress::new("restore, events", 30);
        let line = |parts: &str, done| {
            let mut state = progress.state();
            (state.has_new_parts, state.parts) = (state.parts != parts, parts.to_owned());
            progress.line(&mut state, done, progress.begun)
        };
        assert_eq!(line("10 verified", 10).as_deref(), Some("restore, events: 10/30 (10 verified)"));
        assert_eq!(line("11 verified", 10), None, "not at every change");
        let lines = [line("0 of 1 tenants", 30), line("0 of 1 tenants", 30), line("1 of 1 tenants", 30)];
        let lines = lines.map(Option::unwrap_or_default);
        assert_eq!(lines, ["restore, events: 30/30 (0 of 1 tenants)", "", "restore, events: 30/30 (1 of 1 tenants)"]);
    }
}
