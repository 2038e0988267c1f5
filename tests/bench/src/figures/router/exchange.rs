//! Both ends of a connection: a client that says hello and asks for bytes, and a region that answers with them.

use std::net::SocketAddr;

use runtime::Shutdown;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The name that leads to the region.
pub(super) const SLUG: &str = "acme";
pub(super) const APEX: &str = "localhost";

/// Bytes that are sent or read at once.
const PIECE: usize = 256 << 10;

pub(super) struct Region {
    pub(super) address: SocketAddr,
    shutdown: Shutdown,
}

pub(super) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Region {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, shutdown) = (listener.local_addr()?, Shutdown::new());
        let tasks = shutdown.clone();
        shutdown.spawn(async move {
            while let Some(Ok((stream, _))) = until(&tasks, listener.accept()).await {
                let stop = tasks.clone();
                // A client that goes away ends it.
                tasks.spawn(async move { until(&stop, serve(stream)).await });
            }
        });
        Ok(Self { address, shutdown })
    }

    pub(super) fn stop(self) {
        self.shutdown.request();
    }
}

async fn until<T>(stop: &Shutdown, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = stop.requested() => None,
    }
}

async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    // PROXY protocol, version 2: twelve bytes of signature, two of kind, two of length; then a TLS record.
    skip(&mut stream, 14, 2).await?;
    skip(&mut stream, 3, 2).await?;
    let answer = vec![b'x'; PIECE];
    loop {
        let mut left = stream.read_u32().await? as usize;
        while left > 0 {
            let piece = left.min(PIECE);
            stream.write_all(&answer[..piece]).await?;
            left -= piece;
        }
    }
}

/// Reads past a header that ends with the length of what follows.
async fn skip(stream: &mut TcpStream, before: usize, length: usize) -> std::io::Result<()> {
    let mut header = vec![0; before + length];
    stream.read_exact(&mut header).await?;
    let length = usize::from(u16::from_be_bytes([header[before], header[before + 1]]));
    stream.read_exact(&mut vec![0; length]).await?;
    Ok(())
}

impl Client {
    /// Connects and says hello.
    pub(super) async fn connect(router: SocketAddr) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(router).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&hello(&format!("{SLUG}.{APEX}"))).await?;
        Ok(Self { stream, buffer: vec![0; PIECE] })
    }

    /// Asks for so many bytes and reads them.
    pub(super) async fn ask(&mut self, bytes: u32) -> anyhow::Result<()> {
        self.stream.write_u32(bytes).await?;
        let mut left = bytes as usize;
        while left > 0 {
            let read = self.stream.read(&mut self.buffer[..left.min(PIECE)]).await?;
            anyhow::ensure!(read > 0, "the connection ended with {left} bytes to come");
            left -= read;
        }
        Ok(())
    }
}

/// The shortest ClientHello that names a host (RFC 8446, section 4.1.2; RFC 6066, section 3).
fn hello(host: &str) -> Vec<u8> {
    let name = [&[0][..], &prefixed(2, host.as_bytes())].concat();
    let server_name = [&[0, 0][..], &prefixed(2, &prefixed(2, &name))].concat();
    let body = [&[3, 3][..], &[7; 32], &[0], &prefixed(2, &[0x13, 0x01]), &[1, 0], &prefixed(2, &server_name)].concat();
    let handshake = [&[1][..], &prefixed(3, &body)].concat();
    [&[22, 3, 1][..], &prefixed(2, &handshake)].concat()
}

/// Bytes after their length, which takes so many bytes itself.
fn prefixed(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_be_bytes();
    [&length[8 - width..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hello_names_its_host_where_a_router_looks() {
        let hello = hello("acme.localhost");
        let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
        assert_eq!(hello.len(), 5 + length);
        assert!(hello.ends_with(b"acme.localhost"));
    }
}
