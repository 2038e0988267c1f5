//! Jobs whose worker dies, or is not alone.

use domain::job::Job;
use jiff::SignedDuration;
use runtime::Shutdown;
use schemas::{Actor, JobId, PersonId, StreamName, values::JobKind};
use serde_json::json;

use super::{Asked, ask, item, take_on_left, work};
use crate::{
    api::testing::{ALAN, Bench},
    caller::{Caller, provenance::Provenance},
    execute::{Issuer, load},
    state::Desk,
};

const TOTAL: usize = 6;

fn issuer(bench: &Bench) -> Issuer {
    let actor = Actor::Person(PersonId::new(ALAN.id));
    Issuer { actor, ..Issuer::system(&bench.test.desk, &bench.acme, Provenance::system()) }
}

/// A job that its process never gets to: its desk has no worker.
async fn left(bench: &Bench) -> anyhow::Result<(Desk, JobId)> {
    let desk = bench.test.another().await?;
    let ticket = |number: usize| json!({"subject": format!("{number}"), "comment": {"body": "x"}});
    let items = (0..TOTAL).filter_map(|number| ticket(number).as_object().cloned()).collect();
    let asked = Asked { kind: JobKind::CreateTickets, items, shared: None };
    let asked = ask(&desk, &issuer(bench), PersonId::new(ALAN.id), asked).await;
    let (job, _) = asked.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok((desk, job))
}

async fn state(bench: &Bench, desk: &Desk, job: JobId) -> anyhow::Result<Job> {
    Ok(load::<Job>(desk, &bench.acme, &StreamName::Job(job)).await?.0)
}

/// The subjects of all tickets, sorted.
async fn subjects(bench: &Bench) -> Vec<String> {
    bench.settle(&bench.acme).await.expect("read models follow");
    let listed = bench.get(ALAN, "/api/v2/tickets").await.body;
    let subject = |ticket: &serde_json::Value| ticket["subject"].as_str().map(str::to_owned);
    let mut subjects: Vec<String> = listed["tickets"].as_array().into_iter().flatten().filter_map(subject).collect();
    subjects.sort_unstable();
    subjects
}

fn all() -> Vec<String> {
    (0..TOTAL).map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn a_job_that_broke_off_is_finished_and_nothing_is_done_twice() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (desk, job) = left(&bench).await?;
    let fresh = state(&bench, &desk, job).await?;
    let queued = fresh.queued().expect("it was queued").clone();
    let asker = Caller::of_job(&desk, &bench.acme, &queued).await?;
    for index in [0, 3, 3] {
        // The third time by somebody who does not know that it is done.
        let done = item::finish(&desk, (&bench.acme, asker.as_ref()), (&fresh, &queued), index).await;
        done.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    }
    assert_eq!(state(&bench, &desk, job).await?.waiting(), [1, 2, 4, 5]);
    assert_eq!(subjects(&bench).await, ["0", "3"]);
    take_on_left(&bench.test.desk, SignedDuration::from_secs(-1)).await;
    let shown = json!({"id": crate::api::v2::present::job::id(job)});
    let results = bench.finished(ALAN, &shown).await["results"].clone();
    assert_eq!(results.as_array().map(Vec::len), Some(TOTAL));
    assert_eq!(subjects(&bench).await, all());
    Ok(())
}

#[tokio::test]
async fn of_two_who_work_on_a_job_each_item_is_done_by_one() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (desk, job) = left(&bench).await?;
    let shutdown = Shutdown::default();
    let (one, other) = futures::join!(
        work::work(&desk, &shutdown, &bench.acme, job),
        work::work(&bench.test.desk, &shutdown, &bench.acme, job)
    );
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(subjects(&bench).await, all());
    assert!(state(&bench, &desk, job).await?.is_finished());
    Ok(())
}

#[tokio::test]
async fn what_was_asked_is_gone_when_it_is_done() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (desk, job) = left(&bench).await?;
    assert!(state(&bench, &desk, job).await?.item(0).is_some());
    work::work(&desk, &Shutdown::default(), &bench.acme, job).await?;
    let after = bench.test.another().await?;
    assert_eq!(state(&bench, &after, job).await?.item(0), None, "its key is destroyed");
    Ok(())
}

#[tokio::test]
async fn a_tenant_has_thirty_unfinished_jobs_at_most() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for _ in 0..30 {
        left(&bench).await?;
    }
    bench.settle(&bench.acme).await?;
    let refused = bench.delete(ALAN, "/api/v2/tickets/destroy_many?ids=1").await;
    assert_eq!((refused.status.as_u16(), &refused.body["error"]), (429, &json!("TooManyJobs")));
    assert_eq!(refused.header("retry-after"), "1");
    Ok(())
}
