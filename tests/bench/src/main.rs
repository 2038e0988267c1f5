//! Speed as ratios: each of our figures against the limit or a peer, measured in turns (A B A B) in one run on one machine.
//!
//! Prints one table and writes `bench/results.json` into the build output. The Postgres under it keeps fsync on. `ONLY` names
//! what to run, `QUICK=1` makes it short.
//!
//! Reading order: [`figures`] (what is measured, a file each), [`turns`] (how), [`ground`] (on what), [`writer`], [`command`]
//! and [`history`] (the work), [`report`].

mod command;
mod figures;
mod fill;
mod ground;
mod history;
mod load;
mod machine;
mod pace;
mod peer;
mod projecting;
mod report;
mod turns;
mod writer;

use std::path::PathBuf;

use clap::{Parser, builder::FalseyValueParser};

use crate::{figures::Bench, ground::Ground, pace::Pace, report::Report};

/// Measures Domicile against the limit and against its peers.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to run, by name; everything without it.
    #[arg(long, env = "ONLY", value_delimiter = ',', value_parser = figures::NAMES.map(|(name, _)| name))]
    only: Vec<String>,
    /// Fewer and shorter rounds, smaller logs: to see that it works, not how fast it is.
    #[arg(long, env = "QUICK", value_parser = FalseyValueParser::new())]
    quick: bool,
    /// Verifies an archive and tells what that took: a part of the figure `verify`, which starts it.
    #[arg(long, value_name = "FOLDER", hide = true)]
    verify: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(folder) = arguments.verify {
        println!("{}", serde_json::to_string(&figures::verify_alone(folder).await?)?);
        return Ok(());
    }
    let pace = if arguments.quick { Pace::quick() } else { Pace::full() };
    let ground = Ground::start().await?;
    let report = Report::new(machine::describe(&ground, arguments.quick).await?);
    let mut bench = Bench { ground, pace, report };
    let measured = figures::measure(&mut bench, &arguments.only).await;
    // What was measured before a failure is not thrown away.
    bench.report.print();
    bench.report.write()?;
    measured
}
