//! The models explored, and each of their twins caught. `--nocapture` shows how many states there are, and the way to what breaks.

mod append;
mod fence;
mod subscription;

use std::fmt::Write as _;

use model::Protocol;

fn assert_holds<M: Protocol + Send + Sync + 'static>(model: M, states_min: usize) {
    let states = model::explore(model).unwrap_or_else(|found| panic!("{found}"));
    tell(&format!("{states} states, every rule holds"));
    assert!(states >= states_min, "only {states} states: the model is not what it was");
}

/// The checker finds the way to what breaks, and tells it so that a person can follow it.
fn assert_breaks<M: Protocol + Send + Sync + 'static>(model: M, rule: &'static str) {
    let trace = model::counterexample(model, rule).expect("a rule that holds without what it rests on");
    tell(&trace);
    assert!(trace.starts_with(&format!("broken: {rule}\n   1. ")), "{trace}");
}

/// In one piece, whatever other tests print.
fn tell(found: &str) {
    let mut text = String::new();
    let _ = writeln!(text, "--- {}\n{found}", std::thread::current().name().unwrap_or_default());
    print!("{text}");
}
