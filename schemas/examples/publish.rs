//! Writes the published schemas of today's events, and the list of all published schemas that the crate embeds.
//!
//! Run it after an event was added or its version went up. Files of older versions are left alone: they are frozen.

use std::{error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let published = crate_root.join("published");
    for (name, schema) in schemas::published::generated() {
        fs::write(published.join(format!("{name}.json")), format!("{schema:#}\n"))?;
    }
    fs::write(crate_root.join("src/published/embedded.rs"), embedded(&published)?)?;
    Ok(())
}

/// The source that embeds every file of the folder.
fn embedded(published: &Path) -> Result<String, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(published)? {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    names.sort_unstable();
    let mut source = String::from(
        "//! Written by `cargo run --package schemas --example publish`.\n\n\
         /// Name and text of every published schema.\n\
         pub(super) const SCHEMAS: &[(&str, &str)] = &[\n",
    );
    for name in names {
        writeln!(source, "    (\"{name}\", include_str!(\"../../published/{name}.json\")),")?;
    }
    source.push_str("];\n");
    Ok(source)
}
