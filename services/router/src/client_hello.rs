//! Reads the server name out of a TLS ClientHello, without taking part in the handshake.
//!
//! Strict on purpose: whatever is passed on will be judged again by the region's TLS stack, but what cannot be read without
//! doubt is refused here. Records as of RFC 8446, section 5.1 (the hello may be split over several), the hello itself as of
//! section 4.1.2, the name as of RFC 6066, section 3.
//!
//! The answer depends on the bytes alone, never on how they were cut: a verdict on a prefix is the verdict on the whole.

use std::borrow::Cow;

const RECORD_HEADER_LENGTH: usize = 5;
const RECORD_LENGTH_MAX: usize = 1 << 14;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// What the first bytes of a connection say.
#[derive(Debug, PartialEq, Eq)]
pub enum Hello {
    /// Nothing yet: the hello is not complete.
    Incomplete,
    /// A complete hello that names a server, in lower case.
    Names(String),
    /// A complete hello that names none.
    NamesNobody,
}

/// Why the first bytes of a connection are no ClientHello the router passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not TLS, or not a hello.
    #[error("the connection does not begin with a TLS handshake")]
    NotTls,
    /// A length or a value is wrong.
    #[error("the ClientHello is malformed")]
    Malformed,
    /// Longer than the limit.
    #[error("the ClientHello is longer than the limit")]
    TooLong,
}

/// Reads the bytes received so far. `length_max` limits them, record headers included.
pub fn read(bytes: &[u8], length_max: usize) -> Result<Hello, Refused> {
    let mut handshake = Cow::Borrowed(&[][..]);
    let mut rest = bytes;
    loop {
        if let Some(message) = complete_message(&handshake, length_max)? {
            return server_name(message).ok_or(Refused::Malformed);
        }
        let Some((fragment, after)) = record(rest, length_max - (bytes.len() - rest.len()))? else {
            return Ok(Hello::Incomplete);
        };
        match &mut handshake {
            // Nearly every hello fits one record: then nothing is copied.
            empty if empty.is_empty() => *empty = Cow::Borrowed(fragment),
            assembled => assembled.to_mut().extend_from_slice(fragment),
        }
        rest = after;
    }
}

/// A record's fragment, and what follows the record.
type Record<'a> = (&'a [u8], &'a [u8]);

/// The first record, once it is complete.
fn record(bytes: &[u8], length_max: usize) -> Result<Option<Record<'_>>, Refused> {
    // Before the first look: whether there is room for another record is known without its bytes.
    if length_max < RECORD_HEADER_LENGTH {
        return Err(Refused::TooLong);
    }
    match bytes {
        [kind, ..] if *kind != HANDSHAKE => return Err(Refused::NotTls),
        [_, major, ..] if *major != 3 => return Err(Refused::NotTls),
        _ => {}
    }
    let Some((header, rest)) = bytes.split_first_chunk::<RECORD_HEADER_LENGTH>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    // Handshake fragments are never empty (RFC 8446, section 5.1), else a hello could be dripped for ever.
    if length == 0 || length > RECORD_LENGTH_MAX {
        return Err(Refused::Malformed);
    }
    if RECORD_HEADER_LENGTH + length > length_max {
        return Err(Refused::TooLong);
    }
    Ok(rest.split_at_checked(length))
}

/// The body of the hello, once all of it is there.
fn complete_message(handshake: &[u8], length_max: usize) -> Result<Option<&[u8]>, Refused> {
    match handshake {
        [kind, ..] if *kind != CLIENT_HELLO => return Err(Refused::NotTls),
        _ => {}
    }
    let Some((header, body)) = handshake.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
    if length > length_max {
        return Err(Refused::TooLong);
    }
    match body.len() {
        have if have < length => Ok(None),
        have if have == length => Ok(Some(body)),
        // Nothing may follow the hello before the server answered it.
        _ => Err(Refused::Malformed),
    }
}

/// The name in a complete hello. `None` is a malformed hello.
fn server_name(message: &[u8]) -> Option<Hello> {
    let mut hello = Reader(message);
    hello.take(2 + 32)?; // legacy version, random
    if hello.vector_u8()?.0.len() > 32 {
        return None;
    }
    let cipher_suites = hello.vector_u16()?.0;
    if cipher_suites.is_empty() || cipher_suites.len() % 2 != 0 {
        return None;
    }
    if hello.vector_u8()?.0.is_empty() {
        return None; // compression methods
    }
    if hello.0.is_empty() {
        return Some(Hello::NamesNobody); // a hello of TLS 1.2 may carry no extensions at all
    }
    let mut extensions = hello.vector_u16()?;
    if !hello.0.is_empty() {
        return None;
    }
    let mut found = None;
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let content = extensions.vector_u16()?;
        if kind == SERVER_NAME && found.replace(host_name(content)?).is_some() {
            return None; // an extension may come once only
        }
    }
    Some(found.map_or(Hello::NamesNobody, Hello::Names))
}

/// The one host name of the extension `server_name`.
fn host_name(mut extension: Reader<'_>) -> Option<String> {
    let mut list = extension.vector_u16()?;
    let kind = list.u8()?;
    let name = list.vector_u16()?.0;
    let is_name = !name.is_empty()
        && name.len() <= 253
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if kind != HOST_NAME || !list.0.is_empty() || !extension.0.is_empty() || !is_name {
        return None;
    }
    String::from_utf8(name.to_ascii_lowercase()).ok()
}

/// Takes bytes from the front, or nothing when they do not reach.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn vector_u8(&mut self) -> Option<Reader<'a>> {
        let length = self.u8()?;
        self.take(length.into()).map(Reader)
    }

    fn vector_u16(&mut self) -> Option<Reader<'a>> {
        let length = self.u16()?;
        self.take(length.into()).map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 16 << 10;

    fn vector(length_bytes: usize, content: &[u8]) -> Vec<u8> {
        let mut bytes = content.len().to_be_bytes()[8 - length_bytes..].to_vec();
        bytes.extend_from_slice(content);
        bytes
    }

    fn name_extension(name: &str) -> Vec<u8> {
        let entry = [&[HOST_NAME][..], &vector(2, name.as_bytes())].concat();
        [&[0, 0][..], &vector(2, &vector(2, &entry))].concat()
    }

    fn message(extensions: &[u8]) -> Vec<u8> {
        let body = [
            &[3, 3][..],
            &[7; 32],
            &vector(1, &[9; 32]),
            &vector(2, &[0x13, 1]),
            &vector(1, &[0]),
            &vector(2, extensions),
        ];
        [&[CLIENT_HELLO][..], &vector(3, &body.concat())].concat()
    }

    fn records(message: &[u8], fragment_length: usize) -> Vec<u8> {
        message.chunks(fragment_length).flat_map(|part| [&[HANDSHAKE, 3, 1][..], &vector(2, part)].concat()).collect()
    }

    fn hello(name: &str) -> Vec<u8> {
        let other = [&[0, 43][..], &vector(2, &[2, 3, 4])].concat();
        records(&message(&[other, name_extension(name)].concat()), RECORD_LENGTH_MAX)
    }

    #[test]
    fn a_hello_of_rustls_is_read() {
        let config = rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let name = "Acme.localhost".try_into().expect("a name");
        let mut client = rustls::ClientConnection::new(config.into(), name).expect("a client");
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).expect("a hello");
        assert_eq!(read(&bytes, LIMIT), Ok(Hello::Names("acme.localhost".to_owned())));
    }

    #[test]
    fn a_name_is_found_and_read_in_lower_case() {
        assert_eq!(read(&hello("ACME.localhost"), LIMIT), Ok(Hello::Names("acme.localhost".to_owned())));
    }

    #[test]
    fn a_hello_split_over_records_is_read() {
        let message = message(&name_extension("acme.localhost"));
        for length in [1, 2, 3, 5, 50] {
            assert_eq!(read(&records(&message, length), LIMIT), Ok(Hello::Names("acme.localhost".to_owned())));
        }
    }

    #[test]
    fn a_hello_without_a_name_names_nobody() {
        assert_eq!(read(&records(&message(&[]), 100), LIMIT), Ok(Hello::NamesNobody));
    }

    #[test]
    fn what_is_no_hello_is_refused_at_once() {
        assert_eq!(read(b"G", LIMIT), Err(Refused::NotTls));
        assert_eq!(read(&[HANDSHAKE, 2], LIMIT), Err(Refused::NotTls));
        assert_eq!(read(&[HANDSHAKE, 3, 1, 0, 4, 2, 0, 0, 0], LIMIT), Err(Refused::NotTls));
        assert_eq!(read(&[HANDSHAKE, 3, 1, 0, 0], LIMIT), Err(Refused::Malformed));
    }

    #[test]
    fn malformed_hellos_are_refused() {
        let twice = [name_extension("acme.localhost"), name_extension("acme.localhost")].concat();
        let mut excess = message(&name_extension("acme.localhost"));
        excess.push(0);
        let mut cut = message(&name_extension("acme.localhost"));
        let length = cut.len();
        cut[length - 20] += 1;
        for bad in [message(&twice), excess, cut, message(&name_extension("")), message(&name_extension("a b"))] {
            assert_eq!(read(&records(&bad, 1000), LIMIT), Err(Refused::Malformed));
        }
    }

    #[test]
    fn a_hello_over_the_limit_is_refused_before_it_is_complete() {
        assert_eq!(read(&[HANDSHAKE, 3, 1, 0x20, 0], 4096), Err(Refused::TooLong));
        assert_eq!(read(&[HANDSHAKE, 3, 1, 0, 4, 1, 1, 0, 0], LIMIT), Err(Refused::TooLong));
        // No room for the next record's header, whatever its bytes turn out to be.
        let whole = records(&message(&name_extension("acme.localhost")), 21);
        for cut in 26..=whole.len() {
            assert_eq!(read(&[&whole[..26], b"GET /"].concat()[..cut.min(31)], 26), Err(Refused::TooLong));
        }
        let dripped = records(&message(&vec![0; 4000]), 1);
        assert_eq!(read(&dripped, LIMIT), Err(Refused::TooLong));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, LIMIT);
        }

        #[test]
        fn a_broken_hello_never_makes_the_reader_panic(at in 0_usize..200, value: u8, length in 1_usize..80) {
            let mut bytes = records(&message(&name_extension("acme.localhost")), length);
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = read(&bytes, LIMIT);
        }

        #[test]
        fn the_verdict_does_not_depend_on_how_the_bytes_were_cut(
            at in 0_usize..400, value: u8, length in 1_usize..80, limit in 20_usize..600,
        ) {
            let mut bytes = records(&message(&name_extension("acme.localhost")), length);
            let at = at % bytes.len();
            bytes[at] = value;
            let whole = read(&bytes, limit);
            for cut in 0..bytes.len() {
                let verdict = read(&bytes[..cut], limit);
                prop_assert!(verdict == Ok(Hello::Incomplete) || verdict == whole, "{cut}: {verdict:?}, {whole:?}");
            }
        }
    }
}
