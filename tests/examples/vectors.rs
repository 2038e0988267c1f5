//! Writes the test vectors of the archive's format into the checkout: `cargo run --package system-tests --example vectors`.

use std::fs;

use system_tests::vectors;

fn main() -> anyhow::Result<()> {
    let (folder, made) = (vectors::folder(), vectors::make());
    for path in vectors::read(&folder)?.keys().filter(|path| !made.contains_key(*path)) {
        fs::remove_file(folder.join(path))?;
    }
    vectors::write(&folder, &made)?;
    println!("{} files, {} bytes", made.len(), made.values().map(Vec::len).sum::<usize>());
    Ok(())
}
