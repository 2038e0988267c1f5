//! Where a request comes from, as far as limits go.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
};

use axum::{extract::FromRequestParts, http::request::Parts};
use schemas::{Hash, TenantId};

use crate::{serve::Peer, state::Desk};

/// The client's address; of an IPv6 address the network, because one client has all of it (RFC 6177). Clients that the
/// router does not name count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client(Option<IpAddr>);

const IPV6_NETWORK: u128 = u128::MAX << 64;

impl Client {
    pub(super) fn new(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK).into(),
            address @ IpAddr::V4(_) => address,
        }))
    }

    pub(crate) fn of(parts: &Parts) -> Self {
        let peer = parts.extensions.get::<Peer>();
        Self::new(peer.and_then(|peer| peer.address).map(|address| address.ip()))
    }

    /// What the brake counts by: this client's attempts for one address of one tenant.
    pub(super) fn attempt(self, tenant_id: TenantId, email: &str) -> Hash {
        let client = self.0.map(|address| address.to_string()).unwrap_or_default();
        Hash::of(&[tenant_id.get().as_bytes(), email.as_bytes(), b"\0", client.as_bytes()])
    }
}

impl FromRequestParts<Desk> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _desk: &Desk) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client::new(Some(address.parse().expect("an address")))
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_client() {
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:192.0.2.7"), client("192.0.2.7"));
        assert_ne!(client("192.0.2.7"), client("192.0.2.8"));
    }
}
