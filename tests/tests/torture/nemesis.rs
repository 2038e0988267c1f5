//! Carries out what the seed says: a killer, and a troublemaker, side by side.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nix::sys::signal::Signal;
use regions::DatabaseRole;
use runtime::Shutdown;
use sqlx::{AssertSqlSafe, Executor};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    crew::{Crew, Member, REGION},
    fault::{Kill, Kind, Trouble, Victim},
    settings::Settings,
};

const HOUR_S: i64 = 3600;
const RESET_EVERY: Duration = Duration::from_millis(150);
const REST: Duration = Duration::from_millis(400);

/// What was done so far.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) kills: AtomicUsize,
    by_name: Mutex<BTreeMap<String, usize>>,
}

impl Done {
    fn note(&self, name: &str) {
        *self.by_name.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default() += 1;
    }

    /// How often each was done.
    pub(crate) fn summary(&self) -> BTreeMap<String, usize> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Kills evenly over the time. One who comes late, because somebody had to come back first, does not wait.
pub(crate) async fn kill(crew: &Crew, kills: &[Kill], settings: Settings, done: &Done) -> anyhow::Result<()> {
    let begun = Instant::now();
    for (number, kill) in kills.iter().enumerate() {
        let share = (number as f64 + 0.5) / kills.len() as f64;
        sleep_until(begun + settings.time.mul_f64(share)).await;
        match kill.victim {
            Victim::Postgres { with_children } => {
                crew.kill_postgres(with_children, kill.down).await;
                done.note("kill postgres");
            }
            Victim::Broker => {
                crew.kill_broker(kill.down).await?;
                done.note("kill broker");
            }
            Victim::Member(member) => {
                let member = &crew.members[member];
                crew.kill(member, kill.down).await?;
                done.note(&format!("kill {}", member.name));
            }
        }
        done.kills.fetch_add(1, Ordering::Relaxed);
    }
    sleep_until(begun + settings.time).await;
    Ok(())
}

/// Makes trouble until it is asked to stop; what was begun is ended.
pub(crate) async fn trouble(crew: &Crew, tenants: &[String], seed: u64, (done, stop): (&Done, &Shutdown)) {
    for trouble in crate::fault::troubles(seed) {
        if !stop.sleep(REST).await {
            return;
        }
        // What cannot be done now, because its victim was just killed, is left out.
        match make(crew, tenants, trouble).await {
            Ok(true) => done.note(&format!("{:?}", trouble.kind)),
            Ok(false) => {}
            Err(_) => done.note(&format!("{:?} that could not be", trouble.kind)),
        }
    }
}

async fn make(crew: &Crew, tenants: &[String], trouble: Trouble) -> anyhow::Result<bool> {
    let desks: Vec<&Member> = crew.desks().collect();
    let desk = desks[trouble.which % desks.len()];
    let tenant = &tenants[trouble.which % tenants.len()];
    match trouble.kind {
        Kind::Zombie => zombie(desk, trouble.lasts).await?,
        Kind::WorkerZombie => {
            let workers: Vec<&Member> = crew.members.iter().filter(|member| member.front.is_none()).collect();
            zombie(workers[trouble.which % workers.len()], trouble.lasts).await?;
        }
        Kind::HeadRowHeld => {
            let held = format!("select from log.tenant where tenant_id = '{tenant}' for update");
            hold(crew, held, trouble.lasts).await?;
        }
        Kind::CheckpointHeld => {
            let held = format!("select from read.checkpoint where tenant_id = '{tenant}' for update");
            hold(crew, held, trouble.lasts).await?;
        }
        Kind::Resets => {
            let until = Instant::now() + trouble.lasts;
            while Instant::now() < until {
                desk.database.reset();
                sleep(RESET_EVERY).await;
            }
        }
        Kind::Stall => {
            desk.database.stall();
            sleep(trouble.lasts).await;
            desk.database.heal();
        }
        Kind::AnswersLost => {
            desk.database.lose_answers();
            sleep(trouble.lasts).await;
            desk.database.heal();
        }
        Kind::FullDisk => {
            let Some(disk) = &crew.disk else { return Ok(false) };
            disk.fill()?;
            sleep(trouble.lasts).await;
            disk.empty()?;
        }
        Kind::ClockStep => {
            crew.set_clock(if trouble.which.is_multiple_of(2) { HOUR_S } else { -HOUR_S })?;
            sleep(trouble.lasts).await;
            crew.set_clock(0)?;
        }
    }
    Ok(true)
}

/// Stopped in the middle of whatever it does. Half-way its connections are cut, so that it wakes up to dead ones.
async fn zombie(member: &Member, lasts: Duration) -> anyhow::Result<()> {
    member.running().await.signal(Signal::SIGSTOP);
    sleep(lasts / 2).await;
    member.database.reset();
    sleep(lasts / 2).await;
    // If it was killed meanwhile, this wakes up its successor, who is awake.
    member.running().await.signal(Signal::SIGCONT);
    Ok(())
}

/// Idle in a transaction that holds some rows.
async fn hold(crew: &Crew, statement: String, lasts: Duration) -> anyhow::Result<()> {
    let region = crew.roles.region(REGION)?;
    let mut squatter = regions::connection(&region, DatabaseRole::Owner).await?;
    squatter.execute("begin").await?;
    squatter.execute(AssertSqlSafe(statement)).await?;
    sleep(lasts).await;
    // Its transaction ends with its connection, if that still is.
    drop(squatter);
    Ok(())
}
