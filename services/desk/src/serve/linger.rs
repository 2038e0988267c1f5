//! Answers before the end of a body: how they reach a client that is still sending.
//!
//! A request can be refused by its headers alone. If the connection were closed with the rest of the body unread, the
//! kernel would reset it, and a client that sends first and listens afterwards would lose the answer. So the answer goes
//! out at once with `Connection: close`, our side of the connection is closed after it, and what the client still sends is
//! thrown away for a while (RFC 9112, section 9.6). HTTP/2 needs none of this: there, one stream is ended by itself.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderValue, Request, Version, header},
    response::Response,
};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};
use tower::ServiceExt;

/// How much is thrown away at most.
const BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
const CHUNK_LENGTH: usize = 16 * 1024;

/// Whether a connection ends before the body of its last request.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

/// A connection that, if it ends before a body, listens on after it has said its last.
pub(super) struct Lingering<S> {
    stream: S,
    unread: Unread,
    patience: Duration,
    /// Set once our side is closed.
    end: Option<Pin<Box<Sleep>>>,
    discarded: u64,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, unread: Unread, patience: Duration) -> Self {
        Self { stream, unread, patience, end: None, discarded: 0 }
    }
}

/// Answers a request; if its body was not read to the end, the connection ends with the answer.
pub(super) async fn answer(routes: Router, request: Request<Incoming>, unread: Unread) -> Result<Response, Infallible> {
    let ends_with_answer = request.version() <= Version::HTTP_11;
    let is_read = Arc::new(AtomicBool::new(request.body().is_end_stream()));
    let request = request.map(|body| Body::new(Watched { body, is_read: is_read.clone() }));
    let mut response = routes.oneshot(request).await?;
    if ends_with_answer && !is_read.load(Ordering::Relaxed) {
        unread.0.store(true, Ordering::Relaxed);
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// A body that tells whether it was read to its end.
struct Watched {
    body: Incoming,
    is_read: Arc<AtomicBool>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.is_read.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<S: AsyncRead + Unpin> Lingering<S> {
    /// Reads until the client has closed its side, or the time or the amount is used up.
    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(end) = &mut self.end else { return Poll::Ready(()) };
        while self.discarded < BYTES_MAX && end.as_mut().poll(context).is_pending() {
            let mut chunk = [0; CHUNK_LENGTH];
            let mut chunk = ReadBuf::new(&mut chunk);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut chunk)) {
                Ok(()) if !chunk.filled().is_empty() => self.discarded += chunk.filled().len() as u64,
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            if !self.unread.0.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
            self.end = Some(Box::pin(tokio::time::sleep(self.patience)));
        }
        self.poll_discard(context).map(Ok)
    }

    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
