//! Canaries: texts that occur nowhere else, put into every field that people fill.

use std::sync::Arc;

use runtime::{Ids, SystemClock, SystemIds};

/// Makes texts nobody else has, and remembers them. All of one set begin alike, so that a search for the beginning finds each.
#[derive(Debug)]
pub struct Canaries {
    beginning: String,
    made: Vec<String>,
}

impl Canaries {
    /// A set of its own, none made yet.
    pub fn new() -> Self {
        let secret = SystemIds::new(Arc::new(SystemClock)).secret();
        // Letters and digits only, so that no encoding changes it; all small, because addresses and tags become so.
        Self { beginning: format!("canary{}", hex::encode(&secret[..8])), made: Vec::new() }
    }

    /// A new one for a field.
    pub fn make(&mut self, field: &str) -> String {
        let canary = self.of(field);
        self.made.push(canary.clone());
        canary
    }

    /// The one for a field.
    pub fn of(&self, field: &str) -> String {
        format!("{}{field}end", self.beginning)
    }

    /// What all of them begin with.
    pub fn beginning(&self) -> &str {
        &self.beginning
    }

    /// Those whose beginning occurs in some bytes, however they go on: each with the bytes around it.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let mark = self.beginning.as_bytes();
        let places = (0..bytes.len().saturating_sub(mark.len() - 1)).filter(|&at| bytes[at..].starts_with(mark));
        let shown =
            |at: usize| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..bytes.len().min(at + 60)]).into_owned();
        places.take(FOUND_MAX).map(shown).collect()
    }
}

impl Default for Canaries {
    fn default() -> Self {
        Self::new()
    }
}

/// Findings after which a look has seen enough.
const FOUND_MAX: usize = 10;

/// Whether some bytes hold a mark.
pub fn occurs(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|part| part == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_where_it_is_and_nowhere_else() {
        let (mut canaries, others) = (Canaries::new(), Canaries::new());
        let (name, subject) = (canaries.make("name"), canaries.make("subject"));
        assert_ne!(name, subject);
        let bytes = format!("<{subject}> {name}");
        assert_eq!(canaries.found_in(bytes.as_bytes()).len(), 2);
        assert_eq!(canaries.found_in(&subject.as_bytes()[..30]).len(), 1, "also half of one");
        assert!(others.found_in(bytes.as_bytes()).is_empty());
        assert!(canaries.found_in(b"canary").is_empty());
    }
}
