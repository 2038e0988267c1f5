//! Bodies of a gibibyte: refused long before their end.

use std::{cell::Cell, time::Duration};

use anyhow::Context;
use system_tests::{Deployment, Tenant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const GIBIBYTE: usize = 1 << 30;
/// What the buffers between us and the desk may swallow, the desk's own limit included.
const TAKEN_MAX: usize = GIBIBYTE / 4;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_gibibyte_that_is_announced_is_refused_without_a_byte_of_it() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "bad-announced").await?;
    let head = acme.written().await?;
    let paths =
        ["/api/v2/tickets.json", "/api/v2/uploads.json?filename=big.bin", "/api/domicile/v1/tickets/1/comments"];
    for path in paths {
        let head = head_of(&acme, path, &format!("Content-Length: {GIBIBYTE}"));
        let mut stream = connect(deployment).await?;
        stream.write_all(head.as_bytes()).await?;
        assert_eq!(status(&mut stream).await?, 413, "{path}");
    }
    assert_eq!(acme.written().await?, head, "nothing was appended");
    Ok(())
}

#[tokio::test]
async fn a_gibibyte_that_is_streamed_is_refused_long_before_its_end() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "bad-streamed").await?;
    let head = acme.written().await?;
    for path in ["/api/v2/tickets.json", "/api/v2/uploads.json?filename=big.bin"] {
        let mut stream = connect(deployment).await?;
        stream.write_all(head_of(&acme, path, "Transfer-Encoding: chunked").as_bytes()).await?;
        let (mut reads, mut writes) = stream.split();
        let sent = Cell::new(0);
        // The answer is read while we write: it comes as soon as there is too much, and not after a gibibyte.
        let answered = tokio::select! {
            biased;
            answered = status(&mut reads) => answered?,
            () = pour(&mut writes, &sent) => status(&mut reads).await?,
        };
        assert_eq!(answered, 413, "{path}");
        let sent = sent.get();
        assert!(sent < TAKEN_MAX, "{path} took {sent} bytes");
    }
    assert_eq!(acme.written().await?, head, "nothing was appended");
    Ok(())
}

async fn connect(deployment: &Deployment) -> anyhow::Result<TcpStream> {
    Ok(TcpStream::connect(deployment.running()?.listen).await?)
}

fn head_of(acme: &Tenant, path: &str, length: &str) -> String {
    let (host, token) = (acme.client.host(), &acme.token);
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    )
}

/// The status of the answer.
async fn status(stream: &mut (impl AsyncReadExt + Unpin)) -> anyhow::Result<u16> {
    let mut answer = Vec::new();
    let read = async {
        while !answer.windows(2).any(|two| two == b"\r\n") {
            anyhow::ensure!(stream.read_buf(&mut answer).await? > 0, "closed without an answer");
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, read).await.context("no answer")??;
    let text = String::from_utf8_lossy(&answer).into_owned();
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).with_context(|| format!("no status: {text}"))
}

/// Sends a gibibyte in chunks, or as much as is taken; counts what was.
async fn pour(stream: &mut (impl AsyncWriteExt + Unpin), sent: &Cell<usize>) {
    const CHUNK: usize = 64 << 10;
    let chunk = [format!("{CHUNK:x}\r\n").as_bytes(), &vec![b' '; CHUNK], b"\r\n"].concat();
    while sent.get() < GIBIBYTE && stream.write_all(&chunk).await.is_ok() {
        sent.set(sent.get() + CHUNK);
    }
}
