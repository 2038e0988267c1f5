//! Tests that a machine cannot run say so by name, and why.

/// Prints the line that `make test` counts. The caller returns.
pub fn skipped(name: &str, reason: &str) {
    println!("skipped: {name}: {reason}");
}
