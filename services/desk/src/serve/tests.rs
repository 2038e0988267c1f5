use std::{net::SocketAddr, sync::Arc, time::Duration};

use runtime::{Shutdown, proxy_protocol};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

use super::{
    Config, Error, Listeners, More, TlsConfig,
    connection::{self, Door, Limits, Patience},
    run,
};
use crate::testing::TestDesk;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

struct Served {
    test: TestDesk,
    plain: SocketAddr,
    tls: SocketAddr,
    ops: SocketAddr,
    certificate_pem: String,
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn served() -> anyhow::Result<Served> {
    let test = TestDesk::new().await?;
    let names = ["localhost".to_owned(), "*.localhost".to_owned()];
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)?;
    let tls =
        TlsConfig { listen: any_port(), certificates_pem: cert.pem(), private_key_pem: signing_key.serialize_pem() };
    let config = Config { listen: any_port(), listen_tls: Some(tls), listen_ops: any_port() };
    let listeners = Listeners::bind(&config).await?;
    let (plain, ops) = (listeners.plain_address(), listeners.ops_address());
    let tls = listeners.tls_address().ok_or_else(|| anyhow::anyhow!("a TLS port was asked for"))?;
    test.region.shutdown.spawn(run(test.desk.clone(), listeners, More::default(), test.region.shutdown.clone()));
    Ok(Served { test, plain, tls, ops, certificate_pem: cert.pem() })
}

fn proxy_header() -> proxy_protocol::Encoded {
    proxy_protocol::encode(SocketAddr::from(([192, 0, 2, 7], 4711)), SocketAddr::from(([127, 0, 0, 1], 8080)))
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, said: &[&[u8]]) -> anyhow::Result<String> {
    for part in said {
        stream.write_all(part).await?;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_connection_with_a_proxy_header_is_served() -> anyhow::Result<()> {
    let served = served().await?;
    let stream = TcpStream::connect(served.plain).await?;
    let answer = talk(stream, &[proxy_header().as_ref(), REQUEST]).await?;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    Ok(())
}

/// More than the buffers of both ends hold, and more than any route takes.
const LONG_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Sends a long body to its end, and only then listens.
async fn send_long(address: SocketAddr, head: &str, is_chunked: bool) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(proxy_header().as_ref()).await?;
    let length =
        if is_chunked { "transfer-encoding: chunked".to_owned() } else { format!("content-length: {LONG_BODY_BYTES}") };
    stream.write_all(format!("{head}{length}\r\ncontent-type: application/json\r\n\r\n").as_bytes()).await?;
    let mebibyte = vec![b'x'; 1024 * 1024];
    for _ in 0..LONG_BODY_BYTES / mebibyte.len() {
        let framed = [b"100000\r\n", &mebibyte[..], b"\r\n"].concat();
        stream.write_all(if is_chunked { &framed } else { &mebibyte }).await?;
    }
    talk(stream, if is_chunked { &[b"0\r\n\r\n"] } else { &[] }).await
}

#[tokio::test]
async fn an_answer_before_the_end_of_a_body_reaches_a_client_that_sends_first() -> anyhow::Result<()> {
    let served = served().await?;
    let acme = served.test.tenant("acme").await?;
    let authorization = format!("authorization: Bearer {}\r\n", acme.token);
    for (path, authorization, status) in [
        ("/api/v2/tickets", authorization.as_str(), 413),
        ("/api/v2/uploads?filename=a", &authorization, 413),
        ("/api/v2/nothing", &authorization, 404),
        ("/api/v2/tickets", "", 401),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: {}\r\n{authorization}", acme.host);
        for is_chunked in [false, true] {
            let answer = send_long(served.plain, &head, is_chunked).await?;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {status}: {answer}");
            assert!(answer.contains("connection: close\r\n") && answer.ends_with('}'), "{answer}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_whose_bodies_are_read_is_kept() -> anyhow::Result<()> {
    let served = served().await?;
    let acme = served.test.tenant("acme").await?;
    let authorization = format!("authorization: Bearer {}", acme.token);
    let post = format!(
        "POST /api/v2/tickets HTTP/1.1\r\nhost: {}\r\n{authorization}\r\ncontent-type: application/json\r\n",
        acme.host
    );
    let declared = format!("{post}content-length: 2\r\n\r\n{{}}");
    let chunked = format!("{post}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
    let stream = TcpStream::connect(served.plain).await?;
    let header = proxy_header();
    let said = [header.as_ref(), declared.as_bytes(), chunked.as_bytes(), REQUEST];
    let answer = talk(stream, &said).await?;
    assert_eq!(answer.matches("HTTP/1.1 422 ").count(), 2, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 1, "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_connection_without_a_proxy_header_is_closed_unanswered() -> anyhow::Result<()> {
    let served = served().await?;
    for address in [served.plain, served.tls] {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(REQUEST).await?;
        let mut answer = Vec::new();
        // Closed, or reset because it was not read to its end.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

#[tokio::test]
async fn tls_ends_in_the_region_and_urls_say_https() -> anyhow::Result<()> {
    let served = served().await?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(served.certificate_pem.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut stream = TcpStream::connect(served.tls).await?;
    stream.write_all(proxy_header().as_ref()).await?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = connector.connect(ServerName::try_from("localhost")?, stream).await?;
    let answer = talk(stream, &[REQUEST]).await?;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("https://jp.localhost/signup"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn ops_asks_without_a_proxy_header() -> anyhow::Result<()> {
    let served = served().await?;
    let request = b"GET /healthz HTTP/1.1\r\nhost: anything\r\nconnection: close\r\n\r\n";
    let answer = talk(TcpStream::connect(served.ops).await?, &[request]).await?;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn an_idle_connection_does_not_keep_the_process_from_ending() -> anyhow::Result<()> {
    let served = served().await?;
    let mut idle = TcpStream::connect(served.plain).await?;
    idle.write_all(proxy_header().as_ref()).await?;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut first = [0; 12];
    idle.read_exact(&mut first).await?;
    assert_eq!(&first, b"HTTP/1.1 200");
    assert!(served.test.region.shutdown.drain(Duration::from_secs(15)).await, "everything ended");
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_is_named() -> anyhow::Result<()> {
    let taken = tokio::net::TcpListener::bind(any_port()).await?;
    let config = Config { listen: taken.local_addr()?, listen_tls: None, listen_ops: any_port() };
    let Err(error) = Listeners::bind(&config).await else { anyhow::bail!("the port is taken") };
    assert_eq!(error.to_string(), format!("cannot listen on {}", taken.local_addr()?));
    Ok(())
}

#[tokio::test]
async fn a_certificate_that_is_none_is_refused() {
    let tls = TlsConfig { listen: any_port(), certificates_pem: String::new(), private_key_pem: "x".to_owned() };
    let config = Config { listen: any_port(), listen_tls: Some(tls), listen_ops: any_port() };
    assert!(matches!(Listeners::bind(&config).await, Err(Error::Pem(_))));
}

#[tokio::test]
async fn who_sends_too_slowly_is_let_go() -> anyhow::Result<()> {
    let patience =
        Patience { opening: Duration::from_millis(50), headers: Duration::from_millis(50), ..Patience::default() };
    let header = proxy_header();
    for said in [&[][..], &header.as_ref()[..20], &[header.as_ref(), b"GET / HTTP/1.1\r\nhost: lo"].concat()[..]] {
        let listener = tokio::net::TcpListener::bind(any_port()).await?;
        let meter = runtime::RegionMetrics::new("eu").queue("desk_connections");
        let limits = Limits { connections: Arc::new(Semaphore::new(1)), meter, patience, shutdown: Shutdown::new() };
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let (server, _) = listener.accept().await?;
        client.write_all(said).await?;
        // It ends although the client does not.
        let ended = connection::serve(server, Door::Plain, axum::Router::new(), limits).await;
        assert!(ended.is_err(), "after {} bytes", said.len());
    }
    Ok(())
}
