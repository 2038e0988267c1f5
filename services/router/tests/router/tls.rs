//! The TLS port: from the ClientHello's server name to the home region, where TLS ends.

use std::sync::Arc;

use rustls::{
    AlertDescription, ClientConfig, RootCertStore, ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

use crate::support::World;

/// A server with a certificate for `acme.localhost`, and a client that trusts it.
fn ends() -> anyhow::Result<(TlsAcceptor, TlsConnector)> {
    let names = ["acme.localhost".to_owned(), "nobody.localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names)?;
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((Arc::new(server).into(), Arc::new(client).into()))
}

async fn connect(connector: &TlsConnector, name: &str, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
    let name = name.to_owned().try_into().map_err(std::io::Error::other)?;
    connector.connect(name, stream).await
}

#[tokio::test]
async fn tls_ends_in_the_home_region() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let router = world.router().await?;
    let (acceptor, connector) = ends()?;
    let client = async {
        let stream = TcpStream::connect(router.tls).await?;
        let mut client = connect(&connector, "acme.localhost", stream).await?;
        client.write_all(b"a secret").await?;
        let mut answer = [0; 9];
        client.read_exact(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let region = async {
        let arrival = world.eu.next().await?;
        let mut server = acceptor.accept(arrival.stream).await?;
        let mut request = [0; 8];
        server.read_exact(&mut request).await?;
        server.write_all(b"an answer").await?;
        anyhow::Ok((request, server))
    };
    let (answer, arrived) = tokio::join!(client, region);
    assert_eq!((&answer?, &arrived?.0), (b"an answer", b"a secret"));
    Ok(())
}

#[tokio::test]
async fn an_unknown_name_is_refused_with_the_alert_for_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let router = world.router().await?;
    let (_, connector) = ends()?;
    let error = connect(&connector, "nobody.localhost", TcpStream::connect(router.tls).await?)
        .await
        .expect_err("nobody is at home there");
    let reason = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    assert_eq!(reason, Some(&rustls::Error::AlertReceived(AlertDescription::UnrecognisedName)), "{error}");
    Ok(())
}

#[tokio::test]
async fn http_on_the_tls_port_is_refused_with_an_alert() -> anyhow::Result<()> {
    let world = World::new().await?;
    let router = world.router().await?;
    let mut client = TcpStream::connect(router.tls).await?;
    client.write_all(b"GET / HTTP/1.1\r\nHost: acme.localhost\r\n\r\n").await?;
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await?;
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 50]);
    Ok(())
}
