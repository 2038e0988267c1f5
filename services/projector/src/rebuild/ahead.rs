//! Reading and opening a tenant's log ahead of those who write what follows from it.

use futures::{Stream, StreamExt, stream};
use regions::Resident;
use schemas::Position;

use crate::{Error, ProjectorDeps, batch::Batch, feed, step::Refusal};

/// How many batches are opened ahead.
const AHEAD: usize = 2;

/// A batch, or why it cannot be read.
pub(super) type Read = Result<Batch, Refusal>;

/// What comes after a position, up to the batch that another one is in, in order. The last batch is empty if the log ends before
/// that. Both steps run on other threads: writing takes about as long.
pub(super) fn batches(
    deps: &ProjectorDeps,
    resident: &Resident,
    (after, to): (Position, Position),
) -> impl Stream<Item = Result<Read, Error>> {
    let recorded = stream::unfold(Some(after), move |after: Option<Position>| async move {
        let after = after.filter(|after| *after < to)?;
        let reading = (deps.clone(), resident.clone());
        let read = elsewhere(async move { feed::read_commands(&reading.0, &reading.1, after).await }).await;
        let last = read.as_ref().ok().and_then(|(recorded, _)| recorded.last().map(|event| event.position));
        Some((read, last))
    });
    let opened = recorded.map(move |read| {
        let (deps, resident) = (deps.clone(), resident.clone());
        elsewhere(async move {
            let opened = match read {
                Ok((recorded, more)) => feed::of_recorded(&deps, &resident, recorded, more).await,
                Err(error) => Err(error),
            };
            opened.map(Ok).or_else(|error| Refusal::of_unreadable_envelope(error).map(Err))
        })
    });
    opened.buffered(AHEAD)
}

async fn elsewhere<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    #[expect(clippy::disallowed_methods, reason = "it is waited for here, and whoever breaks that off loses a read")]
    let work = tokio::spawn(work);
    work.await.expect("reading does not panic")
}
