//! The router hints, the region judges; and TLS ends in the region.

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::Context;
use reqwest::tls::TlsInfo;
use runtime::proxy_protocol;
use system_tests::{Deployment, Tenant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn a_region_misdirected_to_says_so_and_writes_nothing() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let acme = deployment.signup("eu", "misdirected").await?;
    let head = acme.written().await?;
    let body = "{\"ticket\": {\"comment\": {\"body\": \"x\"}}}";
    let request = format!(
        "POST /api/v2/tickets.json HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        acme.client.host(),
        acme.token,
        body.len(),
    );
    // As if a stale map had led here.
    let elsewhere = ask_desk(deployment, "us", &request).await?;
    assert!(elsewhere.starts_with("HTTP/1.1 421 "), "{elsewhere}");
    assert_eq!(acme.written().await?, head);
    let counted = deployment.client("us")?.get("/metrics").await?.expect(200)?.text();
    assert!(
        counted.lines().any(|line| line.starts_with("domicile_misdirected_requests_total") && !line.ends_with(" 0")),
        "{counted}"
    );
    // The control: the same bytes are taken at home.
    let at_home = ask_desk(deployment, "eu", &request).await?;
    assert!(at_home.starts_with("HTTP/1.1 201 "), "{at_home}");
    assert!(acme.written().await? > head);
    Ok(())
}

/// Sends a request to a region's desk, past the router.
async fn ask_desk(deployment: &Deployment, region: &str, request: &str) -> anyhow::Result<String> {
    let desk = deployment.running()?.regions.get(&region.parse()?).context("the region runs")?.desk;
    let mut stream = TcpStream::connect(desk).await?;
    let header = proxy_protocol::encode(stream.local_addr()?, stream.peer_addr()?);
    stream.write_all(header.as_ref()).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_desk_takes_nobody_who_did_not_come_through_a_router() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let desk = deployment.running()?.regions.get(&"eu".parse()?).context("the region runs")?.desk;
    let mut stream = TcpStream::connect(desk).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: eu.localhost\r\n\r\n").await?;
    let mut answer = Vec::new();
    // It may end in a reset: what was sent is not read to its end.
    let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await?;
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    Ok(())
}

#[tokio::test]
async fn tls_ends_in_the_home_region() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    for region in ["eu", "jp"] {
        let acme = deployment.signup(region, &format!("tls-{region}")).await?;
        let presented = certificate_of(&acme, deployment.running()?.listen_tls).await?;
        let own = certificate_in(&fs::read_to_string(deployment.data().join(region).join("keys/tls.crt"))?)?;
        assert!(presented == own, "{region} presents the certificate of its own keys");
    }
    Ok(())
}

/// Asks by TLS; gives the certificate that was presented, DER.
async fn certificate_of(acme: &Tenant, router: SocketAddr) -> anyhow::Result<Vec<u8>> {
    let host = format!("{}.localhost", acme.slug);
    // Development certificates are self-signed; which one it is, is looked at instead.
    #[expect(clippy::disallowed_methods, reason = "a client of what is tested")]
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_info(true)
        .tls_danger_accept_invalid_certs(true)
        .resolve(&host, router);
    let request =
        http.build()?.get(format!("https://{host}:{}/api/v2/users/me.json", router.port())).bearer_auth(&acme.token);
    let answer = request.send().await?;
    anyhow::ensure!(answer.status() == 200, "{}", answer.status());
    let info = answer.extensions().get::<TlsInfo>().context("it was TLS")?;
    Ok(info.peer_certificate().context("a certificate")?.to_vec())
}

fn certificate_in(pem: &str) -> anyhow::Result<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    Ok(STANDARD.decode(base64)?)
}
