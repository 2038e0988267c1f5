//! Errors in one line, with what caused them: what a log line says of one.

/// The error and its causes, outermost first, with `: ` between them. A cause that only says again what was said is left out: a
/// transparent error says what its source says.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = String::new();
    let causes = std::iter::successors(Some(error), |error| error.source());
    for cause in causes.map(ToString::to_string) {
        if !line.ends_with(&cause) {
            line = if line.is_empty() { cause } else { format!("{line}: {cause}") };
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("cannot write")]
        Said(#[source] std::fmt::Error),
        #[error(transparent)]
        Transparent(#[from] std::fmt::Error),
    }

    #[test]
    fn every_cause_is_said_once() {
        let cause = std::fmt::Error.to_string();
        assert_eq!(chain(&Outer::Said(std::fmt::Error)), format!("cannot write: {cause}"));
        assert_eq!(chain(&Outer::Transparent(std::fmt::Error)), cause);
    }
}
