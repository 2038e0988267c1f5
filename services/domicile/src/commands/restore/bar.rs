//! How far a restore or a drill has come, for whoever watches it.

use std::sync::OnceLock;

use restorer::{RestoreProgress, Step};

use crate::progress::Progress;

/// Shows it, from the first word of it on: only who restores knows how much there is to do.
pub(crate) struct RestoreBar {
    what: String,
    shown: OnceLock<Progress>,
}

impl RestoreBar {
    /// Shows nothing yet.
    pub(crate) const fn new(what: String) -> Self {
        Self { what, shown: OnceLock::new() }
    }

    /// This far.
    pub(crate) fn at(&self, progress: &RestoreProgress) {
        let done = progress.done();
        let begin = || Progress::going_on(&format!("{}, steps", self.what), progress.total(), done);
        self.shown.get_or_init(begin).set_with_parts(done, parts(progress));
    }

    /// Prints a line without tearing the bar.
    pub(crate) fn say(&self, line: &str) {
        match self.shown.get() {
            Some(bar) => bar.say(line),
            None => eprintln!("{line}"),
        }
    }

    /// Ends the bar and leaves it standing.
    pub(crate) fn finish(&self) {
        if let Some(bar) = self.shown.get() {
            bar.finish();
        }
    }
}

/// Such as "13 events: 13 verified, 13 read, 6 written; 0 of 2 tenants".
fn parts(progress: &RestoreProgress) -> String {
    let steps = progress.steps.iter().map(|(step, done)| format!("{done} {}", said(*step)));
    let steps = steps.collect::<Vec<_>>().join(", ");
    let tenants = match progress.tenants_total {
        1 => String::new(),
        total => format!("; {} of {total} tenants", progress.tenants_done),
    };
    format!("{} events: {steps}{tenants}", progress.events)
}

const fn said(step: Step) -> &'static str {
    match step {
        Step::Verified => "verified",
        Step::Read => "read",
        Step::Written => "written",
        Step::Compared => "compared",
    }
}
