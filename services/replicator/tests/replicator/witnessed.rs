//! Other regions are shown tree heads: what they are shown, and what happens while they are down.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use archive::{Checkpoint, Signer, cosignature, layout, note, witness::AddCheckpoint};
use jiff::Timestamp;
use replicator::{Replicator, Witness, Witnesses};
use runtime::Shutdown;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use vault::SigningKey;

use crate::{
    region::{Archiving, archiving},
    running::{PATIENCE, until},
};

/// Region `us` as a witness that first says what is no cosignature, then cosigns whatever it is shown, and tells what that was.
struct Us {
    listener: TcpListener,
    nonsense: Vec<&'static str>,
    signer: Signer,
    shown: mpsc::UnboundedSender<String>,
}

impl Us {
    async fn serve(mut self) -> anyhow::Result<()> {
        loop {
            let (mut stream, _) = self.listener.accept().await?;
            let request = whole(&mut stream).await?;
            let (_, body) = request.split_once("\r\n\r\n").context("a request has a head")?;
            let asked = AddCheckpoint::parse(body).context("a request of the protocol")?;
            let line = match self.nonsense.pop() {
                Some(nonsense) => nonsense.to_owned(),
                None => cosignature::line(&asked.checkpoint, &self.signer, Timestamp::UNIX_EPOCH)?,
            };
            let answer =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{line}\n", line.len() + 1);
            stream.write_all(answer.as_bytes()).await?;
            self.shown.send(request)?;
        }
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
    let seen_down = async {
        while silent.get() == 0.0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seen_down).await.context("nobody sees that the witness is down")?;

    let key = SigningKey::load_or_create(&eu.test.folder.path().join("us.key"), eu.test.ids.as_ref())?;
    let signer = Signer::new("domicile/us", key.public_key(), move |message| key.sign(message));
    let verifier = signer.verifier().clone();
    let (shown, mut requests) = mpsc::unbounded_channel();
    // It runs until the test ends, and nobody waits for it.
    // Nothing of what it says first may come into the note: no reader could open that any more.
    let nonsense = vec!["— domicile/us \tno base64", "— domicile/us AAAA", "— domicile/jp AAAA"];
    Shutdown::new().spawn(Us { listener: reserved.listen(8)?, nonsense, signer, shown }.serve());
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
    let report = eu.report(&acme).await?;
    assert!(report.is_clean() && report.witnesses[0].size == 8, "{report:?}");
    assert!(shutdown.drain(PATIENCE).await);
    running.await?.map_err(Arc::new)?;
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
