//! Copies bytes both ways until both ends have finished, nothing moves any more, or the router stops.
//!
//! A half-closed connection goes on in its open direction: tokio passes the end of one side on and keeps copying the other.

use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use runtime::Shutdown;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use crate::{answer, config::Limits};

const BUFFER_LENGTH: usize = 64 << 10;

/// How a spliced connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Both ends finished.
    Finished,
    /// One end broke the connection.
    Broken,
    /// Nothing moved for too long.
    Idle,
    /// The router stops.
    Stopped,
}

impl End {
    /// The word in metrics.
    pub(crate) const fn outcome(self) -> &'static str {
        match self {
            Self::Finished => "routed",
            Self::Broken => "broken",
            Self::Idle => "idle",
            Self::Stopped => "stopped",
        }
    }
}

/// Copies both ways.
pub(crate) async fn splice(client: TcpStream, mut region: TcpStream, limits: &Limits, shutdown: &Shutdown) -> End {
    let activity = Activity::new();
    // Every byte passes the client's side, so watching that one is enough.
    let mut client = Watched { stream: client, activity: &activity };
    tokio::select! {
        copied = tokio::io::copy_bidirectional_with_sizes(&mut client, &mut region, BUFFER_LENGTH, BUFFER_LENGTH) => {
            if copied.is_ok() {
                return End::Finished;
            }
        }
        end = watch(&activity, limits, shutdown) => return end,
    }
    // A region that stops reading has often said why: the body is too long, the process ends. Who still sends must hear that.
    answer::pass_on(&mut region, &mut client).await;
    End::Broken
}

/// Waits until nothing has moved for too long, which is sooner while draining.
async fn watch(activity: &Activity, limits: &Limits, shutdown: &Shutdown) -> End {
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(activity.last() + limits.idle_timeout) => {}
            () = shutdown.requested() => break,
        }
        if activity.last().elapsed() >= limits.idle_timeout {
            return End::Idle;
        }
    }
    let cut_at = Instant::now() + limits.drain_timeout;
    loop {
        let idle_at = activity.last() + limits.drain_idle_timeout;
        tokio::time::sleep_until(idle_at.min(cut_at)).await;
        if Instant::now() >= cut_at || activity.last().elapsed() >= limits.drain_idle_timeout {
            return End::Stopped;
        }
    }
}

/// When a byte last moved, in milliseconds since the start.
#[derive(Debug)]
struct Activity {
    start: Instant,
    last_ms: AtomicU64,
}

impl Activity {
    fn new() -> Self {
        Self { start: Instant::now(), last_ms: AtomicU64::new(0) }
    }

    fn touch(&self) {
        let now_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now_ms, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.start + Duration::from_millis(self.last_ms.load(Ordering::Relaxed))
    }
}

struct Watched<'a> {
    stream: TcpStream,
    activity: &'a Activity,
}

impl AsyncRead for Watched<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if polled.is_ready() {
            self.activity.touch();
        }
        polled
    }
}

impl AsyncWrite for Watched<'_> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if polled.is_ready() {
            self.activity.touch();
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
