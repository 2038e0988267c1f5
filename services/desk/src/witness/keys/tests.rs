use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode, routing::get};
use futures::future::join_all;
use runtime::{Ids, SystemClock, SystemIds};
use tokio::net::TcpListener;
use vault::SigningKey;

use super::*;

/// A directory that answers whatever the test says.
#[derive(Clone)]
struct Answers {
    map: Arc<Mutex<Option<Vec<u8>>>>,
    asked: Arc<AtomicUsize>,
}

impl Answers {
    fn with(&self, map: impl Into<Option<Vec<u8>>>) {
        *self.map.lock().expect("whole") = map.into();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

struct Asking {
    keys: WitnessKeys,
    answers: Answers,
    signing: SigningKey,
    us: RegionId,
    folder: tempfile::TempDir,
}

fn key(folder: &tempfile::TempDir, name: &str) -> anyhow::Result<SigningKey> {
    let ids = SystemIds::new(Arc::new(SystemClock));
    Ok(SigningKey::load_or_create(&PathBuf::from(folder.path()).join(name), &ids as &dyn Ids)?)
}

async fn asking() -> anyhow::Result<Asking> {
    let answers = Answers { map: Arc::default(), asked: Arc::default() };
    let said = answers.clone();
    let answer = async move || {
        said.asked.fetch_add(1, Ordering::Relaxed);
        said.map.lock().expect("whole").clone().ok_or(StatusCode::SERVICE_UNAVAILABLE)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let served = axum::serve(listener, Router::new().route("/map", get(answer)));
    runtime::Shutdown::new().spawn(served.into_future());
    let folder = tempfile::tempdir()?;
    let signing = key(&folder, "directory.key")?;
    let keys = WitnessKeys::new(directory::Client::new(&url, "token")?, Some(signing.public_key()));
    Ok(Asking { keys, answers, signing, us: "us".parse()?, folder })
}

impl Asking {
    /// A map in which `us` has a key of this name, after so many others.
    fn map(&self, version: i64, name: &str, replaced: usize) -> anyhow::Result<Map> {
        let verifier = Verifier::new(region_name(&self.us), key(&self.folder, name)?.public_key());
        let statements = vec!["no statement that leads anywhere".to_owned(); replaced];
        Ok(Map {
            version: Position::new(version),
            regions: BTreeMap::from([(self.us.clone(), verifier.to_string())]),
            successions: BTreeMap::from([(self.us.clone(), statements)]),
            names: BTreeMap::new(),
        })
    }

    /// Whether the key of this name is the one of `us`.
    async fn knows(&self, name: &str) -> anyhow::Result<bool> {
        let wanted = key(&self.folder, name)?.public_key();
        let opened = self.keys.opened(&self.us, |keys| (keys.newest() == wanted).then_some(())).await;
        Ok(opened?.is_some())
    }

    /// As if the pause were over.
    fn pause_is_over(&self) {
        self.keys.known.lock().expect("whole").tried_at = None;
    }
}

#[tokio::test]
async fn only_a_map_that_the_directory_signed_is_believed() -> anyhow::Result<()> {
    let test = asking().await?;
    let map = test.map(1, "us.key", 0)?;
    let signed = map.sign(&test.signing);
    let forged = map.sign(&key(&test.folder, "another.key")?);
    let mut unsigned: serde_json::Value = serde_json::from_slice(&signed)?;
    unsigned["signature"] = "".into();
    for wrong in [forged, serde_json::to_vec(&unsigned)?, b"{}".to_vec()] {
        test.answers.with(wrong);
        test.pause_is_over();
        let refused = test.knows("us.key").await;
        assert!(refused.is_err(), "{refused:?}");
    }
    test.answers.with(signed);
    test.pause_is_over();
    assert!(test.knows("us.key").await?);
    Ok(())
}

#[tokio::test]
async fn a_map_from_before_the_one_that_is_known_is_ignored() -> anyhow::Result<()> {
    let test = asking().await?;
    test.answers.with(test.map(5, "us-2.key", 1)?.sign(&test.signing));
    assert!(test.knows("us-2.key").await?);
    for (version, replaced) in [(4, 1), (4, 2), (5, 0)] {
        test.answers.with(test.map(version, "us.key", replaced)?.sign(&test.signing));
        test.pause_is_over();
        assert!(!test.knows("us.key").await?, "version {version} after {replaced} keys");
        assert!(test.knows("us-2.key").await?);
    }
    test.answers.with(test.map(5, "us-3.key", 2)?.sign(&test.signing));
    test.pause_is_over();
    assert!(test.knows("us-3.key").await?, "a key that followed, in a map of the same version");
    assert_eq!(test.answers.asked(), 5);
    Ok(())
}

#[tokio::test]
async fn many_who_miss_a_key_ask_once() -> anyhow::Result<()> {
    let test = asking().await?;
    test.answers.with(test.map(1, "us.key", 0)?.sign(&test.signing));
    let known = join_all((0..16).map(|_| test.knows("us.key"))).await;
    assert!(known.into_iter().all(|known| known.is_ok_and(|known| known)));
    assert_eq!(test.answers.asked(), 1);
    Ok(())
}

#[tokio::test]
async fn a_silent_directory_is_left_alone_for_a_while() -> anyhow::Result<()> {
    let test = asking().await?;
    for _ in 0..5 {
        assert!(test.knows("us.key").await.is_err());
    }
    assert_eq!(test.answers.asked(), 1, "a try that failed counts as one");
    test.answers.with(test.map(1, "us.key", 0)?.sign(&test.signing));
    test.pause_is_over();
    assert!(test.knows("us.key").await?);
    test.answers.with(None);
    for _ in 0..5 {
        test.pause_is_over();
        assert!(test.knows("us.key").await?, "what is known stays known");
    }
    assert_eq!(test.answers.asked(), 2, "a key that is known and new is not asked for");
    assert!(!test.knows("us-2.key").await?);
    assert_eq!(test.answers.asked(), 3);
    Ok(())
}

#[tokio::test]
async fn without_the_directorys_key_nobody_is_asked_and_the_option_is_named() -> anyhow::Result<()> {
    let mut test = asking().await?;
    test.answers.with(test.map(1, "us.key", 0)?.sign(&test.signing));
    test.keys.public_key = None;
    let refused = test.knows("us.key").await.expect_err("no key, no map").to_string();
    assert!(refused.contains("--directory-key"), "{refused}");
    assert_eq!(test.answers.asked(), 0);
    Ok(())
}
