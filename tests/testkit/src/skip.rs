//! Tests that a machine cannot run say so by name, and why.

use std::{fs::OpenOptions, io::Write};

/// The file in which `make test` wants to find them.
const COUNTED_IN: &str = "DOMICILE_SKIPPED_FILE";

/// Says that a test was skipped, past the harness, which keeps what passing tests print to itself, and where `make test`
/// counts. The caller returns.
pub fn skipped(name: &str, reason: &str) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {reason}");
    let Some(file) = std::env::var_os(COUNTED_IN) else { return };
    // One write a line: tests of a binary run side by side.
    let line = format!("{name}: {reason}\n");
    let written = OpenOptions::new().append(true).open(&file).and_then(|mut file| file.write_all(line.as_bytes()));
    written.expect("a test that is skipped is counted: the file that DOMICILE_SKIPPED_FILE names can be appended to");
}
