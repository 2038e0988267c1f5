//! How long a bucket may take to answer. A store that says nothing is one that fails: without limits whoever asks would wait for ever, and
//! hold what it holds.

use std::time::Duration;

/// The limits of a request. One that a store does not answer in time is tried again, up to four times in all, as one that it refuses for
/// now; then it fails as what it was, a read of an object for instance, with the reason. A store that hardly ever answers is asked once:
/// each has so many retries, and earns them by answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketPatience {
    /// Until the store takes the connection.
    pub connect: Duration,
    /// From the request, an object that is written included, to the head of its answer.
    pub attempt: Duration,
    /// All attempts together, with the pauses between them; and again the body of an object that is read.
    pub operation: Duration,
}

impl Default for BucketPatience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), attempt: Duration::from_secs(30), operation: Duration::from_secs(90) }
    }
}
