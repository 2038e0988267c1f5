//! What a router is told at start.

use std::{collections::HashMap, net::SocketAddr, path::PathBuf, time::Duration};

use schemas::RegionId;

/// Everything a router needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to take plain HTTP.
    pub listen: SocketAddr,
    /// Where to take TLS, if at all.
    pub listen_tls: Option<SocketAddr>,
    /// The host all names end in, as people type it; a port is ignored.
    pub apex: String,
    /// Where each region takes connections.
    pub regions: HashMap<RegionId, Backend>,
    /// Who answers for the apex itself.
    pub default_region: RegionId,
    /// The file the newest map is kept in.
    pub map_cache: PathBuf,
    /// The directory that issues the map.
    pub directory: directory::Client,
    /// The directory's public key (Ed25519): only maps signed by it are used.
    pub public_key: [u8; 32],
    /// What one connection, and all of them, may take.
    pub limits: Limits,
}

/// Where a region's desk takes connections. Both expect a PROXY header.
#[derive(Debug, Clone, Copy)]
pub struct Backend {
    /// Plain HTTP.
    pub plain: SocketAddr,
    /// TLS, which ends there.
    pub tls: SocketAddr,
}

/// What one connection, and all of them, may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest head of a request, in bytes.
    pub head_length_max: usize,
    /// Longest ClientHello with its record headers, in bytes.
    pub hello_length_max: usize,
    /// From the connection to its first byte.
    pub first_byte_timeout: Duration,
    /// From the connection to the end of the head or hello.
    pub head_timeout: Duration,
    /// To connect to a region.
    pub connect_timeout: Duration,
    /// While the directory is asked about a name that is missing.
    pub unknown_name_timeout: Duration,
    /// Without a byte in either direction.
    pub idle_timeout: Duration,
    /// Open connections in all.
    pub connections_max: usize,
    /// Open connections of one client address (of one /64 in IPv6).
    pub connections_per_address_max: usize,
    /// From the request to stop until what is still open is cut.
    pub drain_timeout: Duration,
    /// While draining, a connection without a byte for so long is closed.
    pub drain_idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_length_max: 16 << 10,
            hello_length_max: 16 << 10,
            first_byte_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            unknown_name_timeout: Duration::from_millis(300),
            idle_timeout: Duration::from_secs(300),
            connections_max: 4096,
            connections_per_address_max: 1024,
            drain_timeout: Duration::from_secs(10),
            drain_idle_timeout: Duration::from_secs(1),
        }
    }
}

impl Config {
    /// The apex without its port.
    pub(crate) fn apex_host(&self) -> String {
        self.apex.split_once(':').map_or(self.apex.as_str(), |(host, _)| host).to_ascii_lowercase()
    }
}
