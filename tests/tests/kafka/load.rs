//! People who write comments at a steady pace while something happens, and what they were told.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::Context;
use futures::future::try_join_all;
use system_tests::{Tenant, wait};
use tokio::time::{self, MissedTickBehavior};

/// Between two comments of one person.
const PACE: Duration = Duration::from_millis(160);

/// Of one person, however long the rest takes.
const COMMENTS_MAX: usize = 1000;

/// How often a person asks for the same comment before it is an error. All that fails here answers again within seconds.
const TRIES_MAX: usize = 400;

const TICKETS: usize = 2;

/// A tenant with tickets to write to.
#[derive(Debug)]
pub(crate) struct Office {
    pub(crate) tenant: Tenant,
    pub(crate) tickets: Vec<i64>,
}

impl Office {
    pub(crate) async fn open(tenant: Tenant) -> anyhow::Result<Self> {
        // Known when the signup is answered, unless the machine is too busy for that.
        let known = async || Ok((tenant.client.get("/api/v2/users/me.json").await?.status == 200).then_some(()));
        wait::until("the desk knows the first admin", known).await?;
        let mut tickets = Vec::new();
        for number in 0..TICKETS {
            tickets.push(tenant.ticket(&format!("Ticket {number}"), "opened").await?);
        }
        Ok(Self { tenant, tickets })
    }
}

/// Comments that were acknowledged, by the tenant's name.
pub(crate) type Written = BTreeMap<String, Vec<String>>;

/// One person writes in each office until told to stop. The seed says to which tickets.
#[derive(Debug)]
pub(crate) struct Load {
    seed: u64,
    acknowledged: AtomicUsize,
    is_over: AtomicBool,
}

impl Load {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, acknowledged: AtomicUsize::new(0), is_over: AtomicBool::new(false) }
    }

    /// Lets people write while `happens` runs; gives what they wrote.
    pub(crate) async fn during(
        &self,
        offices: &[Office],
        happens: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<Written> {
        let people = try_join_all(offices.iter().zip(self.seed..).map(|(office, seed)| self.write(office, seed)));
        let told = async {
            let happened = happens.await;
            self.is_over.store(true, Ordering::Relaxed);
            happened
        };
        let (written, ()) = tokio::try_join!(people, told)?;
        Ok(offices.iter().map(|office| office.tenant.slug.clone()).zip(written).collect())
    }

    /// Waits until so many more comments are acknowledged.
    pub(crate) async fn more(&self, count: usize) -> anyhow::Result<()> {
        let enough = self.acknowledged.load(Ordering::Relaxed) + count;
        let acknowledged = async || Ok((self.acknowledged.load(Ordering::Relaxed) >= enough).then_some(()));
        wait::until(&format!("{count} more comments are acknowledged"), acknowledged).await
    }

    async fn write(&self, office: &Office, seed: u64) -> anyhow::Result<Vec<String>> {
        let mut pace = time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut written, mut random) = (Vec::new(), seed);
        while !self.is_over.load(Ordering::Relaxed) && written.len() < COMMENTS_MAX {
            pace.tick().await;
            // Knuth's: enough to spread comments over tickets, and the same at each run.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let ticket = office.tickets[usize::try_from(random >> 33)? % office.tickets.len()];
            let text = format!("{} {}", office.tenant.slug, written.len());
            comment(office, ticket, &text, &mut pace).await?;
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
            written.push(text);
        }
        Ok(written)
    }
}

/// Asks with the same key until it is acknowledged: whatever happened to the first tries, it is there once.
async fn comment(office: &Office, ticket: i64, text: &str, pace: &mut time::Interval) -> anyhow::Result<()> {
    let key = text.replace(' ', "-");
    let mut answer = String::new();
    for _ in 0..TRIES_MAX {
        match office.tenant.comment(ticket, text, &key).await {
            Ok(done) if done.status == 200 => return Ok(()),
            Ok(other) => answer = format!("{}: {}", other.status, other.text()),
            Err(error) => answer = format!("{error:#}"),
        }
        pace.tick().await;
    }
    anyhow::bail!("{text} is never acknowledged; at last: {answer}")
}

/// Every comment that the office's pages show, the opening ones left out.
pub(crate) async fn shown(office: &Office) -> anyhow::Result<Vec<String>> {
    let mut shown = Vec::new();
    for ticket in &office.tickets {
        shown.extend(office.tenant.comments(*ticket).await?.into_iter().filter(|body| body != "opened"));
    }
    Ok(shown)
}

/// Every acknowledged comment is shown once, and nothing else is.
pub(crate) fn each_once(acknowledged: &[String], shown: &[String]) -> anyhow::Result<()> {
    let mut left = shown.to_vec();
    for comment in acknowledged {
        let found = left.iter().position(|one| one == comment);
        left.swap_remove(found.with_context(|| format!("{comment} was acknowledged and is not shown"))?);
    }
    anyhow::ensure!(left.is_empty(), "shown twice, or never acknowledged: {left:?}");
    Ok(())
}

#[test]
fn a_lost_a_doubled_and_an_invented_comment_are_found() {
    let comments = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let acknowledged = comments(&["a", "b"]);
    assert!(each_once(&acknowledged, &comments(&["b", "a"])).is_ok());
    for wrong in [&["a"] as &[&str], &["a", "b", "b"], &["a", "b", "c"], &["a", "c"], &[]] {
        assert!(each_once(&acknowledged, &comments(wrong)).is_err(), "{wrong:?}");
    }
}
