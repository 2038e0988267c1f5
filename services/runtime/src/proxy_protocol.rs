//! The PROXY protocol, version 2: how a router tells a region who is really calling.
//!
//! Pure bytes, no sockets. The format is HAProxy's `proxy-protocol.txt`, section 2.2: a signature, a version and command, a
//! family, a length, the two addresses, and optional TLVs, which are skipped.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
const FIXED_LENGTH: usize = 16;
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const UNSPECIFIED: u8 = 0x00;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

/// The longest header [`encode`] makes: the fixed part and two IPv6 addresses with their ports.
pub const ENCODED_LENGTH_MAX: usize = FIXED_LENGTH + 36;

/// The longest header [`decode`] takes, TLVs included.
pub const LENGTH_MAX: usize = 536;

/// Who speaks on a connection that a router passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The router itself, for example a health check: the connection's own addresses are the true ones.
    Local,
    /// A client behind the router.
    Proxied {
        /// The client's address.
        source: SocketAddr,
        /// The router's address the client connected to.
        destination: SocketAddr,
    },
}

/// A header ready to be sent, kept on the stack.
#[derive(Debug, Clone, Copy)]
pub struct Encoded {
    bytes: [u8; ENCODED_LENGTH_MAX],
    length: usize,
}

impl AsRef<[u8]> for Encoded {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Bytes that are no header of version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The connection did not come through a router.
    #[error("the connection does not begin with the signature of the PROXY protocol, version 2")]
    Signature,
    /// Another version, or a command nobody knows.
    #[error("version and command {0:#04x}: takes 0x20 (local) or 0x21 (proxy)")]
    Command(u8),
    /// An address family a router does not speak.
    #[error("address family {0:#04x}: takes 0x11 (TCP over IPv4) or 0x21 (TCP over IPv6)")]
    Family(u8),
    /// The length does not fit the family, or is over the limit.
    #[error("length {0}: takes what the address family needs, at most 520")]
    Length(usize),
}

/// The header for a client's connection. An IPv4 address in IPv6 clothing is undressed; where the families still differ,
/// both are written as IPv6.
pub fn encode(source: SocketAddr, destination: SocketAddr) -> Encoded {
    let mut encoded = Encoded { bytes: [0; ENCODED_LENGTH_MAX], length: 0 };
    encoded.push(&SIGNATURE);
    match (source.ip().to_canonical(), destination.ip().to_canonical()) {
        (std::net::IpAddr::V4(from), std::net::IpAddr::V4(to)) => {
            encoded.push(&[PROXY, TCP_OVER_IPV4, 0, 12]);
            encoded.push(&from.octets());
            encoded.push(&to.octets());
        }
        (from, to) => {
            encoded.push(&[PROXY, TCP_OVER_IPV6, 0, 36]);
            encoded.push(&in_ipv6(from).octets());
            encoded.push(&in_ipv6(to).octets());
        }
    }
    encoded.push(&source.port().to_be_bytes());
    encoded.push(&destination.port().to_be_bytes());
    encoded
}

/// Reads a header from the first bytes of a connection: the header and its length, or nothing while bytes are missing.
///
/// It never asks for bytes beyond the header, so a reader that has the fixed 16 bytes knows from [`expected_length`] how
/// many more to read.
pub fn decode(bytes: &[u8]) -> Result<Option<(Header, usize)>, Malformed> {
    let Some(length) = expected_length(bytes)? else { return Ok(None) };
    let Some(body) = bytes.get(FIXED_LENGTH..length) else { return Ok(None) };
    let header = match (bytes[12], bytes[13]) {
        // A local connection's addresses, if any, are to be ignored.
        (LOCAL, _) | (PROXY, UNSPECIFIED) => Header::Local,
        (PROXY, TCP_OVER_IPV4) => proxied_ipv4(body).ok_or(Malformed::Length(body.len()))?,
        (PROXY, TCP_OVER_IPV6) => proxied_ipv6(body).ok_or(Malformed::Length(body.len()))?,
        (PROXY, family) => return Err(Malformed::Family(family)),
        (command, _) => return Err(Malformed::Command(command)),
    };
    Ok(Some((header, length)))
}

/// How long the whole header is, once its fixed part is there. Refuses as soon as a byte is wrong.
pub fn expected_length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let seen = bytes.len().min(SIGNATURE.len());
    if bytes[..seen] != SIGNATURE[..seen] {
        return Err(Malformed::Signature);
    }
    match bytes.get(12) {
        Some(&command) if command != LOCAL && command != PROXY => return Err(Malformed::Command(command)),
        _ => {}
    }
    let Some(&[high, low]) = bytes.get(14..FIXED_LENGTH) else { return Ok(None) };
    let length = FIXED_LENGTH + usize::from(u16::from_be_bytes([high, low]));
    if length > LENGTH_MAX { Err(Malformed::Length(length - FIXED_LENGTH)) } else { Ok(Some(length)) }
}

impl Encoded {
    fn push(&mut self, part: &[u8]) {
        self.bytes[self.length..self.length + part.len()].copy_from_slice(part);
        self.length += part.len();
    }
}

fn in_ipv6(address: std::net::IpAddr) -> Ipv6Addr {
    match address {
        std::net::IpAddr::V4(address) => address.to_ipv6_mapped(),
        std::net::IpAddr::V6(address) => address,
    }
}

fn proxied_ipv4(body: &[u8]) -> Option<Header> {
    let (from, rest) = body.split_first_chunk::<4>()?;
    let (to, rest) = rest.split_first_chunk::<4>()?;
    Some(proxied(Ipv4Addr::from(*from).into(), Ipv4Addr::from(*to).into(), ports(rest)?))
}

fn proxied_ipv6(body: &[u8]) -> Option<Header> {
    let (from, rest) = body.split_first_chunk::<16>()?;
    let (to, rest) = rest.split_first_chunk::<16>()?;
    Some(proxied(Ipv6Addr::from(*from).into(), Ipv6Addr::from(*to).into(), ports(rest)?))
}

fn ports(bytes: &[u8]) -> Option<(u16, u16)> {
    let [from_high, from_low, to_high, to_low] = *bytes.first_chunk::<4>()?;
    Some((u16::from_be_bytes([from_high, from_low]), u16::from_be_bytes([to_high, to_low])))
}

fn proxied(from: std::net::IpAddr, to: std::net::IpAddr, (from_port, to_port): (u16, u16)) -> Header {
    Header::Proxied { source: SocketAddr::new(from, from_port), destination: SocketAddr::new(to, to_port) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_header_reads_back_as_itself() {
        for (from, to) in [("192.0.2.7:40000", "127.0.0.1:8080"), ("[2001:db8::1]:40000", "[::1]:443")] {
            let encoded = encode(address(from), address(to));
            let header = Header::Proxied { source: address(from), destination: address(to) };
            assert_eq!(decode(encoded.as_ref()), Ok(Some((header, encoded.as_ref().len()))));
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let encoded = encode(address("192.0.2.7:258"), address("127.0.0.1:80"));
        assert_eq!(encoded.as_ref(), b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x7f\0\0\x01\x01\x02\0\x50");
    }

    #[test]
    fn families_that_differ_are_written_as_ipv6() {
        let encoded = encode(address("192.0.2.7:1"), address("[::1]:2"));
        let header = Header::Proxied { source: address("[::ffff:192.0.2.7]:1"), destination: address("[::1]:2") };
        assert_eq!(decode(encoded.as_ref()), Ok(Some((header, 52))));
        assert_eq!(encode(address("[::ffff:192.0.2.7]:1"), address("127.0.0.1:2")).as_ref().len(), 28);
    }

    #[test]
    fn every_prefix_asks_for_more_and_what_follows_is_left_alone() {
        let encoded = encode(address("192.0.2.7:1"), address("127.0.0.1:2"));
        for length in 0..encoded.as_ref().len() {
            assert_eq!(decode(&encoded.as_ref()[..length]), Ok(None), "{length}");
        }
        let mut followed = encoded.as_ref().to_vec();
        followed.extend_from_slice(b"GET / HTTP/1.1\r\n");
        assert_eq!(decode(&followed).map(|found| found.map(|(_, length)| length)), Ok(Some(28)));
    }

    #[test]
    fn tlvs_are_skipped() {
        let mut bytes = encode(address("192.0.2.7:1"), address("127.0.0.1:2")).as_ref().to_vec();
        bytes[15] += 4;
        assert_eq!(decode(&bytes), Ok(None), "the TLV is part of the header");
        bytes.extend_from_slice(&[4, 0, 1, 0]);
        assert_eq!(decode(&bytes).map(|found| found.map(|(_, length)| length)), Ok(Some(32)));
    }

    #[test]
    fn a_local_connection_keeps_its_own_addresses() {
        let bytes = [&SIGNATURE[..], &[LOCAL, UNSPECIFIED, 0, 0]].concat();
        assert_eq!(decode(&bytes), Ok(Some((Header::Local, 16))));
    }

    #[test]
    fn what_is_no_header_is_refused_at_once() {
        assert_eq!(decode(b"G"), Err(Malformed::Signature));
        assert_eq!(decode(b"PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n"), Err(Malformed::Signature));
        let with = |tail: &[u8]| [&SIGNATURE[..], tail].concat();
        assert_eq!(decode(&with(&[0x11])), Err(Malformed::Command(0x11)));
        assert_eq!(decode(&with(&[PROXY, 0x31, 0, 0])), Err(Malformed::Family(0x31)));
        assert_eq!(decode(&with(&[PROXY, TCP_OVER_IPV4, 0xff, 0xff])), Err(Malformed::Length(0xffff)));
        let short = with(&[PROXY, TCP_OVER_IPV4, 0, 4, 1, 2, 3, 4]);
        assert_eq!(decode(&short), Err(Malformed::Length(4)));
    }
}
