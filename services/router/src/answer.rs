//! What those hear who are not passed on. Every page is fixed bytes, made once: an unknown name, a name somebody is just
//! signing up for and a host that is not ours cannot be told apart.

use std::{sync::LazyLock, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

/// How long, and how much, a client may still send after it was answered.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: u64 = 1 << 20;

/// Why a connection is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody is at home under that name.
    UnknownName,
    /// The region does not take connections.
    RegionDown,
    /// The first bytes cannot be read.
    Malformed,
    /// HTTP/2 on the plain port.
    Http2,
    /// The first bytes are too many.
    TooLong,
    /// The first bytes did not come in time.
    Slow,
    /// Too many connections.
    Busy,
}

impl Refusal {
    /// The word in metrics.
    pub(crate) const fn outcome(self) -> &'static str {
        match self {
            Self::UnknownName => "unknown_name",
            Self::RegionDown => "region_down",
            Self::Malformed => "malformed",
            Self::Http2 => "http2",
            Self::TooLong => "too_long",
            Self::Slow => "slow",
            Self::Busy => "busy",
        }
    }

    /// The answer on the plain port.
    pub(crate) fn page(self, is_head_request: bool) -> &'static [u8] {
        let page = match self {
            Self::UnknownName => &PAGES.unknown_name,
            Self::RegionDown => &PAGES.region_down,
            Self::Malformed => &PAGES.malformed,
            Self::Http2 => &PAGES.http2,
            Self::TooLong => &PAGES.too_long,
            Self::Slow => &PAGES.slow,
            Self::Busy => &PAGES.busy,
        };
        if is_head_request { &page.bytes[..page.head_length] } else { &page.bytes }
    }

    /// The answer on the TLS port: a fatal alert in a record (RFC 8446, sections 5.1 and 6).
    pub(crate) const fn alert(self) -> [u8; 7] {
        let description = match self {
            Self::UnknownName => 112,                            // unrecognized_name
            Self::Malformed | Self::Http2 | Self::TooLong => 50, // decode_error
            Self::RegionDown | Self::Busy | Self::Slow => 80,    // internal_error
        };
        [21, 3, 3, 0, 2, 2, description]
    }
}

/// Sends the answer and ends the connection so that the answer arrives: closing while the client still sends would reset
/// the connection and may take the answer with it.
pub(crate) async fn send(stream: &mut TcpStream, answer: &[u8]) {
    pass_on(&mut &*answer, stream).await;
}

/// The same with an answer that is still to be read from somewhere: its end is the end of what can be read.
pub(crate) async fn pass_on(answer: &mut (impl AsyncRead + Unpin), stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let farewell = async {
        // Reading may end in an error where the other side closed in anger; what came before it is the answer.
        let _ = tokio::io::copy(answer, stream).await;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(LINGER_BYTES_MAX), &mut tokio::io::sink()).await
    };
    // Whether the client took it is its own affair.
    let _ = tokio::time::timeout(LINGER, farewell).await;
}

struct Page {
    bytes: Vec<u8>,
    head_length: usize,
}

struct Pages {
    unknown_name: Page,
    region_down: Page,
    malformed: Page,
    http2: Page,
    too_long: Page,
    slow: Page,
    busy: Page,
}

static PAGES: LazyLock<Pages> = LazyLock::new(|| Pages {
    unknown_name: page("404 Not Found", "", "There is no support desk at this address. Please check its spelling."),
    region_down: page(
        "503 Service Unavailable",
        RETRY,
        "This support desk cannot be reached right now. Please try again shortly.",
    ),
    malformed: page("400 Bad Request", "", "The request could not be read."),
    http2: page("400 Bad Request", "", "This port speaks HTTP/1.1. HTTP/2 is spoken over TLS only."),
    too_long: page(
        "431 Request Header Fields Too Large",
        "",
        "The head of the request is too large: it takes at most 16 KiB.",
    ),
    slow: page("408 Request Timeout", "", "The request did not arrive in time."),
    busy: page("503 Service Unavailable", RETRY, "Too many connections are open. Please try again shortly."),
});

const RETRY: &str = "Retry-After: 5\r\n";

fn page(status: &str, headers: &str, text: &str) -> Page {
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n</html>\n",
        title = &status[4..]
    );
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\n{headers}Connection: close\r\n\r\n",
        body.len()
    );
    Page { head_length: head.len(), bytes: (head + &body).into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_a_whole_answer() {
        for refusal in [
            Refusal::UnknownName,
            Refusal::RegionDown,
            Refusal::Malformed,
            Refusal::Http2,
            Refusal::TooLong,
            Refusal::Slow,
            Refusal::Busy,
        ] {
            let page = std::str::from_utf8(refusal.page(false)).expect("text");
            let (head, body) = page.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
            assert!(head.ends_with("\r\nConnection: close"));
            assert_eq!(refusal.page(true), format!("{head}\r\n\r\n").as_bytes());
        }
    }

    #[test]
    fn who_should_come_again_is_told_when() {
        for refusal in [Refusal::RegionDown, Refusal::Busy] {
            assert!(refusal.page(false).windows(16).any(|part| part == b"\r\nRetry-After: 5"));
        }
    }
}
