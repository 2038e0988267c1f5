//! Through our router, against HAProxy with SNI preread on the same machine: both peek at the name in the ClientHello, send a
//! PROXY v2 header and pass bytes on; neither decrypts.
//!
//! What comes after the ClientHello is not TLS, because nobody on the way looks at it: a client asks for so many bytes, and the
//! region behind answers with as many.

mod exchange;
mod through;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use self::{
    exchange::{Client, Region},
    through::{Haproxy, Ours},
};
use super::Bench;
use crate::{
    load::{self, Latency},
    report::{Figure, Reach},
    turns::{each, turns},
};

const CONNECTIONS: usize = 8;
const LARGE: u32 = 4 << 20;
const SMALL: u32 = 1 << 10;
/// Connections that are opened one after the other, to learn what one takes.
const OPENED: usize = 300;

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let region = Region::start().await?;
    let haproxy = match Haproxy::start(bench.ground.folder(), region.address).await {
        Ok(haproxy) => haproxy,
        Err(error) => {
            bench.report.leave_out("router_throughput, router_latency", format!("haproxy: {error:#}"));
            return Ok(());
        }
    };
    let ours = Ours::start(bench, region.address).await?;
    let (rounds, round, against) = (bench.pace.rounds, bench.pace.round, "HAProxy");
    let (here, there) = (ours.address, haproxy.address);

    let pairs = turns(rounds, async || throughput(here, round).await, async || throughput(there, round).await).await?;
    let (name, unit, reach) = ("router_throughput", "MB/s", Reach::AtLeast(0.9));
    bench.report.add(Figure { name, against, unit, reach }, &pairs);

    let pairs = turns(rounds, async || answers(here, round).await, async || answers(there, round).await).await?;
    let (unit, reach) = ("us", Reach::AtMost(1.1));
    let figure = |name| Figure { name, against, unit, reach };
    bench.report.add(figure("router_latency"), &each(&pairs, |latency| latency.p50));

    let pairs = turns(rounds, async || connects(here).await, async || connects(there).await).await?;
    bench.report.add(figure("router_connect_latency"), &each(&pairs, |latency| latency.p50));
    drop(haproxy);
    region.stop();
    ours.stop();
    Ok(())
}

/// Megabytes per second over a few connections.
async fn throughput(router: SocketAddr, round: Duration) -> anyhow::Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(router).await?);
    }
    let ask = async |mut client: Client| client.ask(LARGE).await.map(|()| client);
    let (_, answers) = load::per_second(clients, round, ask).await?;
    Ok(answers * f64::from(LARGE) / 1e6)
}

/// Small answers over a connection that is open.
async fn answers(router: SocketAddr, round: Duration) -> anyhow::Result<Latency> {
    let mut client = [Client::connect(router).await?];
    load::latency(&mut client, round, async |client| client.ask(SMALL).await).await
}

/// From the first packet to a small answer, on new connections.
async fn connects(router: SocketAddr) -> anyhow::Result<Latency> {
    let mut taken = Vec::with_capacity(OPENED);
    for _ in 0..OPENED {
        let begun = Instant::now();
        Client::connect(router).await?.ask(SMALL).await?;
        taken.push(begun.elapsed());
    }
    Ok(Latency::of(&taken))
}
