//! What can fail in a relay, by step. The next round tries again; a record's own fault is no error but a halt.

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A checkpoint could not be read or moved.
    #[error("could not read or move a checkpoint of the relay")]
    Checkpoint(#[source] sqlx::Error),
    /// The log could not be read.
    #[error("could not read the log")]
    Read(#[source] eventlog::Error),
    /// The topic is not to be had.
    #[error(transparent)]
    Topic(#[from] topic::Error),
}
