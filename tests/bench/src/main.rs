//! Speed as ratios: each of our figures against the limit or a peer, measured in turns (A B A B) in one run on one machine.
//!
//! Prints one table and writes `bench/results.json` into the build output. The Postgres under it keeps fsync on.

mod append;
mod ground;
mod rebuild;
mod report;
mod verify;

use report::Report;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut report = Report::new();
    let ground = ground::Ground::start().await?;
    eprintln!("appending against a plain insert");
    append::measure(&ground, &mut report).await?;
    eprintln!("rebuilding against COPY");
    let events = rebuild::measure(&ground, &mut report).await?;
    eprintln!("verifying against zstd and sha256sum");
    verify::measure(&ground, &events, &mut report).await?;
    report.print();
    report.write()
}
