//! A store that refuses, conflicts, is slow, answers by half and loses requests and answers, between the product and its bucket.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use auditor::{Options, Wrong, source::Folder};
use futures::FutureExt;
use regions::{BucketPatience, BucketRole, Resident, S3Endpoint};
use replicator::{archive_tenant, backup};
use runtime::Clock;
use system_tests::faulty_store::{Fault, FaultyStore, OnManifest};
use testkit::TestRegion;

use crate::world::{World, region_on};

const SEEDS: [u64; 2] = [1, 20];
const ROUNDS: i64 = 3;
const COMMENTS: i64 = 90;

/// What was found whenever a manifest was published, by its key: nothing, if it names only what is there.
#[derive(Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

impl Watch {
    /// Verifies the archive in the store's own folder at every manifest, before anybody is told of it.
    fn over(&self, bucket: PathBuf) -> OnManifest {
        let watch = self.clone();
        Arc::new(move |key| {
            let (watch, bucket) = (watch.clone(), bucket.clone());
            async move {
                let tenant = key.split("/manifest/").next().unwrap_or_default();
                let source = Folder::new(bucket.join(tenant));
                let found = match auditor::verify(&source, &Options::default(), &mut |_| ()).await {
                    // The next generation may be on its way already: its checkpoint comes before its manifest.
                    Ok(report) => report
                        .findings
                        .iter()
                        .filter(|finding| finding.what != Wrong::CheckpointAhead)
                        .map(ToString::to_string)
                        .collect(),
                    Err(error) => vec![error.to_string()],
                };
                watch.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found);
            }
            .boxed()
        })
    }

    fn seen(&self) -> BTreeMap<String, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A region whose bucket lies behind a proxy that passes everything on, yet.
pub(crate) async fn behind_a_proxy(seed: u64) -> anyhow::Result<(World, FaultyStore, Watch)> {
    asked_with(BucketPatience::default(), seed).await
}

/// The same, where nobody waits longer for the store than this.
async fn asked_with(patience: BucketPatience, seed: u64) -> anyhow::Result<(World, FaultyStore, Watch)> {
    let (test, watch) = (testkit::region().await?, Watch::default());
    let target: SocketAddr = address(&test)?;
    let bucket = test.folder.path().join("s3").join(&test.region.bucket);
    let store = FaultyStore::start(target, seed, watch.over(bucket)).await?;
    let s3 = BucketRole::ALL.into_iter().fold(S3Endpoint::new(store.url(), "test", "test-secret"), |s3, role| {
        s3.with_key(role, role.as_str(), "test-secret")
    });
    let s3 = s3.with_patience(patience);
    let (region, clock) = (region_on(&test, s3), Arc::clone(&test.clock) as Arc<dyn Clock>);
    Ok((World::new(test, region, clock).await?, store, watch))
}

fn address(test: &TestRegion) -> anyhow::Result<SocketAddr> {
    let s3 = test.region.s3().context("a region with a store")?;
    Ok(s3.url.trim_start_matches("http://").parse()?)
}

/// Archives both tenants, each by two replicators that believe it is theirs. What fails is tried again by whoever comes next.
async fn archive(world: &World, tenants: [&Resident; 2]) {
    let both = tenants.map(|tenant| async {
        let _ = tokio::join!(archive_tenant(&world.deps, tenant, None), archive_tenant(&world.deps, tenant, None));
    });
    futures::future::join_all(both).await;
}

async fn survives(seed: u64) -> anyhow::Result<BTreeMap<Fault, u64>> {
    let (world, store, watch) = behind_a_proxy(seed).await?;
    let (acme, globex) = (world.test.tenant("acme").await?, world.test.tenant("globex").await?);
    let mut backups = Vec::new();
    store.rage(30);
    for round in 0..ROUNDS {
        for tenant in [&acme, &globex] {
            world.comment(tenant, round * COMMENTS, COMMENTS).await?;
            world.upload(tenant, round + 1).await?;
        }
        archive(&world, [&acme, &globex]).await;
        let backup = world.keep_trying(async || Ok(backup::create(&world.deps, &mut |_| ()).await?)).await?;
        backups.push(backup.backup_id);
    }
    store.calm();

    for tenant in [&acme, &globex] {
        archive_tenant(&world.deps, tenant, None).await?;
        world.holds_the_log(tenant).await?;
    }
    for backup_id in &backups {
        let verified = backup::verify(&world.deps, backup_id, &mut |_| ()).await?;
        assert!(verified.is_clean(), "{backup_id}");
    }
    let listed: Vec<_> = backup::list(&world.deps).await?.into_iter().map(|listed| listed.backup_id).collect();
    assert!(backups.iter().all(|backup_id| listed.contains(backup_id)), "{backups:?} {listed:?}");

    let early: Vec<_> = watch.seen().into_iter().filter(|(_, found)| !found.is_empty()).collect();
    assert_eq!(early, [], "published before what it names");
    assert!(watch.seen().len() >= 2, "{:?}", watch.seen());
    let rewritten = world.rewritten().await?;
    assert!(rewritten.keys().all(|key| key.ends_with("/log/checkpoint")), "written twice: {rewritten:?}");
    Ok(store.happened())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_in_every_way_loses_nothing_doubles_nothing_and_publishes_nothing_early()
-> anyhow::Result<()> {
    let mut happened: BTreeMap<Fault, u64> = BTreeMap::new();
    for seed in SEEDS {
        for (fault, count) in survives(seed).await.with_context(|| format!("seed {seed}"))? {
            *happened.entry(fault).or_default() += count;
        }
    }
    for fault in Fault::ALL {
        assert!(happened.contains_key(&fault), "{fault:?} never happened: {happened:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_manifest_that_names_what_is_not_there_is_seen_when_it_is_published() -> anyhow::Result<()> {
    let (world, _store, watch) = behind_a_proxy(7).await?;
    let acme = world.test.tenant("acme").await?;
    world.comment(&acme, 0, 3).await?;
    archive_tenant(&world.deps, &acme, None).await?;
    assert!(watch.seen().values().all(Vec::is_empty), "{:?}", watch.seen());
    // The twin: a next manifest, and nothing else of its generation.
    let manifest = |number| format!("tenants/{}/manifest/{number:08}.json", acme.tenant_id());
    let first = world.deps.bucket.get(&manifest(1)).await?.context("it is there")?;
    world.deps.bucket.put_new(&manifest(2), first.body).await?;
    assert!(!watch.seen()[&manifest(2)].is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_falls_silent_at_any_request_is_given_up_and_nothing_is_published_early() -> anyhow::Result<()> {
    const COMMENTS: i64 = 3;
    /// More than a generation takes.
    const REQUESTS_MAX: u64 = 40;
    const RETRIED: u64 = 5;
    let patience = BucketPatience { attempt: Duration::from_secs(1), ..BucketPatience::default() };
    let (world, store, watch) = asked_with(patience, 3).await?;
    let acme = world.test.tenant("acme").await?;
    let mut given_up = Vec::new();
    for passed_on in 0..REQUESTS_MAX {
        world.comment(&acme, i64::try_from(passed_on)? * COMMENTS, COMMENTS).await?;
        store.break_after(passed_on, Fault::Silent);
        let (begun, asked) = (Instant::now(), store.requests());
        let archived = archive_tenant(&world.deps, &acme, None).await;
        store.calm();
        let Err(error) = archived else { break };
        let error = format!("{:#}", anyhow::Error::from(error));
        assert!(begun.elapsed() < Duration::from_secs(90), "after {passed_on}: {:?}", begun.elapsed());
        assert!(error.contains("cannot ") && error.contains("time"), "after {passed_on}: {error}");
        // A client that is disappointed all the time stops asking again at once: it has so many retries, and earns them by answers.
        let again = if passed_on < RETRIED { 4 } else { 1 };
        let requests = store.requests() - asked;
        assert!(
            requests >= passed_on.min(1) + again,
            "after {passed_on} it was asked again, {requests} times in all: {error}"
        );
        given_up.push(error);
    }
    archive_tenant(&world.deps, &acme, None).await?;
    world.holds_the_log(&acme).await?;
    let has = |operation: &str| given_up.iter().any(|error| error.contains(operation));
    assert!(has("cannot read") && has("cannot write"), "{given_up:#?}");
    let early: Vec<_> = watch.seen().into_iter().filter(|(_, found)| !found.is_empty()).collect();
    assert_eq!(early, [], "published before what it names");
    let rewritten = world.rewritten().await?;
    assert!(rewritten.keys().all(|key| key.ends_with("/log/checkpoint")), "written twice: {rewritten:?}");
    Ok(())
}
