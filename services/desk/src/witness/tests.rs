//! A witness asked in process, by a log of another region.

use std::collections::BTreeMap;

use archive::{
    Checkpoint, Signer,
    checkpoint::{origin, region_name},
    cosignature, merkle,
    witness::AddCheckpoint,
};
use axum::{body::Body, http::Request};
use directory::Map;
use jiff::SignedDuration;
use schemas::{Hash, Position, TenantId};
use vault::SigningKey;

use super::{WitnessKeys, settle};
use crate::testing::{Answer, TestDesk, get};

const HOST: &str = "eu.localhost:8080";

/// A log of the region `us`, and the desk of `eu` that witnesses it.
struct Witnessed {
    desk: TestDesk,
    log: Signer,
    map: Map,
    leaves: Vec<Hash>,
}

fn signer(desk: &TestDesk, file: &str, name: String) -> anyhow::Result<Signer> {
    let key = SigningKey::load_or_create(&desk.region.folder.path().join(file), desk.region.ids.as_ref())?;
    Ok(Signer::new(name, key.public_key(), move |message| key.sign(message)))
}

async fn witnessed() -> anyhow::Result<Witnessed> {
    let desk = TestDesk::new().await?;
    let us = "us".parse()?;
    let region = signer(&desk, "us.key", region_name(&us))?;
    let tenant_id: TenantId = "018f0000-0000-7000-8000-000000000001".parse()?;
    let log = signer(&desk, "us.key", origin(&us, tenant_id))?;
    let regions = BTreeMap::from([(us, region.verifier().to_string())]);
    let (successions, names) = (BTreeMap::new(), BTreeMap::new());
    let map = Map { version: Position::new(1), regions, successions, names };
    desk.desk.witness.keys.teach(map.clone());
    let leaves = (0_u8..20).map(|leaf| Hash::of(&[&[leaf]])).collect();
    Ok(Witnessed { desk, log, map, leaves })
}

impl Witnessed {
    fn head(&self, size: usize) -> String {
        let root = merkle::root_of(&self.leaves[..size]);
        Checkpoint { origin: self.log.verifier().name().to_owned(), size: size as u64, root }.sign(&self.log)
    }

    fn growth(&self, old: usize, new: usize) -> AddCheckpoint {
        let proof = merkle::proof::consistency(&self.leaves[..new], old as u64);
        AddCheckpoint { old_size: old as u64, proof, checkpoint: self.head(new) }
    }

    async fn post(&self, body: String) -> Answer {
        self.post_to("/witness/add-checkpoint", body).await
    }

    async fn post_to(&self, path: &str, body: String) -> Answer {
        let request = Request::builder().method("POST").uri(path).header("host", HOST);
        self.desk.call(request.body(Body::from(body)).expect("a request")).await
    }

    async fn add(&self, old: usize, new: usize) -> Answer {
        self.post(self.growth(old, new).to_string()).await
    }

    fn path(&self, what: &str) -> String {
        format!("/witness/{}/{what}", Hash::of(&[self.log.verifier().name().as_bytes()]))
    }

    fn forks_counted(&self) -> u64 {
        self.desk.region.metrics.witness_forks.with_label_values(&["us"]).get()
    }

    /// For how long something was held against `us`, once so much time has passed.
    async fn unproven_seconds(&self, passed: SignedDuration) -> anyhow::Result<f64> {
        settle::look(&self.desk.desk, self.desk.desk.clock.now() + passed).await?;
        Ok(self.desk.region.metrics.witness_unproven_seconds.with_label_values(&["us"]).get())
    }

    async fn held(&self) -> usize {
        let held = self.desk.call(get(HOST, "/witness/unproven/us")).await.json();
        let of_log = self.desk.call(get(HOST, &self.path("conflicts"))).await.json();
        assert_eq!(held, of_log, "there is one log");
        held.as_array().map_or(usize::MAX, Vec::len)
    }
}

#[tokio::test]
async fn a_log_that_grows_is_cosigned_and_the_last_head_is_shown() -> anyhow::Result<()> {
    let us = witnessed().await?;
    assert_eq!(us.desk.call(get(HOST, &us.path("checkpoint"))).await.status, 404);
    for (old, new) in [(0, 5), (5, 5), (5, 8), (8, 20)] {
        let answer = us.add(old, new).await;
        assert_eq!(answer.status, 200, "{old} to {new}: {}", answer.text());
        let cosigned = format!("{}{}", us.head(new), answer.text());
        let eu = signer(&us.desk, "signing.key", "domicile/eu".to_owned())?;
        assert!(cosignature::time(&cosigned, eu.verifier())?.is_some(), "{cosigned}");
        assert_eq!(us.desk.call(get(HOST, &us.path("checkpoint"))).await.text(), cosigned);
    }
    assert_eq!(us.forks_counted(), 0);
    Ok(())
}

#[tokio::test]
async fn each_wrong_request_is_refused_as_the_protocol_says() -> anyhow::Result<()> {
    let us = witnessed().await?;
    assert_eq!(us.add(0, 8).await.status, 200);
    let stale = us.add(5, 9).await;
    assert_eq!(
        (stale.status.as_u16(), stale.text(), stale.header("content-type")),
        (409, "8\n".into(), Some("text/x.tlog.size"))
    );

    let good = us.growth(8, 9);
    let of = |origin: String| {
        let root = merkle::root_of(&us.leaves[..9]);
        let head = Checkpoint { origin: origin.clone(), size: 9, root };
        let log = signer(&us.desk, "us.key", origin).expect("a key");
        AddCheckpoint { checkpoint: head.sign(&log), ..good.clone() }.to_string()
    };
    let stranger = signer(&us.desk, "stranger.key", us.log.verifier().name().to_owned())?;
    let by_stranger = Checkpoint::claimed(&good.checkpoint)?.sign(&stranger);
    let name = us.log.verifier().name();
    for (status, body) in [
        (400, String::new()),
        (400, good.to_string().replace("old 8", "old 08")),
        (400, AddCheckpoint { old_size: 10, ..good.clone() }.to_string()),
        (403, AddCheckpoint { checkpoint: by_stranger, ..good.clone() }.to_string()),
        (404, of(name.replace("/us/", "/eu/"))),
        (404, of(name.replace("/us/", "/mars/"))),
        (404, of(name.to_uppercase())),
    ] {
        let answer = us.post(body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    assert_eq!(us.forks_counted(), 0, "nothing of this says that the log was forked");
    assert_eq!(us.post(good.to_string()).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_fork_is_refused_and_both_tree_heads_are_kept() -> anyhow::Result<()> {
    let mut us = witnessed().await?;
    assert_eq!(us.add(0, 8).await.status, 200);
    let seen = us.desk.call(get(HOST, &us.path("checkpoint"))).await.text();
    us.leaves[3] = Hash::of(&[b"another event"]);
    for new in [8, 12] {
        assert_eq!(us.add(8, new).await.status, 422);
        assert_eq!(us.add(8, new).await.status, 422);
    }
    assert_eq!(us.forks_counted(), 1, "the head of the same size is a fork by itself, and counted once");
    assert!(us.unproven_seconds(SignedDuration::from_secs(901)).await? > 900.0, "and neither is ever proven");
    for new in [8, 12] {
        let proof = us.growth(8, new);
        let settled = us.post_to("/witness/settle", proof.to_string()).await;
        assert_eq!(settled.status, 422, "{}", settled.text());
    }
    let conflicts = us.desk.call(get(HOST, &us.path("conflicts"))).await.json();
    let kept: Vec<_> = conflicts.as_array().expect("a list").iter().collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|conflict| conflict["ours"] == seen.as_str()));
    assert!(kept.iter().any(|conflict| conflict["theirs"] == us.head(8).as_str()));
    assert_eq!(us.desk.call(get(HOST, &us.path("checkpoint"))).await.text(), seen, "the first history stays");
    Ok(())
}

#[tokio::test]
async fn a_true_head_with_a_false_proof_is_held_against_the_log_until_it_is_proven() -> anyhow::Result<()> {
    let us = witnessed().await?;
    assert_eq!(us.add(0, 8).await.status, 200);
    let mut lying = us.growth(8, 12);
    lying.proof[0] = Hash::of(&[b"no node"]);
    assert_eq!(us.post(lying.to_string()).await.status, 422);
    assert_eq!((us.held().await, us.forks_counted()), (1, 0), "nothing is forked yet, and nothing proven");
    assert!(us.unproven_seconds(SignedDuration::from_secs(901)).await? > 900.0);

    // The log has grown past the head that was refused, so it is not cosigned any more, and proven by another way.
    assert_eq!(us.add(8, 20).await.status, 200);
    assert_eq!(us.held().await, 1);
    let proof = us.growth(8, 12);
    for (status, wrong) in [
        (400, String::new()),
        (422, lying.to_string()),
        (422, AddCheckpoint { old_size: 7, ..proof.clone() }.to_string()),
        (404, us.growth(8, 13).to_string()),
    ] {
        let answer = us.post_to("/witness/settle", wrong).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    assert_eq!(us.held().await, 1);
    assert_eq!(us.post_to("/witness/settle", proof.to_string()).await.status, 204);
    assert_eq!((us.held().await, us.forks_counted()), (0, 0));
    assert_eq!(us.unproven_seconds(SignedDuration::from_secs(901)).await?, 0.0);
    Ok(())
}

#[tokio::test]
async fn what_is_cosigned_is_never_held_against_the_log() -> anyhow::Result<()> {
    let us = witnessed().await?;
    assert_eq!(us.add(0, 8).await.status, 200);
    let junk = AddCheckpoint { proof: vec![Hash::of(&[b"no node"])], ..us.growth(8, 8) };
    assert_eq!(us.post(junk.to_string()).await.status, 422, "the very head, with a proof that it does not take");
    assert_eq!((us.held().await, us.forks_counted()), (0, 0));

    let mut lying = us.growth(8, 12);
    lying.proof[0] = Hash::of(&[b"no node"]);
    assert_eq!(us.post(lying.to_string()).await.status, 422);
    assert_eq!(us.add(8, 12).await.status, 200);
    assert_eq!(us.held().await, 0);
    Ok(())
}

#[tokio::test]
async fn a_desk_that_cannot_tell_a_forged_map_cosigns_nothing_and_names_the_option() -> anyhow::Result<()> {
    let mut us = witnessed().await?;
    let mut deps = crate::testing::deps(&us.desk.region, us.desk.desk.directory.clone()).await?;
    deps.witness.keys = WitnessKeys::new(deps.directory.clone(), None);
    us.desk.app = crate::app(crate::Desk::new(deps));
    let refused = us.add(0, 5).await;
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("--directory-key HEX or DOMICILE_DIRECTORY_KEY"), "{}", refused.text());
    assert_eq!(us.desk.call(get(HOST, &us.path("checkpoint"))).await.status, 404, "nothing was cosigned");
    Ok(())
}

#[tokio::test]
async fn of_two_requests_at_once_one_is_told_what_the_other_left() -> anyhow::Result<()> {
    let us = witnessed().await?;
    let (one, other) = tokio::join!(us.add(0, 8), us.add(0, 12));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    Ok(())
}

#[tokio::test]
async fn of_many_histories_at_once_one_is_cosigned_also_after_a_restart() -> anyhow::Result<()> {
    let mut us = witnessed().await?;
    let mut bodies = Vec::new();
    for fork in 0_u8..8 {
        us.leaves[3] = Hash::of(&[b"fork", &[fork]]);
        bodies.push(us.growth(0, 8).to_string());
    }
    let answers = futures::future::join_all(bodies.iter().map(|body| us.post(body.clone()))).await;
    let cosigned = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(cosigned, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());

    // Another process over the same database, as after a restart, knows which.
    let another = us.desk.another().await?;
    another.witness.keys.teach(us.map.clone());
    us.desk.app = crate::app(another);
    for (body, before) in bodies.iter().zip(&answers) {
        let shown_again = us.post(body.replacen("old 0", "old 8", 1)).await;
        assert_eq!(shown_again.status, if before.status == 200 { 200 } else { 422 });
    }
    Ok(())
}

#[tokio::test]
async fn a_key_that_was_retired_signs_no_more() -> anyhow::Result<()> {
    let us = witnessed().await?;
    let region = us.map.regions.keys().next().expect("one region");
    let sign = |file: &str| signer(&us.desk, file, region_name(region));
    let (old, new) = (sign("us.key")?, sign("us-2.key")?);
    let statement = archive::Succession::sign(1, (&old, &new), jiff::Timestamp::UNIX_EPOCH);
    let regions = BTreeMap::from([(region.clone(), new.verifier().to_string())]);
    let successions = BTreeMap::from([(region.clone(), vec![statement])]);
    us.desk.desk.witness.keys.teach(Map { regions, successions, ..us.map.clone() });
    assert_eq!(us.add(0, 5).await.status, 403);
    let log = signer(&us.desk, "us-2.key", us.log.verifier().name().to_owned())?;
    let head = Checkpoint::claimed(&us.head(5))?.sign(&log);
    let request = AddCheckpoint { checkpoint: head, ..us.growth(0, 5) };
    assert_eq!(us.post(request.to_string()).await.status, 200);
    Ok(())
}
