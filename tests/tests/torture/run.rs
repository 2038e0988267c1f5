//! A run: crew, writers, history; and what is made of it afterwards.

use std::{sync::atomic::Ordering, time::Duration};

use futures::future::join_all;
use regions::DatabaseRole;
use runtime::Shutdown;
use system_tests::{
    history::{
        Evidence, Finding, Recorder, check,
        evidence::{self, Marked},
    },
    kafka::Broker,
    wait,
};

use crate::{
    crew::{Crew, Ground, REGION},
    dice::Dice,
    fault,
    nemesis::{self, Done},
    settings::Settings,
    writers::{Desks, WRITERS},
};

const REPORT_EVERY: Duration = Duration::from_secs(5);

/// A crew with writers.
pub(crate) struct Run {
    pub(crate) crew: Crew,
    pub(crate) desks: Desks,
}

impl Run {
    pub(crate) async fn start(ground: Ground) -> anyhow::Result<Self> {
        Self::start_with(ground, None).await
    }

    /// With a broker, through which workers read.
    pub(crate) async fn start_with(ground: Ground, broker: Option<Broker>) -> anyhow::Result<Self> {
        let crew = Crew::start(ground, broker).await?;
        let recorder = Recorder::start(&crew.roles.folder().path().join("history.jsonl"))?;
        let desks = Desks::open(&crew, recorder).await?;
        Ok(Self { crew, desks })
    }

    /// Writers write until `meanwhile` is over.
    pub(crate) async fn write<T>(&self, seed: u64, meanwhile: impl Future<Output = T>) -> T {
        self.desks.resume();
        let writers = (0..WRITERS).map(|writer| self.desks.write(Dice::of(seed, &format!("writer {writer}"))));
        let meanwhile = async {
            let outcome = meanwhile.await;
            self.desks.stop();
            outcome
        };
        self.crew.kept(async { tokio::join!(join_all(writers), meanwhile).1 }).await
    }

    /// Everything the settings say, with a line now and then.
    pub(crate) async fn torture(&self, settings: Settings) -> anyhow::Result<Done> {
        let (done, stop) = (Done::default(), Shutdown::new());
        let kills = fault::kills(settings.seed, settings.kills, (self.crew.members.len(), self.crew.has_broker()));
        let tenants: Vec<String> = self.desks.tenants.iter().map(|tenant| tenant.id.clone()).collect();
        let killing = async {
            let killed = nemesis::kill(&self.crew, &kills, settings, &done).await;
            stop.request();
            killed
        };
        let meanwhile = async {
            let troubling = nemesis::trouble(&self.crew, &tenants, settings.seed, (&done, &stop));
            tokio::join!(killing, troubling, self.report(settings, &done, &stop)).0
        };
        self.write(settings.seed, meanwhile).await?;
        Ok(done)
    }

    async fn report(&self, settings: Settings, done: &Done, stop: &Shutdown) {
        let begun = tokio::time::Instant::now();
        loop {
            let goes_on = stop.sleep(REPORT_EVERY).await;
            let counts = self.desks.recorder.counts();
            eprintln!(
                "[{:4} s] acknowledged {}, unknown {}, refused {}; kills {} of {}, failed starts {}",
                begun.elapsed().as_secs(),
                counts.acknowledged,
                counts.unknown,
                counts.refused,
                done.kills.load(Ordering::Relaxed),
                settings.kills,
                self.crew.failed_starts.load(Ordering::Relaxed),
            );
            if !goes_on {
                return;
            }
        }
    }

    /// Lets nothing be under way any more: desks are killed, what they left to Postgres ends, and they come back.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        self.crew.kept(self.settle_kept()).await
    }

    async fn settle_kept(&self) -> anyhow::Result<()> {
        for desk in self.crew.desks() {
            desk.running().await.kill().await?;
        }
        let region = self.crew.roles.region(REGION)?;
        wait::until("Postgres has ended what desks left to it", async || {
            // It may be away itself, until its keeper comes.
            let Ok(mut owner) = regions::connection(&region, DatabaseRole::Owner).await else { return Ok(None) };
            let busy = sqlx::query_scalar!(
                r#"select count(*) as "count!" from pg_stat_activity
                where application_name = 'domicile desk' and state <> 'idle'"#
            );
            Ok(busy.fetch_one(&mut owner).await.ok().filter(|&busy| busy == 0).map(drop))
        })
        .await?;
        for member in &self.crew.members {
            drop(member.running().await);
        }
        Ok(())
    }

    /// What the checker finds. Waits for read models and archive.
    pub(crate) async fn findings(&self) -> anyhow::Result<(Vec<Finding>, Evidence)> {
        let evidence = Evidence::gather(&self.crew.roles, REGION, &self.desks.tenants).await?;
        Ok((check(&self.desks.recorder.history(), &evidence), evidence))
    }

    /// What it finds in the logs alone.
    pub(crate) async fn findings_in_logs(&self) -> anyhow::Result<Vec<Finding>> {
        self.findings_in_logs_of(&self.marked().await?).await
    }

    /// What the payloads hold, as the desks say now.
    pub(crate) async fn marked(&self) -> anyhow::Result<Vec<Marked<'_>>> {
        evidence::marked(&self.desks.tenants).await
    }

    /// What it finds in the logs alone, with what the payloads held when somebody asked.
    pub(crate) async fn findings_in_logs_of(&self, marked: &[Marked<'_>]) -> anyhow::Result<Vec<Finding>> {
        let evidence = Evidence::of_logs(&self.crew.roles, REGION, marked).await?;
        Ok(check(&self.desks.recorder.history(), &evidence))
    }
}
