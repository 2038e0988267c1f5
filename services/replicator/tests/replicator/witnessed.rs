//! Other regions are shown tree heads: what they are shown, and what happens while they are down.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use archive::{
    Checkpoint, Signer, cosignature, layout,
    merkle::proof::{Tree, consistency_holds},
    note,
    witness::AddCheckpoint,
};
use eventlog::witness::{self, Unwitnessed};
use jiff::Timestamp;
use replicator::{Replicator, Witness, Witnesses, archive_tenant};
use runtime::Shutdown;
use schemas::Hash;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use vault::SigningKey;

use crate::{
    region::{Archiving, archiving},
    rotating::set_state,
    running::{PATIENCE, until},
};

/// Region `us` as a witness that first says what is no cosignature, then cosigns whatever it is shown, and tells what that was.
struct Us {
    listener: TcpListener,
    nonsense: Vec<&'static str>,
    /// What it holds against logs.
    unproven: Value,
    signer: Signer,
    shown: mpsc::UnboundedSender<String>,
}

impl Us {
    async fn serve(mut self) -> anyhow::Result<()> {
        loop {
            let (mut stream, _) = self.listener.accept().await?;
            let request = whole(&mut stream).await?;
            let is_look = request.starts_with("GET /witness/unproven/eu ");
            let line = if is_look { self.unproven.to_string() } else { self.line(&request)? };
            let answer =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{line}\n", line.len() + 1);
            stream.write_all(answer.as_bytes()).await?;
            if !is_look {
                self.shown.send(request)?;
            }
        }
    }

    fn line(&mut self, request: &str) -> anyhow::Result<String> {
        let (_, body) = request.split_once("\r\n\r\n").context("a request has a head")?;
        let asked = AddCheckpoint::parse(body).context("a request of the protocol")?;
        Ok(match self.nonsense.pop() {
            Some(nonsense) => nonsense.to_owned(),
            None => cosignature::line(&asked.checkpoint, &self.signer, Timestamp::UNIX_EPOCH)?,
        })
    }
}

/// A request with as long a body as its head says.
async fn whole(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut request = Vec::new();
    loop {
        anyhow::ensure!(stream.read_buf(&mut request).await? > 0, "it ended early");
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok(text.into_owned());
        }
    }
}

fn us_at(eu: &mut Archiving, address: SocketAddr) -> anyhow::Result<()> {
    let us = Witness { region: "us".parse()?, url: format!("http://{address}"), address: None };
    eu.deps.witnesses = Witnesses::new(vec![us])?;
    Ok(())
}

fn signer_of_us(eu: &Archiving) -> anyhow::Result<Signer> {
    let key = SigningKey::load_or_create(&eu.test.folder.path().join("us.key"), eu.test.ids.as_ref())?;
    Ok(Signer::new("domicile/us", key.public_key(), move |message| key.sign(message)))
}

#[tokio::test]
async fn a_witness_that_is_down_holds_up_nothing_and_is_shown_sizes_and_hashes_when_it_is_back() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    // A port that nobody listens on, and that nobody else is given meanwhile.
    let reserved = tokio::net::TcpSocket::new_v4()?;
    reserved.set_reuseaddr(true)?;
    reserved.bind("127.0.0.1:0".parse()?)?;
    let address = reserved.local_addr()?;
    us_at(&mut eu, address)?;
    let shutdown = Shutdown::new();
    let running = shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    for from in [0, 4] {
        eu.append(&acme, 1, from, 4).await?;
        until(&eu, &acme, |marks| marks.archived.is_some_and(|mark| mark.position.get() == from + 4)).await?;
    }
    let silent = eu.test.metrics.witness_silent_seconds.with_label_values(&["us"]);
    let becomes = async |is_silent: bool| {
        while (silent.get() > 0.0) != is_silent {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, becomes(true)).await.context("nobody sees that the witness is down")?;

    let signer = signer_of_us(&eu)?;
    let verifier = signer.verifier().clone();
    let (shown, mut requests) = mpsc::unbounded_channel();
    // It runs until the test ends, and nobody waits for it.
    // Nothing of what it says first may come into the note: no reader could open that any more.
    let nonsense = vec!["— domicile/us \tno base64", "— domicile/us AAAA", "— domicile/jp AAAA"];
    Shutdown::new().spawn(Us { listener: reserved.listen(8)?, nonsense, unproven: json!([]), signer, shown }.serve());
    let object = format!("{}{}", layout::tenant_prefix(acme.tenant_id()), layout::witness(&"us".parse()?));
    for _ in 0..3 {
        tokio::time::timeout(PATIENCE, requests.recv()).await?.context("it is shown the head")?;
        assert!(eu.deps.bucket.get(&object).await?.is_none(), "nonsense was kept");
    }
    let request = tokio::time::timeout(PATIENCE, requests.recv()).await?.context("it is shown the head again")?;
    assert_only_sizes_and_hashes(&request, &format!("domicile/eu/{}", acme.tenant_id()))?;

    let kept = async {
        loop {
            if let Some(kept) = eu.deps.bucket.get(&object).await? {
                return anyhow::Ok(String::from_utf8(kept.body.to_vec())?);
            }
        }
    };
    let kept = tokio::time::timeout(PATIENCE, kept).await??;
    assert!(cosignature::time(&kept, &verifier)?.is_some());
    assert_eq!(Checkpoint::claimed(&kept)?.size, 8);
    tokio::time::timeout(PATIENCE, becomes(false)).await.context("nobody sees that the witness is back")?;
    let report = eu.report(&acme).await?;
    assert!(report.is_clean() && report.witnesses[0].size == 8, "{report:?}");
    assert!(shutdown.drain(PATIENCE).await);
    running.await?.map_err(Arc::new)?;
    Ok(())
}

#[tokio::test]
async fn what_a_witness_was_shown_with_a_wrong_proof_is_proven_and_a_fork_is_not() -> anyhow::Result<()> {
    let mut eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    let checkpoint = format!("{}{}", layout::tenant_prefix(acme.tenant_id()), layout::CHECKPOINT);
    let mut heads = Vec::new();
    for from in [0, 4] {
        eu.append(&acme, 1, from, 4).await?;
        archive_tenant(&eu.deps, &acme, None).await?;
        let head = eu.deps.bucket.get(&checkpoint).await?.context("it is archived")?;
        heads.push(String::from_utf8(head.body.to_vec())?);
    }
    let [old, new] = [Checkpoint::claimed(&heads[0])?, Checkpoint::claimed(&heads[1])?];
    let key = eu.deps.signing.read()?.key;
    let log = Signer::new(old.origin.as_str(), key.public_key(), move |message| key.sign(message));
    let forked = Checkpoint { root: Hash::of(&[b"another history"]), ..old.clone() }.sign(&log);
    let of_nobody = old.clone().sign(&signer_of_us(&eu)?);
    let held = [(&forked, &heads[1]), (&of_nobody, &heads[1]), (&heads[0], &heads[1])];
    let unproven =
        held.map(|(ours, theirs)| json!({ "ours": ours, "theirs": theirs, "found_at": "2026-01-01T00:00:00Z" }));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    us_at(&mut eu, listener.local_addr()?)?;
    let (shown, mut requests) = mpsc::unbounded_channel();
    let (nonsense, signer) = (Vec::new(), signer_of_us(&eu)?);
    Shutdown::new().spawn(Us { listener, nonsense, unproven: json!(unproven), signer, shown }.serve());
    let shutdown = Shutdown::new();
    let running = shutdown.spawn(Replicator::new(eu.deps.clone()).run(shutdown.clone()));
    let mut settled = Vec::new();
    while settled.len() < 2 {
        let request = tokio::time::timeout(PATIENCE, requests.recv()).await?.context("it is proven")?;
        let Some(rest) = request.strip_prefix("POST /witness/settle ") else { continue };
        let (_, body) = rest.split_once("\r\n\r\n").context("a request has a head")?;
        settled.push(AddCheckpoint::parse(body).context("a proof in the protocol's shape")?);
    }
    // The same twice, because this witness never takes what it holds off its list; and nothing of the other two.
    for proven in settled {
        assert_eq!((proven.old_size, &proven.checkpoint), (old.size, &heads[1]));
        let [old, new] = [&old, &new].map(|head| Tree { size: head.size, root: head.root });
        assert!(consistency_holds(&old, &new, &proven.proof));
    }
    assert!(shutdown.drain(PATIENCE).await);
    running.await?.map_err(Arc::new)?;
    Ok(())
}

#[tokio::test]
async fn what_was_refused_of_a_closed_tenants_log_says_nothing_of_today() -> anyhow::Result<()> {
    let eu = archiving().await?;
    let acme = eu.test.tenant("acme").await?;
    let (us, log) = ("us".parse()?, Unwitnessed { tenant_id: acme.tenant_id(), size: 0 });
    let mut connection = eu.deps.pool.acquire().await?;
    witness::put_submitted(&mut connection, (log, &us), Some("422"), eu.deps.clock.now()).await?;
    for (state, refused) in [("active", 1), ("behind", 0), ("closed", 0), ("active", 1)] {
        set_state(&eu, &acme, state).await?;
        assert_eq!(witness::refused(&mut connection, &us).await?, refused, "{state}");
    }
    Ok(())
}

/// Origin, sizes, hashes and signatures, in the one spelling of the protocol, and the headers of any request.
fn assert_only_sizes_and_hashes(request: &str, origin: &str) -> anyhow::Result<()> {
    let (head, body) = request.split_once("\r\n\r\n").context("a request has a head")?;
    let names: Vec<_> = head.lines().skip(1).filter_map(|line| line.split(':').next()).map(str::to_lowercase).collect();
    let usual = ["accept", "content-length", "content-type", "host"];
    anyhow::ensure!(names.iter().all(|name| usual.contains(&name.as_str())), "{names:?}");
    let asked = AddCheckpoint::parse(body).context("a request of the protocol")?;
    anyhow::ensure!(asked.to_string() == body, "it has one spelling");
    let text = note::text(&asked.checkpoint)?;
    let lines: Vec<_> = text.lines().collect();
    anyhow::ensure!(lines.len() == 3 && lines[0] == origin, "{lines:?}");
    let claimed = Checkpoint::claimed(&asked.checkpoint)?;
    anyhow::ensure!(lines[1] == claimed.size.to_string(), "{lines:?}");
    let signatures = asked.checkpoint[text.len() + 1..].lines().count();
    anyhow::ensure!(signatures == 1, "the log's own signature");
    Ok(())
}

#[test]
fn a_request_that_says_more_is_noticed() {
    let note = "domicile/eu/x\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— domicile/eu/x AAAA\n";
    let good = format!("POST / HTTP/1.1\r\nhost: a\r\n\r\nold 0\n\n{note}");
    assert_only_sizes_and_hashes(&good, "domicile/eu/x").expect("sizes and hashes");
    for more in [
        good.replace("host: a", "host: a\r\nx-tenant: acme"),
        good.replace("AAA=\n\n", "AAA=\nacme\n\n"),
        good.replace("eu/x\n1", "eu/y\n1"),
        format!("{good}— acme BBBB\n"),
    ] {
        assert!(assert_only_sizes_and_hashes(&more, "domicile/eu/x").is_err(), "{more}");
    }
}
