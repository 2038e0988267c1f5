//! Holds the first bytes of a connection until they say where to, then gives them on behind a PROXY header.

use std::{io, net::SocketAddr};

use runtime::proxy_protocol::{self, ENCODED_LENGTH_MAX};
use tokio::{io::AsyncReadExt, net::TcpStream};

const FIRST_READ_LENGTH: usize = 4 << 10;

/// The bytes received so far, with room before them for the PROXY header, so that both leave in one write.
#[derive(Debug)]
pub(crate) struct Peeked(Vec<u8>);

impl Peeked {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::with_capacity(ENCODED_LENGTH_MAX + FIRST_READ_LENGTH);
        bytes.resize(ENCODED_LENGTH_MAX, 0);
        Self(bytes)
    }

    /// What the client sent.
    pub(crate) fn received(&self) -> &[u8] {
        &self.0[ENCODED_LENGTH_MAX..]
    }

    /// Waits for more; 0 is the end.
    pub(crate) async fn read_more(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        if self.0.len() == self.0.capacity() {
            self.0.reserve(FIRST_READ_LENGTH);
        }
        stream.read_buf(&mut self.0).await
    }

    /// What the region is sent first: the PROXY header, then what the client sent.
    pub(crate) fn behind_header(&mut self, source: SocketAddr, destination: SocketAddr) -> &[u8] {
        let header = proxy_protocol::encode(source, destination);
        let header = header.as_ref();
        let start = ENCODED_LENGTH_MAX - header.len();
        self.0[start..ENCODED_LENGTH_MAX].copy_from_slice(header);
        &self.0[start..]
    }
}
