//! Real processes under real faults, and a checker that holds what clients were told against what the stores hold.
//!
//! `make torture SECONDS=600 KILLS=200 SEED=7` runs this long and hard; `make test` runs a short one. The seed fixes who is killed in
//! which order and for how long, which troubles come, and what every writer throws its dice for. It does not fix how the machine
//! interleaves all that.
//!
//! Reading order: [`run`], [`writers`] (what is asked), [`fault`] and [`nemesis`] (what is done to the processes), [`crew`] (the
//! processes), [`controls`] (the checker, with something broken on purpose).

mod controls;
mod crew;
mod dice;
mod fault;
mod nemesis;
mod run;
mod settings;
mod writers;

use std::time::Duration;

use system_tests::{
    history::{Evidence, Finding},
    kafka::Broker,
};

use crate::{crew::Ground, run::Run, settings::Settings};

/// What comes back after the last kill, and the look at everything, take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_die_stall_and_forget_lose_nothing_and_double_nothing() -> anyhow::Result<()> {
    let settings = Settings::read()?;
    eprintln!("torture: {settings}");
    let broker = if settings.with_kafka { Broker::start("the broker of the torture").await? } else { None };
    let run = Run::start_with(Ground::SmallDisk, broker).await?;
    let limit = settings.time + PATIENCE;
    let outcome = tokio::time::timeout(limit, tortured(&run, settings)).await;
    let outcome = outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("it does not end within {} s", limit.as_secs())));
    if matches!(&outcome, Ok((findings, _)) if findings.is_empty()) {
        return Ok(());
    }
    let kept = keep(&run, &outcome)?;
    let told = match outcome {
        Ok((findings, _)) => findings.iter().take(20).map(|finding| format!("{finding}\n")).collect(),
        Err(error) => format!("{error:#}\n"),
    };
    anyhow::bail!("{told}history, logs and data: {}\nagain: {settings}", kept.display())
}

type Outcome = anyhow::Result<(Vec<Finding>, Evidence)>;

async fn tortured(run: &Run, settings: Settings) -> Outcome {
    let done = run.torture(settings).await?;
    eprintln!("done: {:?}", done.summary());
    run.settle().await?;
    let (findings, evidence) = run.findings().await?;
    let events: usize = evidence.logs.iter().map(|log| log.events.len()).sum();
    let counts = run.desks.recorder.counts();
    eprintln!("checked {counts:?} against {events} events: {} findings", findings.len());
    anyhow::ensure!(counts.acknowledged >= settings.kills, "too little was written to show anything: {counts:?}");
    Ok((findings, evidence))
}

/// Keeps the whole folder, with what the disk in memory holds, and what was found.
fn keep(run: &Run, outcome: &Outcome) -> anyhow::Result<std::path::PathBuf> {
    let folder = run.crew.roles.folder();
    let _ = run.desks.recorder.history();
    if let Ok((findings, evidence)) = outcome {
        let lines: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
        std::fs::write(folder.path().join("findings"), lines)?;
        std::fs::write(folder.path().join("evidence.json"), serde_json::to_vec_pretty(evidence)?)?;
    }
    if run.crew.disk.is_some() {
        run.crew.store().kill(true);
        let to = folder.path().join("postgres");
        std::process::Command::new("cp").arg("-a").arg(run.crew.store().folder()).arg(to).status()?;
    }
    Ok(folder.keep().to_owned())
}
