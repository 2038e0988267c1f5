//! A TCP proxy that tests own: it resets connections, lets them stall, and loses what servers answer.
//!
//! It keeps its address while the server behind it is killed and comes back on another port. Everything runs in tasks of the
//! runtime that started it.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use runtime::{Shutdown, proxy_protocol};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// Where a proxy leads. Shared by all proxies of one server, and changed when the server moves.
#[derive(Debug, Clone, Default)]
pub struct Target(Arc<Mutex<Option<SocketAddr>>>);

impl Target {
    /// New connections go there from now on.
    pub fn set(&self, address: SocketAddr) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }

    /// Where they go; nowhere before it was said.
    pub fn get(&self) -> Option<SocketAddr> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a proxy does with the bytes it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Passes them on.
    Pass,
    /// Keeps them until it passes on again: nobody is told anything.
    Stall,
    /// Passes on what clients send, and loses what the server answers.
    LoseAnswers,
}

/// Whether the server is told who is calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// The bytes are the client's from the first one on.
    None,
    /// Every connection begins with a PROXY v2 header, as a router's does.
    ProxyHeader,
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    /// Connections made before this number are to be reset.
    resets: watch::Sender<u64>,
    shutdown: Shutdown,
}

impl Proxy {
    /// Listens on a free port of the loopback address.
    pub async fn start(target: Target, greeting: Greeting) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (mode, resets) = (watch::Sender::new(Mode::Pass), watch::Sender::new(0));
        let proxy = Self { address: listener.local_addr()?, mode, resets, shutdown: Shutdown::new() };
        let (modes, resets, shutdown) = (proxy.mode.subscribe(), proxy.resets.subscribe(), proxy.shutdown.clone());
        proxy.shutdown.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = shutdown.requested() => return,
                };
                if let Ok((client, _)) = accepted {
                    let link = Link { client, target: target.clone(), greeting, mode: modes.clone() };
                    shutdown.spawn(link.run(resets.clone(), shutdown.clone()));
                }
            }
        });
        Ok(proxy)
    }

    /// Where clients connect.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets every connection there is: both sides see `ECONNRESET`, as when a middlebox forgot them.
    pub fn reset(&self) {
        self.resets.send_modify(|resets| *resets += 1);
    }

    /// Lets everything wait, until [`Proxy::heal`].
    pub fn stall(&self) {
        self.mode.send_replace(Mode::Stall);
    }

    /// Loses the server's answers, until [`Proxy::heal`]: what was asked is done, and nobody learns of it.
    pub fn lose_answers(&self) {
        self.mode.send_replace(Mode::LoseAnswers);
    }

    /// Passes everything on again. Connections that lost bytes are reset, because TCP never goes on after a gap.
    pub fn heal(&self) {
        if self.mode.send_replace(Mode::Pass) == Mode::LoseAnswers {
            self.reset();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

/// One client's connection.
struct Link {
    client: TcpStream,
    target: Target,
    greeting: Greeting,
    mode: watch::Receiver<Mode>,
}

impl Link {
    async fn run(self, mut resets: watch::Receiver<u64>, shutdown: Shutdown) {
        resets.mark_unchanged();
        // Errors of a connection are what its two ends see.
        let Ok(server) = self.connect().await else { return };
        let _ = (self.client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = self.client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut asks = Pump { from: from_client, to: to_server, mode: self.mode.clone(), is_answers: false };
        let mut answers = Pump { from: from_server, to: to_client, mode: self.mode, is_answers: true };
        tokio::select! {
            _ = async { tokio::try_join!(asks.run(), answers.run()) } => {}
            () = shutdown.requested() => {}
            _ = resets.changed() => {
                for pump in [asks, answers] {
                    // Closing then sends RST, and no FIN goes before it.
                    let _ = pump.from.as_ref().set_zero_linger();
                    pump.to.forget();
                }
            }
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let target = self.target.get().ok_or(io::ErrorKind::NotConnected)?;
        let mut server = TcpStream::connect(target).await?;
        if self.greeting == Greeting::ProxyHeader {
            let header = proxy_protocol::encode(self.client.peer_addr()?, self.client.local_addr()?);
            server.write_all(header.as_ref()).await?;
        }
        Ok(server)
    }
}

/// One direction of a connection.
struct Pump {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    mode: watch::Receiver<Mode>,
    is_answers: bool,
}

impl Pump {
    async fn run(&mut self) -> io::Result<()> {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let read = self.from.read(&mut bytes).await?;
            let mode = *self.mode.wait_for(|mode| *mode != Mode::Stall).await.map_err(io::Error::other)?;
            if read == 0 {
                return self.to.shutdown().await;
            }
            if !(self.is_answers && mode == Mode::LoseAnswers) {
                self.to.write_all(&bytes[..read]).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    /// A server that answers every byte with itself, behind a proxy; gives a client's connection.
    async fn echo(shutdown: &Shutdown) -> anyhow::Result<(Proxy, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let target = Target::default();
        target.set(listener.local_addr()?);
        shutdown.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut BufReader::new(from), &mut to).await;
            }
        });
        let proxy = Proxy::start(target, Greeting::None).await?;
        let client = TcpStream::connect(proxy.address()).await?;
        Ok((proxy, client))
    }

    async fn ask(client: &mut TcpStream, byte: u8) -> io::Result<u8> {
        client.write_u8(byte).await?;
        client.read_u8().await
    }

    #[tokio::test]
    async fn a_reset_is_seen_as_one() -> anyhow::Result<()> {
        let (proxy, mut client) = echo(&Shutdown::new()).await?;
        assert_eq!(ask(&mut client, 7).await?, 7);
        proxy.reset();
        let error = client.read_u8().await.expect_err("reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        Ok(())
    }

    #[tokio::test]
    async fn what_stalls_arrives_late_and_what_is_lost_never() -> anyhow::Result<()> {
        let (proxy, mut client) = echo(&Shutdown::new()).await?;
        assert_eq!(ask(&mut client, 1).await?, 1);
        proxy.stall();
        let (asked, ()) = tokio::join!(ask(&mut client, 2), async { proxy.heal() });
        assert_eq!(asked?, 2);
        proxy.lose_answers();
        client.write_u8(3).await?;
        // The server's answer is lost, or reset on its way: in no case does it arrive.
        tokio::task::yield_now().await;
        proxy.heal();
        assert!(client.read_u8().await.is_err());
        Ok(())
    }
}
