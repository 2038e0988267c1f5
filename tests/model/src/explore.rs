//! Running a model to its end, and telling what was found so that a person can follow it.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Display, Write as _},
    hash::Hash,
};

use stateright::{Checker as _, Expectation, HasDiscoveries, Model, Path};

/// What a model explores: a protocol whose steps are of two kinds.
pub trait Protocol:
    Model<State: Hash + Clone + PartialEq + Debug + Display + Send + Sync + 'static, Action: Clone + PartialEq + Debug>
{
    /// An action in words, as it comes about in this state.
    fn describe(&self, state: &Self::State, action: &Self::Action) -> String;

    /// What somebody is going to do: sooner or later it happens.
    fn steps(&self, state: &Self::State) -> Vec<Self::Action>;

    /// What may happen or not: faults, hints, deliveries, people who ask for something. Each is counted and runs out.
    fn chances(&self, state: &Self::State) -> Vec<Self::Action>;

    /// Whether nobody has anything left to do: what "in the end" means here.
    fn is_quiet(&self, state: &Self::State) -> bool {
        self.steps(state).is_empty()
    }

    /// Whether the steps come to an end from here when nothing happens to them any more and everybody gets a turn.
    fn comes_to_rest(&self, state: &Self::State) -> bool {
        let mut state = state.clone();
        for turn in 0..TURNS_MAX {
            let mut steps = self.steps(&state);
            if steps.is_empty() {
                return true;
            }
            let step = steps.swap_remove(turn % steps.len());
            state = self.next_state(&state, step).expect("a step changes the state");
        }
        false
    }
}

/// More turns than any of the models needs to come to rest.
const TURNS_MAX: usize = 200;

/// Explores everything. How many different states there are, or what is wrong: a rule that is broken, with the way there, or a
/// situation that the model should reach and does not.
pub fn explore<M>(model: M) -> Result<usize, String>
where
    M: Protocol + Send + Sync + 'static,
{
    let checker = model.checker().threads(2).spawn_bfs().join();
    for property in checker.model().properties() {
        match (property.expectation, checker.discovery(property.name)) {
            (Expectation::Sometimes, None) => return Err(format!("never: {}", property.name)),
            (Expectation::Sometimes, Some(_)) | (_, None) => {}
            (_, Some(path)) => return Err(trace(checker.model(), property.name, path)),
        }
    }
    Ok(checker.unique_state_count())
}

/// The shortest way to where a property breaks; `None` if it holds everywhere.
pub fn counterexample<M>(model: M, property: &'static str) -> Option<String>
where
    M: Protocol + Send + Sync + 'static,
{
    let until = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    // One thread: the first way found is then a shortest one, and the same every time.
    let checker = model.checker().finish_when(until).spawn_bfs().join();
    let is_rule = checker.model().property(property).expectation.discovery_is_failure();
    assert!(is_rule, "{property} is a situation to be reached, not a rule");
    let path = checker.discovery(property)?;
    Some(trace(checker.model(), property, path))
}

/// A numbered line for every action, and what it came to.
fn trace<M: Protocol>(model: &M, property: &str, path: Path<M::State, M::Action>) -> String {
    let mut text = format!("broken: {property}\n");
    let last = path.last_state().to_string();
    for (number, (state, action)) in path.into_vec().into_iter().enumerate() {
        if let Some(action) = action {
            let _ = writeln!(text, "{:>4}. {}", number + 1, model.describe(&state, &action));
        }
    }
    text + "then: " + &last
}
