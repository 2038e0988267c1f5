//! Reads the method and the host out of the head of the first HTTP/1 request, and nothing else.
//!
//! As of RFC 9112, read strictly: lines end in CR LF, no folded lines, no space before a colon, exactly one `Host`. Two
//! parsers that read one request differently are how requests are smuggled; what could be read in two ways is refused.
//!
//! The answer depends on the bytes alone, never on how they were cut: a verdict on a prefix is the verdict on the whole.

const HEADERS_MAX: usize = 128;

/// What the router needs from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The host, as sent, without its port.
    pub host: &'a str,
    /// Whether the answer must have no body.
    pub is_head_request: bool,
}

/// Why a request is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a request, or one that could be read in two ways.
    #[error("the head of the request is malformed")]
    Malformed,
    /// HTTP/2 without TLS.
    #[error("the client speaks HTTP/2 on the plain port")]
    Http2,
    /// The head is longer than the limit.
    #[error("the head of the request is longer than the limit")]
    TooLong,
}

/// Reads the bytes received so far: the head, or nothing while it is not complete.
pub fn read(bytes: &[u8], length_max: usize) -> Result<Option<Head<'_>>, Refused> {
    match bytes.first() {
        // Refused before a line is complete: TLS on the plain port would otherwise wait for its timeout.
        Some(first) if !is_token(*first) => return Err(Refused::Malformed),
        _ => {}
    }
    let mut lines = Lines { bytes, offset: 0, length_max };
    let Some(line) = lines.next_line()? else { return Ok(None) };
    let request = request_line(line)?;
    let mut host = None;
    for _ in 0..=HEADERS_MAX {
        let Some(line) = lines.next_line()? else { return Ok(None) };
        if line.is_empty() {
            return finish(request, host).map(Some);
        }
        let (name, value) = header(line)?;
        if name.eq_ignore_ascii_case(b"host") && host.replace(value).is_some() {
            return Err(Refused::Malformed);
        }
    }
    Err(Refused::TooLong)
}

struct RequestLine<'a> {
    method: &'a [u8],
    /// The authority of a target in absolute form.
    authority: Option<&'a [u8]>,
}

struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
    length_max: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its end, or nothing while it is not complete.
    fn next_line(&mut self) -> Result<Option<&'a [u8]>, Refused> {
        let rest = &self.bytes[self.offset..];
        let allowed = self.length_max.saturating_sub(self.offset);
        let Some(end) = rest.iter().take(allowed).position(|byte| *byte == b'\n') else {
            return if rest.len() >= allowed { Err(Refused::TooLong) } else { Ok(None) };
        };
        self.offset += end + 1;
        match &rest[..end] {
            [line @ .., b'\r'] => Ok(Some(line)),
            _ => Err(Refused::Malformed),
        }
    }
}

fn request_line(line: &[u8]) -> Result<RequestLine<'_>, Refused> {
    if line == b"PRI * HTTP/2.0" {
        return Err(Refused::Http2);
    }
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::Malformed);
    };
    let is_version = version == b"HTTP/1.1" || version == b"HTTP/1.0";
    let is_method = !method.is_empty() && method.iter().all(|byte| is_token(*byte)) && method != b"CONNECT";
    let is_target = target.iter().all(|byte| byte.is_ascii_graphic() || *byte >= 0x80);
    if !is_version || !is_method || !is_target {
        return Err(Refused::Malformed);
    }
    let authority = match target {
        [b'/', ..] | b"*" => None,
        _ => Some(absolute_authority(target).ok_or(Refused::Malformed)?),
    };
    Ok(RequestLine { method, authority })
}

/// The authority of `http://authority/...`.
fn absolute_authority(target: &[u8]) -> Option<&[u8]> {
    let rest = [&b"http://"[..], b"https://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })?;
    rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next()
}

/// A header's name and its value without the spaces around it.
fn header(line: &[u8]) -> Result<(&[u8], &[u8]), Refused> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Refused::Malformed)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_name = !name.is_empty() && name.iter().all(|byte| is_token(*byte));
    let is_value = value.iter().all(|byte| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f));
    if is_name && is_value { Ok((name, value.trim_ascii())) } else { Err(Refused::Malformed) }
}

fn finish<'a>(request: RequestLine<'_>, host: Option<&'a [u8]>) -> Result<Head<'a>, Refused> {
    let host = host.ok_or(Refused::Malformed)?;
    // In absolute form the target's authority wins over Host (RFC 9112, section 3.2.2); we take requests where both agree.
    if request.authority.is_some_and(|authority| !authority.eq_ignore_ascii_case(host)) {
        return Err(Refused::Malformed);
    }
    let host = without_port(host).ok_or(Refused::Malformed)?;
    Ok(Head { host, is_head_request: request.method == b"HEAD" })
}

/// The host of `host[:port]`; `None` when it is neither a name nor an address.
fn without_port(host: &[u8]) -> Option<&str> {
    let host = std::str::from_utf8(host).ok()?;
    // An IPv6 address stays in its brackets: it is nobody's name, but a well-formed host.
    let (name, port) = match host.rfind(']') {
        Some(end) if host.starts_with('[') => {
            (&host[..=end], host[end + 1..].strip_prefix(':').unwrap_or(&host[end + 1..]))
        }
        _ => host.split_once(':').unwrap_or((host, "")),
    };
    let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = !name.is_empty()
        && name.len() <= 255
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'[' | b']' | b':'));
    (is_port && is_name).then_some(name)
}

/// A character of a token (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 16 << 10;

    fn host_of(text: &str) -> Result<Option<&str>, Refused> {
        read(text.as_bytes(), LIMIT).map(|head| head.map(|head| head.host))
    }

    #[test]
    fn the_host_is_found_without_its_port() {
        for (host, found) in [
            ("acme.localhost:8080", "acme.localhost"),
            ("ACME.localhost", "ACME.localhost"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(
                host_of(&format!("GET /a?b HTTP/1.1\r\nAccept: */*\r\nhOsT: {host}\r\n\r\nbody")),
                Ok(Some(found))
            );
        }
    }

    #[test]
    fn an_absolute_target_must_agree_with_the_host() {
        assert_eq!(host_of("GET http://acme.x:1/ HTTP/1.1\r\nHost: ACME.x:1\r\n\r\n"), Ok(Some("ACME.x")));
        assert_eq!(host_of("GET http://other.x/ HTTP/1.1\r\nHost: acme.x\r\n\r\n"), Err(Refused::Malformed));
    }

    #[test]
    fn a_request_that_could_be_read_in_two_ways_is_refused() {
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
            "GET /\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\u{16}\u{3}\u{1}",
        ] {
            assert_eq!(host_of(bad), Err(Refused::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn http2_with_prior_knowledge_is_told_apart() {
        assert_eq!(host_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Err(Refused::Http2));
    }

    #[test]
    fn a_head_over_the_limit_is_refused_before_it_is_complete() {
        let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(LIMIT));
        assert_eq!(host_of(&long), Err(Refused::TooLong));
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX));
        assert_eq!(host_of(&many), Err(Refused::TooLong));
    }

    #[test]
    fn a_head_request_is_marked() {
        let head = read(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", LIMIT).expect("good").expect("complete");
        assert!(head.is_head_request);
    }

    fn requests() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            Just("GET / HTTP/1.1\r\n".to_owned()),
            Just("Host: acme.localhost\r\n".to_owned()),
            Just("\r\n".to_owned()),
            Just("PRI * HTTP/2.0\r\n".to_owned()),
            "[ -~]{0,20}\r?\n",
            "[a-zA-Z]{1,8}: [ -~]{0,8}\r\n",
        ];
        proptest::collection::vec(line, 0..8).prop_map(|lines| lines.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, 200);
        }

        #[test]
        fn the_verdict_does_not_depend_on_how_the_bytes_were_cut(bytes in requests(), limit in 1_usize..150) {
            let whole = read(&bytes, limit);
            for cut in 0..bytes.len() {
                let verdict = read(&bytes[..cut], limit);
                prop_assert!(verdict == Ok(None) || verdict == whole, "{cut}: {verdict:?}, {whole:?}");
            }
        }
    }
}
