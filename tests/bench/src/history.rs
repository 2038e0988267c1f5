//! Histories that can be opened and projected: real events through the appender, each under the key of its scope.

use futures::{StreamExt, TryStreamExt, stream};
use regions::Resident;

use crate::{ground::Store, writer::Writer};

const COMMENTS_PER_TICKET: usize = 4;

/// One opens the ticket.
pub(crate) const EVENTS_PER_TICKET: i64 = 1 + COMMENTS_PER_TICKET as i64;

/// Tickets that are written at the same time.
const AT_ONCE: usize = 64;

/// Gives a tenant so many tickets with their comments, numbered from `first`.
pub(crate) async fn write(store: &Store, resident: &Resident, first: i64, tickets: i64) -> anyhow::Result<()> {
    let tickets = (first..first + tickets).map(|number| async move {
        let mut writer = Writer::new(store, resident, number).await?;
        writer.open().await?;
        for _ in 0..COMMENTS_PER_TICKET {
            writer.comment().await?;
        }
        Ok::<_, anyhow::Error>(())
    });
    stream::iter(tickets).buffer_unordered(AT_ONCE).try_collect().await
}

/// Opens so many tickets of each tenant, without comments.
pub(crate) async fn open(store: &Store, residents: &[Resident], tickets: i64) -> anyhow::Result<()> {
    let all = residents.iter().flat_map(|resident| (1..=tickets).map(move |number| (resident, number)));
    let tickets = all.map(|(resident, number)| async move {
        Ok::<_, anyhow::Error>(Writer::new(store, resident, number).await?.open().await?)
    });
    stream::iter(tickets).buffer_unordered(AT_ONCE).try_collect().await
}
