//! Tests that a machine cannot run say so by name, and why.

use std::io::Write;

/// Prints the line that `make test` counts, past the harness, which keeps what passing tests print to itself. The caller
/// returns.
pub fn skipped(name: &str, reason: &str) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {reason}");
}
